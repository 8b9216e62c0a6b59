"""Which serial port is the meter's. Nothing is opened but a port that was named, or a known board's.

`auto` looks at USB ids first: a port whose board is not known is never opened, since opening alone can reset a device
or print to it. Of the known ones each is asked HELLO, which changes nothing; exactly one must answer. A port that was
once named by its serial number and answered is tried first from then on.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import NamedTuple

from .line import Line
from .refusals import Refusal
from .session import Session
from .store import Store

# USB vendor and product: the Nucleo boards' debugger (ST-LINK/V2-1, V3), and MicroPython's own USB port.
KNOWN = {
    (0x0483, 0x374B): "ST-LINK/V2-1",
    (0x0483, 0x3752): "ST-LINK/V2-1",
    (0x0483, 0x374E): "ST-LINK/V3",
    (0x0483, 0x374F): "ST-LINK/V3",
    (0x0483, 0x3753): "ST-LINK/V3",
    (0x0483, 0x3754): "ST-LINK/V3",
    (0xF055, 0x9800): "MicroPython",
}
SERIAL = "serial:"
AUTO = "auto"
REMEMBERED = "port"  # in config.json
_HELLO_S = 1.0


class Port(NamedTuple):
    """A port as the system describes it; nothing of it was opened."""

    path: str
    serial: str
    usb: tuple[int, int] | None
    maker: str
    product: str

    @property
    def board(self) -> str:
        """The known board's name, or ""."""
        return KNOWN.get(self.usb, "") if self.usb is not None else ""


def attached() -> list[Port]:
    """All serial ports of this machine, by path."""
    from serial.tools.list_ports import comports

    found = []
    for one in comports():
        usb = None if one.vid is None or one.pid is None else (one.vid, one.pid)
        found.append(
            Port(one.device, one.serial_number or "", usb, one.manufacturer or "", one.product or one.description or "")
        )
    return sorted(found)


@contextlib.contextmanager
def chosen(asked: str, store: Store) -> Iterator[Line]:
    """The open line of the port that `asked` (--port, or "") means."""
    port = path_of(asked, store)
    with Line(port) as line:
        yield line


def path_of(asked: str, store: Store) -> str:
    """The path to open. Raises Refusal: port_form, port_unknown, several_serials, no_device, several_devices."""
    if not asked:
        remembered = store.config().get(REMEMBERED)
        if isinstance(remembered, str) and any(one.serial == remembered for one in attached()):
            return _by_serial(remembered)
        return _the_one_that_answers()
    if asked == AUTO:
        return _the_one_that_answers()
    if asked.startswith(SERIAL):
        number = asked.removeprefix(SERIAL)
        if not number:
            raise Refusal("port_form", port=asked)
        return _by_serial(number)
    if not asked.startswith(("/", ".")) and not asked.upper().startswith("COM"):
        raise Refusal("port_form", port=asked)
    return asked


def remember(path: str, store: Store) -> None:
    """A port that answered is found again by its serial number, wherever it is plugged in."""
    for one in attached():
        if one.path == path and one.serial and store.config().get(REMEMBERED) != one.serial:
            store.keep_config(**{REMEMBERED: one.serial})


def _by_serial(number: str) -> str:
    found = [one.path for one in attached() if one.serial == number]
    if not found:
        raise Refusal("port_unknown", port=SERIAL + number)
    if len(found) > 1:
        raise Refusal("several_serials", serial=number, ports=", ".join(found))
    return found[0]


def _the_one_that_answers() -> str:
    answering = [one for one in attached() if one.board and _answers(one.path)]
    if not answering:
        raise Refusal("no_device")
    if len(answering) > 1:
        listed = ", ".join(f"{one.path} ({SERIAL}{one.serial})" for one in answering)
        raise Refusal("several_devices", ports=listed)
    return answering[0].path


def _answers(path: str) -> bool:
    try:
        with Line(path) as line:
            Session(line, _HELLO_S).hello()
    except Refusal as refusal:
        return refusal.code == "port_locked"
    return True
