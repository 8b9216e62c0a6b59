"""Which port is the meter's: no port of an unknown board is ever opened, and two meters are never guessed between."""

from __future__ import annotations

import json
import os
import pty
import threading
import tty
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import serial
from click.testing import CliRunner

from fieldtool import exit_codes, ports
from fieldtool.refusals import Refusal
from fieldtool.store import Store
from guelta.cli import main
from protocol.wire import console
from protocol.wire.cobs import Decoder

METER_ID = bytes.fromhex("00000000000000a1")
ST_LINK = (0x0483, 0x374B)
PRINTER = (0x04B8, 0x0202)


class Answering:
    """Something on a pseudo-terminal that answers HELLO with `reply`, and counts what it heard."""

    def __init__(self, reply: bytes | None) -> None:
        self.reply, self.heard = reply, b""
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.path = os.ttyname(self.slave)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        decoder = Decoder(console.MESSAGE_MAX)
        while True:
            try:
                data = os.read(self.master, 4096)
            except OSError:
                return
            self.heard += data
            for frame in decoder.feed(data):
                if console.from_frame(frame) is not None and self.reply is not None:
                    os.write(self.master, console.to_line(self.reply))

    def close(self) -> None:
        os.close(self.slave)
        os.close(self.master)


METER = console.challenge(METER_ID, 1, bytes(8))
BLANK = console.refused(console.NOT_PROVISIONED, 0)


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """desk((usb, serial, reply)…): what is plugged in; each with a port of its own."""
    made: list[Answering] = []
    opened: list[str] = []
    real = serial.Serial.open

    def plug(*devices: tuple[tuple[int, int] | None, str, bytes | None]) -> list[Answering]:
        made.extend(Answering(reply) for _, _, reply in devices)
        found = [
            SimpleNamespace(
                device=port.path, vid=usb and usb[0], pid=usb and usb[1], serial_number=number or None,
                manufacturer=None, product=None, description="n/a",
            )
            for port, (usb, number, _) in zip(made, devices, strict=True)
        ]  # fmt: skip
        monkeypatch.setattr("serial.tools.list_ports.comports", lambda: found)
        return made

    def watched(port: serial.Serial) -> None:
        opened.append(str(port.port))
        real(port)

    monkeypatch.setattr(serial.Serial, "open", watched)
    monkeypatch.setattr(ports, "_HELLO_S", 0.2)
    plug.opened = opened  # type: ignore[attr-defined]
    yield plug
    for each in made:
        each.close()


def refusal_of(asked: str, store: Store) -> Refusal:
    with pytest.raises(Refusal) as caught:
        ports.path_of(asked, store)
    return caught.value


