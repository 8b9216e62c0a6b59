"""Commands to a meter and what became of them, as REST shows them."""

from sqlalchemy import Connection

from headend.api.shapes import Response, instant
from headend.meters.commands import EXPIRED, WANTED, MeterCommand, commands_of
from headend.storage.writer import Tx
from protocol.wire import command_codes

NAMES = {
    command_codes.VALVE_OPEN: "open",
    command_codes.VALVE_CLOSE: "close",
    command_codes.VALVE_RELEASE: "release",
    command_codes.REPORT_PERIOD: "report-period",
    command_codes.TELL: "tell",
}
CODES = {name: code for code, name in NAMES.items()}
REASONS = {
    command_codes.DONE: "done",
    command_codes.EXPIRED: "expired",
    command_codes.REFUSED_BY_POLICY: "refused-by-policy",
    command_codes.UNKNOWN_CODE: "unknown-code",
    command_codes.OUT_OF_RANGE: "out-of-range",
    command_codes.CLOCK_UNSURE: "clock-unsure",
}


class CommandState(Response):
    """One command. `state` is wanted, done, refused or expired; `reason` and `done_at` are what the meter said of it,
    `done_at` by its own clock. `hold_s`, `limit_l` and `report_slots` as they were given."""

    command: int
    order: str
    hold_s: int | None
    limit_l: int | None
    report_slots: int | None
    expires_at: str
    state: str
    reason: str | None
    done_at: str | None


def command_state(row: MeterCommand, now_unix_s: int) -> CommandState:
    held = row.code in (command_codes.VALVE_OPEN, command_codes.VALVE_CLOSE)
    over = row.state == WANTED and row.expires_unix_s <= now_unix_s
    return CommandState(
        command=row.number,
        order=NAMES[row.code],
        hold_s=row.argument if held else None,
        limit_l=row.cap if row.code == command_codes.VALVE_OPEN else None,
        report_slots=row.argument if row.code == command_codes.REPORT_PERIOD else None,
        expires_at=instant(row.expires_unix_s),
        state=EXPIRED if over else row.state,
        reason=None if row.outcome is None else REASONS.get(row.outcome, str(row.outcome)),
        done_at=None if row.done_unix_s is None else instant(row.done_unix_s),
    )


def last_commands(connection: Connection, meter_id: bytes, now_unix_s: int) -> list[CommandState]:
    """The newest commands to a meter, the last one first."""
    return [command_state(row, now_unix_s) for row in commands_of(Tx(connection, 0, 0), meter_id)]
