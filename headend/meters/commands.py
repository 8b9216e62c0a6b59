"""COMMANDs: what a person orders of one meter, and what became of it (SEMANTICS D1).

Numbers rise by one per meter for ever, also across wallet generations: a meter does nothing up to the last it did.
"""

from dataclasses import dataclass
from typing import Any

from headend.ledger import recovered
from headend.meters.lookup import holding_in_use
from headend.refusals import Code, Refused
from headend.storage.remembered import Topic
from headend.storage.tables import meter_command
from headend.storage.writer import Tx
from protocol.wire import command_codes
from protocol.wire.limits import U16_MAX, U32_MAX

WANTED, DONE, REFUSED, EXPIRED = "wanted", "done", "refused", "expired"
WAITING_MAX = 8
SHOWN_MAX = 20
VALID_S_MAX = 30 * 86_400

# code: the greatest argument and the greatest cap that a meter takes; the least is 1 where the greatest is above 0.
_LIMITS = {
    command_codes.VALVE_OPEN: (command_codes.OPEN_S_MAX, U16_MAX),
    command_codes.VALVE_CLOSE: (command_codes.CLOSE_S_MAX, 0),
    command_codes.VALVE_RELEASE: (0, 0),
    command_codes.REPORT_PERIOD: (command_codes.REPORT_SLOTS_MAX, 0),
    command_codes.TELL: (0, 0),
}
_STATES = {command_codes.DONE: DONE, command_codes.EXPIRED: EXPIRED}
_COLUMNS = tuple(column.name for column in meter_command.columns)
_SELECT = f"SELECT {', '.join(_COLUMNS)} FROM meter_command WHERE meter_id = ?"


@dataclass(frozen=True, slots=True)
class MeterCommand:
    """One row: `code`, `argument` and `cap` as COMMAND carries them; `outcome` and `done_unix_s` as its RESULT says."""

    meter_id: bytes
    number: int
    code: int
    argument: int
    cap: int
    expires_unix_s: int
    state: str
    outcome: int | None
    done_unix_s: int | None
    created_us: int
    settled_us: int | None


def order(tx: Tx, meter_id: bytes, code: int, argument: int, cap: int, expires_unix_s: int) -> MeterCommand:
    """Want a command done before it expires. Raises Refused, naming the field; then nothing was changed."""
    holding_in_use(tx, meter_id)
    _check(code, argument, cap)
    now_s = tx.now_us // 1_000_000
    if not now_s < expires_unix_s <= min(now_s + VALID_S_MAX, U32_MAX):
        raise Refused(Code.COMMAND_EXPIRY, "expires_at", str(expires_unix_s))
    _expire(tx, meter_id)
    waiting, last = tx.cursor.execute(
        "SELECT coalesce(sum(state = 'wanted'), 0), coalesce(max(number), 0) FROM meter_command WHERE meter_id = ?",
        (meter_id,),
    ).fetchone()
    if waiting >= WAITING_MAX:
        raise Refused(Code.COMMANDS_WAITING, "meter_id", meter_id.hex())
    since = recovered.load(tx, meter_id)
    # After a restore, the meter may have done commands that the books forgot (SEMANTICS A5).
    number = 1 + max(last, 0 if since is None else since.command_floor)
    row = (meter_id, number, code, argument, cap, expires_unix_s, WANTED, None, None, tx.now_us, None)
    tx.cursor.execute(
        f"INSERT INTO meter_command ({', '.join(_COLUMNS)}) VALUES ({', '.join('?' * len(_COLUMNS))})", row
    )
    return MeterCommand(*row)


def wanted_command(tx: Tx, meter_id: bytes) -> MeterCommand | None:
    """The oldest that is wanted and has not expired, or None."""
    wanted = tx.remembered.recall(Topic.COMMANDS, meter_id, lambda: _wanted(tx, meter_id))
    return next((command for command in wanted if command.expires_unix_s > tx.now_us // 1_000_000), None)


def _wanted(tx: Tx, meter_id: bytes) -> tuple[MeterCommand, ...]:
    """Those that are wanted, expired or not, the oldest first."""
    rows = tx.cursor.execute(f"{_SELECT} AND state = 'wanted' ORDER BY number", (meter_id,))
    return tuple(MeterCommand(*row) for row in rows.fetchall())


def commands_of(tx: Tx, meter_id: bytes) -> list[MeterCommand]:
    """The newest commands to a meter, the last one first."""
    rows = tx.cursor.execute(f"{_SELECT} ORDER BY number DESC LIMIT {SHOWN_MAX}", (meter_id,))
    return [MeterCommand(*row) for row in rows.fetchall()]


def settle(tx: Tx, meter_id: bytes, result: Any) -> None:
    """Record a RESULT. One that comes after we had given up still tells what was done; a second tells nothing new.

    A meter does none below the last it did: what waits below that is given up, or the two would repeat themselves to
    each other as fast as the air carries it.
    """
    tx.cursor.execute(
        "UPDATE meter_command SET state = ?, outcome = ?, done_unix_s = ?, settled_us = ? "
        "WHERE meter_id = ? AND number = ? AND code = ? AND outcome IS NULL",
        (
            _STATES.get(result.outcome, REFUSED),
            result.outcome,
            result.at_unix_s,
            tx.now_us,
            meter_id,
            result.id,
            result.code,
        ),
    )
    tx.cursor.execute(
        "UPDATE meter_command SET state = 'expired', settled_us = ? "
        "WHERE meter_id = ? AND state = 'wanted' AND number < ?",
        (tx.now_us, meter_id, result.id),
    )
    _expire(tx, meter_id)


def _expire(tx: Tx, meter_id: bytes) -> None:
    """Give up what nobody answered in time; the meter does not do it any more either."""
    tx.cursor.execute(
        "UPDATE meter_command SET state = 'expired', settled_us = ? "
        "WHERE meter_id = ? AND state = 'wanted' AND expires_unix_s <= ?",
        (tx.now_us, meter_id, tx.now_us // 1_000_000),
    )


def _check(code: int, argument: int, cap: int) -> None:
    limits = _LIMITS.get(code)
    if limits is None:
        raise Refused(Code.COMMAND, "command", str(code))
    for field, value, greatest in (("argument", argument, limits[0]), ("cap", cap, limits[1])):
        if isinstance(value, bool) or not min(greatest, 1) <= value <= greatest:
            raise Refused(Code.COMMAND, field, str(value))
    if code == command_codes.REPORT_PERIOD and command_codes.REPORT_SLOTS_MAX % argument:
        raise Refused(Code.COMMAND, "argument", str(argument))
