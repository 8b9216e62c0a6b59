"""What a meter holds in its flash and in its keepsake: bits that rot in one copy or in both, copies that are gone, a
flash that is dead, full, or from yesterday.

One copy lost or spoilt excuses nothing. Where both copies of the state are gone, or an old one is put in their place,
the meter is quarantined until a technician gives it another wallet by its register: then what of the last half-hours
was never told costs what it costs spread evenly ("detail"), and money only meets again in the new wallet ("wallet").
A log lost in both copies costs detail. While a flash is dead nothing is spent and no log is kept: the litres wait in
the counter of pulses ("detail").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...clock import HOUR_US, MINUTE_US
from ..home import WorldHome
from ..scenario import Fault
from .kind import DAY_MIN, Kind, at_home, dice_of, often, seldom

if TYPE_CHECKING:
    from ..life import Life

_VISIT_US = 30 * HOUR_US


def _rot(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: which file; b: how many bits of one copy turn over; c: 1 when the meter is reset right after it."""
    files = home.meter.files.content
    if home.meter.running and files:
        path = sorted(files)[fault.a % len(files)]
        _turn(life, fault, files[path])
        if fault.c:
            home.reset()


def _rot_both(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: which file; b: bits that turn over in each of its two copies; then a reset."""
    files = home.meter.files.content
    names = sorted(path[2:] for path in files if path[:2] == "a/" and "b/" + path[2:] in files)
    if not home.meter.running or not names:
        return
    name = names[fault.a % len(names)]
    for directory in ("a/", "b/"):
        _turn(life, fault, files[directory + name])
    _after_loss(life, fault, home, name)


def _lose_state(life: Life, fault: Fault, home: WorldHome) -> None:
    """Both copies of the state are gone; a: 1 when the log went with them; then a reset."""
    if home.meter.running:
        gone = ("state", "log/") if fault.a else ("state",)
        for path in sorted(home.meter.files.content):
            if path[2:].startswith(gone):
                del home.meter.files.content[path]
        _after_loss(life, fault, home, "state")


def _after_loss(life: Life, fault: Fault, home: WorldHome, name: str) -> None:
    home.excused.setdefault("detail", fault.kind)
    if name == "state":
        home.excused.setdefault("wallet", fault.kind)
    home.reset()
    if name in ("state", "counters"):
        life.later(_VISIT_US, visit, life, home)


def visit(life: Life, home: WorldHome) -> None:
    """A technician is sent to a meter that the office does not believe, or does not hear."""
    if not home.retired and life.office.up and life.office.state_of(home.meter_id) == "quarantined":
        life.renew(home)


def _lose_keepsake(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: 0 erased, 1 bits turned over (b of them); then a reset."""
    eeprom = home.meter.eeprom.content
    if not home.meter.running:
        return
    if fault.a:
        _turn(life, fault, eeprom)
    else:
        eeprom[:] = b"\xff" * len(eeprom)
    home.reset()


def _dead(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: minutes in which the flash cannot be read, from a reset to a reset; the valve stays as it stands."""

    def again() -> None:
        if home.meter.flash_dead:
            home.meter.flash_dead = False
            if home.meter.running:
                home.reset()

    if home.meter.running:
        home.excused.setdefault("detail", fault.kind)
        home.meter.flash_dead = True
        home.reset()
        life.later(fault.a * MINUTE_US, again)
        life.mended(again)


def _full(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: minutes in which the flash takes nothing: each write is refused, and the watchdog resets the meter."""

    def room() -> None:
        home.meter.files.full = False

    home.excused.setdefault("detail", fault.kind)
    home.meter.files.full = True
    life.later(fault.a * MINUTE_US, room)
    life.mended(room)


def _old(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: minutes; whoever copied the flash writes the copy back that much later: an older state, and a reset."""
    kept, meter = {path: bytes(content) for path, content in home.meter.files.content.items()}, home.meter

    def put_back() -> None:
        if home.meter is meter and meter.running and not meter.flash_dead and not home.retired:
            meter.files.content = {path: bytearray(content) for path, content in kept.items()}
            for demand in ("open", "closed"):  # it believes its valve to stand where it stood
                home.excused.setdefault(demand, fault.kind)
            _after_loss(life, fault, home, "state")

    if home.meter.running:
        life.later(fault.a * MINUTE_US, put_back)


def _turn(life: Life, fault: Fault, content: bytearray) -> None:
    dice = dice_of(life, fault)
    for _ in range(max(fault.b, 1) if content else 0):
        content[dice.below(len(content))] ^= 1 << dice.below(8)


FLASH = (
    Kind("bit_rot", often("bit_rot", 3, (0, 999), (1, 8), (0, 1)), at_home(_rot)),
    Kind("rot_both", seldom("rot_both", 2, (0, 999), (1, 3)), at_home(_rot_both), 6),
    Kind("state_lost", seldom("state_lost", 1, (0, 1)), at_home(_lose_state), 6),
    Kind("keepsake_lost", seldom("keepsake_lost", 3, (0, 1), (1, 9)), at_home(_lose_keepsake)),
    Kind("flash_dead", seldom("flash_dead", 1, (10, 3 * DAY_MIN)), at_home(_dead), 5),
    Kind("flash_full", seldom("flash_full", 2, (2, 300)), at_home(_full), 5),
    Kind("old_flash", seldom("old_flash", 1, (20, 5 * DAY_MIN)), at_home(_old), 8),
)
