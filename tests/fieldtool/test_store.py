"""The tool's folder: for its owner's eyes, whole at every moment, and no name leads out of it."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from fieldtool.refusals import Refusal
from fieldtool.store import DONE, JOBS, OUTBOX, Store


def refused(code: str) -> object:
    return pytest.raises(Refusal, match=f"^{code}: ")


def test_folders_are_0700_and_files_0600_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(tmp_path / "of" / "field")
        store.keep_config(headend="https://office.example", api_key="k")
        store.keep(JOBS, 7, {"state": "claiming"})
        with store.lock():
            store.write_bytes("tool.key", bytes(32))
    finally:
        os.umask(before)
    modes = {path.relative_to(tmp_path): stat.S_IMODE(path.stat().st_mode) for path in store.home.rglob("*")}
    assert stat.S_IMODE(store.home.stat().st_mode) == 0o700
    assert modes and all(mode == (0o700 if (tmp_path / path).is_dir() else 0o600) for path, mode in modes.items())


def test_a_document_is_the_old_one_or_the_new_one_and_nothing_is_left_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write that fails at any of its steps changes nothing."""
    store = Store(tmp_path)
    store.keep(OUTBOX, "1", {"record": "old"})
    for name in ("fsync", "replace"):
        with monkeypatch.context() as broken:
            broken.setattr(os, name, lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
            with refused("store_unwritable"):
                store.keep(OUTBOX, "1", {"record": "new"})
        assert store.read(OUTBOX, "1") == {"record": "old"}
        assert [path.name for path in (tmp_path / OUTBOX).iterdir()] == ["1.json"]


KILLED = """
import os, sys
from pathlib import Path
from fieldtool.store import OUTBOX, Store
real = os.replace
os.replace = lambda *paths: os.kill(os.getpid(), 9)
Store(Path(sys.argv[1])).keep(OUTBOX, "1", {"record": "new"})
"""


def test_a_power_cut_before_the_renaming_leaves_the_old_one(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep(OUTBOX, "1", {"record": "old"})
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False).returncode == -9
    assert store.read(OUTBOX, "1") == {"record": "old"} and store.names(OUTBOX) == ["1"]


@pytest.mark.parametrize("name", ["", "..", "../config", "a/b", "a.b", "é", "x" * 65, "a\n", "\0"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    store = Store(tmp_path / "home")
    for act in (lambda: store.read(JOBS, name), lambda: store.keep(JOBS, name, {}), lambda: store.drop(JOBS, name)):
        with refused("bad_name"):
            act()
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize("content", ["", "[1]", "{", "null", "\xff", "[" * 100_000])
def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path, content: str) -> None:
    (tmp_path / JOBS).mkdir()
    file = tmp_path / JOBS / "1.json"
    file.write_bytes(content.encode("latin-1"))
    with refused("store_damaged"):
        Store(tmp_path).read(JOBS, "1")
    assert file.read_bytes() == content.encode("latin-1")


def test_two_commands_do_not_write_at_once(tmp_path: Path) -> None:
    with Store(tmp_path).lock(), refused("store_in_use"), Store(tmp_path).lock():
        raise AssertionError("both have it")
    with Store(tmp_path).lock():
        pass


def test_settings_change_one_by_one_and_none_is_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep_config(headend="https://a.example", port="123")
    store.keep_config(port=None, technician="Fati")
    assert store.config() == {"headend": "https://a.example", "technician": "Fati"}
    assert json.loads((tmp_path / "config.json").read_text()) == store.config()
    assert store.read(DONE, "1") is None and store.names(DONE) == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with refused("store_unwritable"):
        Store(tmp_path / "file" / "home").write_bytes("tool.key", b"")
    with refused("store_unwritable"), Store(tmp_path / "file" / "home").lock():
        raise AssertionError("there is no such folder")
