"""The headend as a service: the unit holds what it promises, systemd is told the truth, SIGTERM loses nothing."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from headend.configuration import TYPES, variable
from headend.life import notify, watchdog_period_s

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "guelta.service"
HARDENED = {
    "NoNewPrivileges": "yes",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "CapabilityBoundingSet": "",
    "DynamicUser": "yes",
    "MemoryDenyWriteExecute": "yes",
    "UMask": "0077",
    "StateDirectoryMode": "0700",
}


def settings_of(unit: Path) -> dict[str, list[str]]:
    """Every assignment of the unit, by its name, in order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        if line and not line.startswith(("#", "[")):
            name, equals, value = line.partition("=")
            assert equals and name == name.strip(), line
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_is_hardened_and_notifies() -> None:
    unit = settings_of(UNIT)
    assert {name: unit[name][0] for name in HARDENED} == HARDENED
    assert unit["Type"] == ["notify"] and int(unit["WatchdogSec"][0]) >= 10
    assert unit["LoadCredential"] == ["kek:/etc/guelta/guelta.kek"]
    [environment] = unit["Environment"]
    assert environment.partition("=")[0] in {variable(name) for name in TYPES} and "%d/kek" in environment
    assert unit["ExecStart"][0].split()[1:] == ["serve", "--config", "/etc/guelta/guelta.toml"]


def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    """Where systemd-analyze is installed it judges; elsewhere the unit has been read above, name by name."""
    tool = shutil.which("systemd-analyze")
    text = UNIT.read_text().replace("/opt/guelta/bin/guelta", sys.executable)
    (tmp_path / "guelta.service").write_text(text)
    if tool is None:
        assert settings_of(tmp_path / "guelta.service")["ExecStart"]
        return
    judged = subprocess.run(
        [tool, "verify", "--man=no", str(tmp_path / "guelta.service")], capture_output=True, text=True, check=False
    )
    complaints = [line for line in judged.stderr.splitlines() if "guelta.service" in line]
    assert complaints == [], judged.stderr
    (tmp_path / "guelta.service").write_text(text.replace("ProtectSystem=strict", "ProtectSistem=strict"))
    wrong = subprocess.run(
        [tool, "verify", "--man=no", str(tmp_path / "guelta.service")], capture_output=True, text=True, check=False
    )
    assert "ProtectSistem" in wrong.stderr, "the control: a wrong name is found"


def test_systemd_is_told_ready_alive_and_stopping_and_the_end_is_clean(tmp_path: Path) -> None:
    """READY=1 after the listeners, WATCHDOG=1 through the writer, STOPPING=1 at SIGTERM, exit 0."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(20)
        environment = {**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "400000"}
        command = [sys.executable, "-m", "guelta", "serve", "--db", str(tmp_path / "a.db")]
        process = subprocess.Popen(
            [*command, "--http", "127.0.0.1:0", "--udp", "127.0.0.1:0"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip
        try:
            told = {manager.recv(100).decode() for _ in range(4)}
            assert told == {"READY=1", "WATCHDOG=1"}
        finally:
            process.send_signal(signal.SIGTERM)
            out, errors = process.communicate(timeout=20)
        assert json.loads(out)["ready"] is True
        heard = ""
        while heard != "STOPPING=1":
            heard = manager.recv(100).decode()
    assert process.returncode == 0, errors
    assert not (tmp_path / "a.db-wal").exists(), "all is in the file"


def test_without_systemd_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.delenv("WATCHDOG_USEC", raising=False)
    assert notify("READY=1") is False and watchdog_period_s() is None
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    assert watchdog_period_s() == 30
    monkeypatch.setenv("WATCHDOG_USEC", "x")
    assert watchdog_period_s() is None
