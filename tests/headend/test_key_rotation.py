"""The key-encryption key: a lost or wrong file is told, and a change of keys survives a kill at every step."""

import base64
import os
import signal
import subprocess
import sys

import pytest
from click.testing import CliRunner, Result

from guelta.cli import main
from headend.meters.keyring import Keyring
from headend.meters.wrapped import KINDS, kek_ids_of, unopened
from headend.payments import providers
from headend.storage import tables
from headend.storage.reader import Reader
from tests.headend.world import World

STEPS = ("_next_key", "_rewrap_all", "_keep", "_take_its_place")
KILLED = """
import os, signal, sys
import headend.storage.sqlite
from headend.meters import rotation
from guelta.cli import main
step, when = sys.argv[1:3]
honest = getattr(rotation, step)
def killed(*arguments):
    if when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    honest(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(rotation, step, killed)
main(sys.argv[3:])
"""


def run(command: str, world: World) -> Result:
    arguments = [*command.split(), "--db", str(world.path), "--key-file", str(world.path.parent / "keys")]
    return CliRunner().invoke(main, arguments)


@pytest.fixture
def secrets(world: World) -> World:
    """A meter's root, a provider's secret and a stored answer, each wrapped."""
    world.add()
    world.writer.run(lambda tx: providers.add(tx, world.keyring, os.urandom, "wave", 1, 10**6))
    answer = (world.keyring.wrap(b"idempotency/1/a", b"{}"), b"x", "1/a")
    insert = "INSERT INTO idempotency (response, request_hash, key, status, created_us) VALUES (?, ?, ?, 200, 0)"
    world.writer.run(lambda tx: tx.cursor.execute(insert, answer))
    world.writer.close()
    return world


def test_every_wrapped_column_is_known() -> None:
    """A table of secrets that is added must be added to the rotation too."""
    named = {table.name for table in tables.metadata.tables.values() if "wrapped" in table.columns}
    assert named | {"idempotency"} == {kind.table for kind in KINDS}


def test_a_rotation_wraps_all_anew_and_keeps_the_old_key(secrets: World) -> None:
    path = secrets.path.parent / "keys"
    old_text, old_id = path.read_text(), Keyring.existing(path).kek_id
    done = run("keyring rotate", secrets)
    assert done.exit_code == 0 and "3 secrets wrapped anew" in done.output, done.output
    assert path.read_text() != old_text
    assert path.with_name(f"keys.{old_id}").read_text() == old_text
    assert {file.stat().st_mode & 0o077 for file in path.parent.glob("keys*")} == {0}
    assert "opens all: 1 of meter_key, 1 of provider_secret, 1 of idempotency" in run("keyring check", secrets).output
    [entry] = secrets.rows("SELECT actor_kind, command, before, after FROM audit WHERE what = 'key_file'")
    assert entry[:2] == ("cli", "guelta keyring rotate")
    assert old_id in entry[2] and Keyring.existing(path).kek_id in entry[3]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_step_leaves_a_key_that_opens_all(secrets: World, step: str, when: str) -> None:
    path = secrets.path.parent / "keys"
    arguments = ["keyring", "rotate", "--db", str(secrets.path), "--key-file", str(path)]
    killed = subprocess.run([sys.executable, "-c", KILLED, step, when, *arguments], capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    reader = Reader(secrets.path)
    files = [Keyring.existing(file) for file in (path, path.with_name("keys.new")) if file.exists()]
    opened = [keyring for keyring in files if reader.read(lambda c, k=keyring: unopened(c, k)) == []]
    assert opened, "one of the two files opens everything"
    if opened[0] is not files[0]:
        refused = run("provider rotate wave", secrets)
        assert refused.exit_code == 1 and "finish it with 'guelta keyring rotate'" in refused.output
    assert run("keyring rotate", secrets).exit_code == 0
    assert run("keyring check", secrets).exit_code == 0
    assert reader.read(kek_ids_of) == {Keyring.existing(path).kek_id}
    reader.close()


def test_a_lost_or_wrong_key_file_is_told_and_never_replaced(secrets: World) -> None:
    path = secrets.path.parent / "keys"
    kept = path.read_text()
    path.unlink()
    for command in ("provider rotate wave", "keyring check", "serve --http 127.0.0.1:0 --udp 127.0.0.1:0"):
        lost = run(command, secrets)
        assert lost.exit_code == 1 and "put the file back from its own backup" in lost.output, command
        assert not path.exists(), "a fresh key would open nothing"
    path.write_text("00" * 32)
    path.chmod(0o600)
    wrong = run("provider rotate wave", secrets)
    assert wrong.exit_code == 1 and "name the file that belongs to this database" in wrong.output
    assert run("keyring check", secrets).exit_code == 1
    path.write_text(kept)
    path.chmod(0o640)
    open_to_others = run("keyring check", secrets)
    assert open_to_others.exit_code == 1 and "chmod 600" in open_to_others.output
    path.chmod(0o600)
    assert run("keyring check", secrets).exit_code == 0


def test_a_credential_of_systemd_may_show_group_bits(secrets: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """LoadCredential= lets the service read through an access list, which shows as group bits."""
    path = secrets.path.parent / "keys"
    path.chmod(0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(path.parent))
    assert run("keyring check", secrets).exit_code == 0
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(path.parent / "elsewhere"))
    assert run("keyring check", secrets).exit_code == 1


def test_the_wrapped_secret_of_a_provider_is_the_same_after(secrets: World) -> None:
    path = secrets.path.parent / "keys"
    reader = Reader(secrets.path)
    before = reader.read(lambda c: providers.secrets_of(c, Keyring.existing(path), "wave"))
    assert run("keyring rotate", secrets).exit_code == 0
    after = reader.read(lambda c: providers.secrets_of(c, Keyring.existing(path), "wave"))
    reader.close()
    assert before == after and len(base64.b64encode(after[0])) == 44