def test_ports_lists_and_opens_none(desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUELTA_FIELD_HOME", str(tmp_path))
    Store().keep_config(port="066A")
    devices = desk((ST_LINK, "066A", METER), (None, "", None), (PRINTER, "X", None))
    told = json.loads(CliRunner().invoke(main, ["field", "ports", "--json"]).stdout)["ports"]
    by_path = {one["path"]: one for one in told}
    assert [by_path[device.path]["board"] for device in devices] == ["ST-LINK/V2-1", "", ""]
    assert [by_path[device.path]["remembered"] for device in devices] == [True, False, False]
    assert by_path[devices[0].path]["usb"] == "0483:374b"
    plain = CliRunner().invoke(main, ["field", "ports", "--lang", "fr"]).stdout
    assert "serial:066A" in plain and "connu" in plain
    assert desk.opened == []


def test_auto_asks_known_boards_only_and_takes_the_one_that_answers(desk: Any, tmp_path: Path) -> None:
    meter, printer, modem, unheard = desk(
        (ST_LINK, "066A", METER), (PRINTER, "X", None), (None, "", None), ((0x0403, 0x6001), "FT", METER)
    )
    for asked in ("auto", ""):
        assert ports.path_of(asked, Store(tmp_path)) == meter.path
    assert set(desk.opened) == {meter.path}
    assert printer.heard == modem.heard == unheard.heard == b""


def test_auto_takes_a_board_that_was_never_provisioned(desk: Any, tmp_path: Path) -> None:
    (board,) = desk(((0xF055, 0x9800), "B1", BLANK))
    assert ports.path_of("auto", Store(tmp_path)) == board.path


@pytest.mark.parametrize("reply", [None, console.refused(console.MALFORMED, 0)])
def test_a_known_board_without_a_meter_is_no_device(desk: Any, tmp_path: Path, reply: bytes | None) -> None:
    desk((ST_LINK, "066A", reply))
    assert refusal_of("auto", Store(tmp_path)).code == "no_device"
    assert refusal_of("", Store(tmp_path)).exit_code == exit_codes.NO_DEVICE


def test_a_locked_meter_is_a_meter(desk: Any, tmp_path: Path) -> None:
    (meter,) = desk((ST_LINK, "066A", console.refused(console.LOCKED, 60)))
    assert ports.path_of("auto", Store(tmp_path)) == meter.path


def test_two_meters_are_listed_and_not_guessed_between(desk: Any, tmp_path: Path) -> None:
    desk((ST_LINK, "066A", METER), (ST_LINK, "066B", METER))
    refusal = refusal_of("auto", Store(tmp_path))
    assert (refusal.code, refusal.exit_code) == ("several_devices", exit_codes.BUSY)
    assert "serial:066A" in refusal.sentence("en") and "serial:066B" in refusal.sentence("fr")


def test_a_serial_number_names_a_port_wherever_it_is_plugged_in(desk: Any, tmp_path: Path) -> None:
    _, second = desk((ST_LINK, "066A", METER), (PRINTER, "066B", METER))
    assert ports.path_of("serial:066B", Store(tmp_path)) == second.path
    assert desk.opened == []
    assert refusal_of("serial:none", Store(tmp_path)).code == "port_unknown"


def test_two_ports_of_one_serial_number_are_not_guessed_between(desk: Any, tmp_path: Path) -> None:
    desk((ST_LINK, "1", METER), (ST_LINK, "1", METER))
    refusal = refusal_of("serial:1", Store(tmp_path))
    assert (refusal.code, refusal.exit_code) == ("several_serials", exit_codes.BUSY)


def test_the_port_that_answered_is_remembered_by_its_number(desk: Any, tmp_path: Path) -> None:
    store = Store(tmp_path)
    first, second = desk((ST_LINK, "066A", METER), (PRINTER, "066B", METER))
    ports.remember(second.path, store)
    assert store.config()["port"] == "066B"
    assert ports.path_of("", store) == second.path and ports.path_of("auto", store) == first.path


def test_a_meter_that_answered_a_verb_is_found_without_port_from_then_on(
    desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where it had nothing to say to this technician; --dry-run remembers nothing."""
    monkeypatch.setenv("GUELTA_FIELD_HOME", str(tmp_path))
    _, second = desk((ST_LINK, "066A", None), (PRINTER, "066B", METER))
    for words, kept in ((("--dry-run",), None), ((), "066B")):
        done = CliRunner().invoke(main, ["field", "read", "--port", second.path, *words])
        assert done.exit_code == exit_codes.FAILED and "no grant" in done.stderr
        assert Store().config().get("port") == kept
    done = CliRunner().invoke(main, ["field", "read", "--json"])
    assert json.loads(done.stdout)["refused"]["code"] == "no_grant" and desk.opened[-1] == second.path


@pytest.mark.parametrize("asked", ["ttyACM0", "serial:", "usb", "AUTO"])
def test_a_port_of_no_known_form_is_refused_as_usage(asked: str, tmp_path: Path) -> None:
    refusal = refusal_of(asked, Store(tmp_path))
    assert (refusal.code, refusal.exit_code) == ("port_form", exit_codes.USAGE)


def test_what_cannot_be_opened_is_named_with_its_remedy(
    desk: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GUELTA_FIELD_HOME", str(tmp_path))

    def ends(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["field", "read", "--lang", "en", "--json", *words])
        return done.exit_code, json.loads(done.stdout)["refused"]["code"]

    assert ends("--port", "/dev/none") == (exit_codes.NO_DEVICE, "port_unknown")
    assert ends("--port", str(tmp_path)) == (exit_codes.NO_DEVICE, "port_unknown")
    (silent,) = desk((ST_LINK, "066A", None))
    with serial.Serial(silent.path, exclusive=True):
        assert ends("--port", silent.path) == (exit_codes.BUSY, "port_busy")
    monkeypatch.setattr("fieldtool.session.PATIENCE_S", 0.1)
    monkeypatch.setattr("fieldtool.session.Session.__init__.__defaults__", (0.1,))
    assert ends("--port", silent.path) == (exit_codes.NO_DEVICE, "silent")

    def denied(port: serial.Serial) -> None:
        raise serial.SerialException(13, "Permission denied")

    monkeypatch.setattr(serial.Serial, "open", denied)
    assert ends("--port", silent.path) == (exit_codes.FAILED, "port_denied")
