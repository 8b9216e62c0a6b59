"""Which version a meter is meant to run: wanted until the meter tells how that ended. No queue, one row per meter.

It ends when a DEVICE tells this version or a later one, when a PROGRESS tells why the meter does not take it, or when
the meter fell back after the trial. What a person must see then is one case.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from headend.ledger.cases import CaseKind, open_case
from headend.meters.lookup import holding_in_use
from headend.refusals import Code, Refused
from headend.releases.releases import Release, of_version
from headend.storage.writer import Tx
from protocol.wire import update_codes
from protocol.wire.event_codes import FIRMWARE_CONFIRMED, FIRMWARE_REJECTED
from protocol.wire.messages import Device, Event, Progress

WANTED, DONE, REFUSED, REJECTED, CANCELLED = "wanted", "done", "refused", "rejected", "cancelled"

# What passes by itself: the meter asks again, or is asked again.
PASSING = (
    0,
    update_codes.VALVE_MOVING,
    update_codes.NOTHING_BEGUN,
    update_codes.OFFSET,
    update_codes.ON_TRIAL,
)
_ORDER = "meter_id, hardware, version, state, outcome, ordered_us, ended_us"
_TOLD = "version, next_offset, state, outcome, told_us"


@dataclass(frozen=True, slots=True)
class Update:
    """What somebody wants of a meter, and how it ended."""

    meter_id: bytes
    hardware: str
    version: int
    state: str
    outcome: int | None
    ordered_us: int
    ended_us: int | None


@dataclass(frozen=True, slots=True)
class Told:
    """The newest PROGRESS of a meter, and when it came."""

    version: int
    next_offset: int
    state: int
    outcome: int
    told_us: int


def order(tx: Tx, meter_id: bytes, version: int, hardware: str | None) -> Update:
    """Want a meter to run a release from now on, in the place of what was wanted before. Raises Refused."""
    holding_in_use(tx, meter_id)
    release = of_version(tx.connection, version, hardware)
    _check_step(tx, meter_id, release)
    tx.cursor.execute(
        f"INSERT INTO meter_update ({_ORDER}) VALUES (?, ?, ?, '{WANTED}', NULL, ?, NULL) "
        "ON CONFLICT (meter_id) DO UPDATE SET hardware = excluded.hardware, version = excluded.version, "
        "state = excluded.state, outcome = NULL, ordered_us = excluded.ordered_us, ended_us = NULL",
        (meter_id, release.hardware, release.version, tx.now_us),
    )
    return Update(meter_id, release.hardware, release.version, WANTED, None, tx.now_us, None)


def _check_step(tx: Tx, meter_id: bytes, release: Release) -> None:
    """From what the meter last said it runs, if it ever did."""
    (running,) = tx.cursor.execute("SELECT firmware_version FROM meter_link WHERE meter_id = ?", (meter_id,)).fetchone()
    if running is not None and running >= release.version:
        raise Refused(Code.UPDATE_NOT_NEWER, "version", str(running))
    if running is not None and running < release.min_version:
        raise Refused(Code.UPDATE_STEP, "version", f"{running} < {release.min_version}")


def cancel(tx: Tx, meter_id: bytes) -> Update:
    """Want it no more. What the meter holds of it stays there and does nothing. Raises Refused."""
    holding_in_use(tx, meter_id)
    found = update_of(tx.connection, meter_id)
    if found is None or found.state != WANTED:
        raise Refused(Code.UPDATE_UNKNOWN, "meter_id", meter_id.hex())
    return _end(tx, found, CANCELLED, None)


def update_of(connection: Connection, meter_id: bytes) -> Update | None:
    row = connection.exec_driver_sql(f"SELECT {_ORDER} FROM meter_update WHERE meter_id = ?", (meter_id,)).first()
    return None if row is None else Update(*row)


def told_of(connection: Connection, update: Update) -> Told | None:
    """What the meter said since this was ordered."""
    row = connection.exec_driver_sql(
        f"SELECT {_TOLD} FROM update_progress WHERE meter_id = ? AND told_us >= ?",
        (update.meter_id, update.ordered_us),
    ).first()
    return None if row is None else Told(*row)


def hear(tx: Tx, meter_id: bytes, generation: int, message: Any, newest: bool) -> None:
    """What an uplink says about updates. Only the newest word counts; an event has its own number."""
    if isinstance(message, Progress) and newest:
        _hear_progress(tx, meter_id, message)
    elif isinstance(message, Device) and newest:
        _hear_device(tx, meter_id, message.firmware_version)
    elif isinstance(message, Event):
        for entry in message.events:
            _hear_event(tx, meter_id, generation, entry)


def _hear_progress(tx: Tx, meter_id: bytes, told: Any) -> None:
    tx.cursor.execute(
        f"INSERT OR REPLACE INTO update_progress (meter_id, {_TOLD}) VALUES (?, ?, ?, ?, ?, ?)",
        (meter_id, told.version, told.next_offset, told.state, told.outcome, tx.now_us),
    )
    update = update_of(tx.connection, meter_id)
    if update is None or update.state != WANTED or told.version != update.version or told.outcome in PASSING:
        return
    _open_case(tx, _end(tx, update, REFUSED, told.outcome))


def _hear_device(tx: Tx, meter_id: bytes, running: int) -> None:
    """What it runs: at last this version, or, after it did, an older one again."""
    update = update_of(tx.connection, meter_id)
    if update is None:
        return
    if update.state == WANTED and running >= update.version:
        _end(tx, update, DONE, None)
    elif update.state == DONE and running < update.version:
        _open_case(tx, _end(tx, update, REJECTED, None))


def _hear_event(tx: Tx, meter_id: bytes, generation: int, entry: Any) -> None:
    """The end of a trial. An event that was told before is no news."""
    if entry.code not in (FIRMWARE_CONFIRMED, FIRMWARE_REJECTED):
        return
    update = update_of(tx.connection, meter_id)
    if update is None or update.state not in (WANTED, DONE) or entry.argument != update.version:
        return
    known = tx.cursor.execute(
        "SELECT 1 FROM meter_event WHERE meter_id = ? AND generation = ? AND event_no = ?",
        (meter_id, generation, entry.event_no),
    ).fetchone()
    if known is not None:
        return
    if entry.code == FIRMWARE_REJECTED:
        _open_case(tx, _end(tx, update, REJECTED, None))
    elif update.state == WANTED:
        _end(tx, update, DONE, None)


def _end(tx: Tx, update: Update, state: str, outcome: int | None) -> Update:
    tx.cursor.execute(
        "UPDATE meter_update SET state = ?, outcome = ?, ended_us = ? WHERE meter_id = ?",
        (state, outcome, tx.now_us, update.meter_id),
    )
    return Update(update.meter_id, update.hardware, update.version, state, outcome, update.ordered_us, tx.now_us)


def _open_case(tx: Tx, update: Update) -> None:
    """Once per order. `code` 0: it had its trial, and what ran before runs again."""
    key = f"{update.meter_id.hex()}:{update.version}:{update.ordered_us}"
    detail = {"version": update.version, "hardware": update.hardware, "code": update.outcome or 0}
    open_case(tx, CaseKind.FIRMWARE_REJECTED, key, update.meter_id, **detail)
