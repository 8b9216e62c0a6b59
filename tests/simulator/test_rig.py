"""The command `guelta rig`: what it cannot run with is refused before a meter is started, and so are unknown words."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from firmware.identity import IdentityRefused, decode
from firmware.provisioning import identity_from_answer
from guelta.cli import main

# What `guelta meter add` printed for a meter of a database that was then thrown away.
ADDED: dict[str, Any] = {
    "meter_id": "00000000000000a1", "customer_number": "00000292", "generation": 1, "epoch": 0, "litres_per_pulse": 1,
    "first_index_l": 0, "root": "c7258d3160b6ba533c163159a07c7df1",
    "opening_frame": "7800008ecd0b733a4324618694118aedadf1abea6b04d3a6"
    "afecaad450301a333e2975934901b4497bc085b1bd65a7615c52",
    "tariff": {"version": 1, "from_slot": 105216, "body": "10000801157f009702"},
    "policy": {"version": 1, "from_slot": 0, "body": "1000a0c21e00000100"},
}  # fmt: skip


def rig(folder: Path, added: object, *options: str) -> Result:
    file = folder / "meter.json"
    file.write_text(added if isinstance(added, str) else json.dumps(added))
    return CliRunner().invoke(main, ["rig", str(file), *options])


def test_the_identity_is_what_the_headend_answered() -> None:
    identity = decode(identity_from_answer(ADDED))
    assert (identity.meter_id.hex(), identity.root.hex()) == (ADDED["meter_id"], ADDED["root"])
    assert (identity.generation, identity.pulse_ml, len(identity.packs)) == (1, 1000, 2)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("meter_id", "00"), ("meter_id", None), ("root", "zz" * 16), ("root", 7), ("generation", True),
        ("generation", 2**64), ("litres_per_pulse", "1"), ("litres_per_pulse", 3), ("tariff", []), ("policy", None),
        ("opening_frame", "0"),
    ],
)  # fmt: skip
def test_an_answer_with_a_wrong_field_is_refused_by_name(tmp_path: Path, field: str, value: object) -> None:
    with pytest.raises(IdentityRefused):
        identity_from_answer({**ADDED, field: value})
    refused = rig(tmp_path, {**ADDED, field: value})
    assert refused.exit_code == 1 and "guelta meter add" in refused.output
    assert not (tmp_path / "meter.flash").exists()


@pytest.mark.parametrize("text", ["", "whsec_abc", "[1]", "null", "[" * 100_000, "{"])
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, text: str) -> None:
    refused = rig(tmp_path, text)
    assert refused.exit_code == 1 and "guelta meter add" in refused.output


@pytest.mark.parametrize("address", ["127.0.0.1", ":5683", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:٣", "a b:1"])
def test_an_address_that_is_none_is_refused(tmp_path: Path, address: str) -> None:
    refused = rig(tmp_path, ADDED, "--udp", address)
    assert refused.exit_code == 2 and "--udp" in refused.output


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    refused = rig(tmp_path, ADDED, "--flash", str(tmp_path / "none" / "meter.flash"))
    assert refused.exit_code == 2 and "does not exist" in refused.output


def test_an_interpreter_that_cannot_be_run_is_named_before_anything_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUELTA_MICROPYTHON", "/nope/micropython")
    for refused in (rig(tmp_path, ADDED), CliRunner().invoke(main, ["demo"])):
        assert refused.exit_code == 1
        assert refused.output.startswith("Error: GUELTA_MICROPYTHON names /nope/micropython, which cannot be run")


@pytest.mark.slow
def test_words_that_are_not_understood_change_nothing_and_a_strange_flash_is_refused(tmp_path: Path) -> None:
    """The words are told again; a flash of another meter ends the rig with the meter's own words."""
    file, flash = tmp_path / "meter.json", tmp_path / "meter.flash"
    file.write_text(json.dumps(ADDED))
    command = [sys.executable, "-m", "guelta", "rig", str(file), "--udp", "127.0.0.1:9", "--lang", "en"]
    words = "draw 0\ndraw ٣\nopen\n\nread\n"
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdin is not None and running.stdout is not None
        running.stdin.write(words)
        running.stdin.flush()
        heard = [line for line in iter(running.stdout.readline, "") if "{" not in line or running.stdin.close()]
        assert running.wait(timeout=60) == 0
    assert sum("not understood" in line for line in heard) == 3
    assert flash.stat().st_mode & 0o077 == 0, "the flash holds the root key"

    file.write_text(json.dumps({**ADDED, "meter_id": "00000000000000a2"}))
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert "provisioning refused: this flash holds another meter" in running.stderr.read()
        assert running.wait(timeout=60) == 1


@pytest.mark.slow
def test_a_meter_does_not_outlive_its_rig(tmp_path: Path) -> None:
    """Ended by the system rather than by `quit`, the rig takes its meter's power: nobody else may hold its flash."""
    file = tmp_path / "meter.json"
    file.write_text(json.dumps(ADDED))
    command = [sys.executable, "-m", "guelta", "rig", str(file), "--udp", "127.0.0.1:9", "--lang", "en"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None and running.stdout.readline()  # it is on
        meters = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        assert len(meters) == 1
        running.terminate()
        assert running.wait(timeout=60) == 143
    assert not Path(f"/proc/{meters[0]}").exists()
