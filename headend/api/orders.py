"""Orders to a meter: COMMANDs to its valve and reports, and half-hours to be sent again."""

from typing import Annotated

from msgspec import Meta

from headend.api.aftermath import Aftermath
from headend.api.command_states import CODES, CommandState, command_state
from headend.api.endpoint import OPERATE, Endpoint
from headend.api.meters import MeterPath
from headend.api.shapes import Instant, Request, Response, instant, unix_s_of
from headend.downlink.desired import push_command
from headend.meters import slot_requests
from headend.meters.commands import order
from headend.meters.keyring import Keyring
from headend.refusals import Code, Refused
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of, slot_start

# How long a command is good for when nobody says otherwise.
VALID_S = 86_400

# order: (what its argument is called here, what its cap is).
_FIELDS: dict[str, tuple[str | None, str | None]] = {
    "open": ("hold_s", "limit_l"),
    "close": ("hold_s", None),
    "release": (None, None),
    "report-period": ("report_slots", None),
    "tell": (None, None),
}

Count = Annotated[int, Meta(ge=1, le=604_800)]


class CommandToGive(Request):
    """`order`: open (with `hold_s` up to 86,400 and `limit_l`: it ends by itself, SEMANTICS E1), close (with `hold_s`
    up to 604,800), release, report-period (with `report_slots`, a divisor of 48) or tell. Without `expires_at` it is
    good for a day."""

    order: Annotated[str, Meta(pattern=r"^(open|close|release|report-period|tell)(?![\s\S])")]
    hold_s: Count | None = None
    limit_l: Annotated[int, Meta(ge=1, le=65_535)] | None = None
    report_slots: Annotated[int, Meta(ge=1, le=48)] | None = None
    expires_at: Instant | None = None


class SlotsToAsk(Request):
    """The half-hours that begin from `since` up to and without `until`: at most 1,020."""

    since: Instant
    until: Instant


class AskedSlots(Response):
    """What the meter is asked to send again, with its next answers and for a week at most."""

    meter_id: str
    log_generation: int
    since: str
    until: str


def give_command(
    tx: Tx, keyring: Keyring, aftermath: Aftermath, path: MeterPath, body: CommandToGive, now_unix_s: int
) -> CommandState:
    """Order something of one meter. It is sent until the meter says what became of it, or until it expires."""
    given = give(tx, path, body, now_unix_s)
    aftermath.reply(push_command(tx, keyring, bytes.fromhex(path.meter_id)))
    return given


def give(tx: Tx, path: MeterPath, body: CommandToGive, now_unix_s: int) -> CommandState:
    """The same without sending it at once."""
    argument, cap = _limits(body)
    expires = now_unix_s + VALID_S if body.expires_at is None else unix_s_of(body.expires_at, "/expires_at")
    try:
        given = order(tx, bytes.fromhex(path.meter_id), CODES[body.order], argument, cap, expires)
    except Refused as refused:
        names = dict(zip(("argument", "cap"), _FIELDS[body.order], strict=True))
        raise Refused(refused.code, names.get(refused.field) or refused.field, refused.detail) from None
    return command_state(given, now_unix_s)


def ask_slots(tx: Tx, path: MeterPath, body: SlotsToAsk) -> AskedSlots:
    """Have half-hours sent again that the meter still holds, whether they were acknowledged or not (SEMANTICS F3)."""
    first_slot = slot_of(unix_s_of(body.since, "/since") + 1799)
    slots = slot_of(unix_s_of(body.until, "/until") + 1799) - first_slot
    log_generation = slot_requests.ask(tx, bytes.fromhex(path.meter_id), first_slot, slots)
    until = instant(slot_start(first_slot + slots))
    return AskedSlots(path.meter_id, log_generation, instant(slot_start(first_slot)), until)


def _limits(body: CommandToGive) -> tuple[int, int]:
    """(argument, cap) as COMMAND carries them. Raises Refused for what an order needs, or does not take."""
    argument_name, cap_name = _FIELDS[body.order]
    for name in ("hold_s", "limit_l", "report_slots"):
        given = getattr(body, name)
        if (given is not None) != (name in (argument_name, cap_name)):
            raise Refused(Code.COMMAND, name, f"{body.order}, {name}: {'–' if given is None else given}")
    argument = 0 if argument_name is None else getattr(body, argument_name)
    return argument, 0 if cap_name is None else getattr(body, cap_name)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/commands",
        give_command,
        "Order something of a meter",
        "Meters",
        OPERATE,
        writes=True,
        status=201,
        refusals=("meter_unknown", "meter_retired", "meter_spare", "command", "command_expiry", "commands_waiting"),
    ),
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/slot-requests",
        ask_slots,
        "Ask for half-hours again",
        "Meters",
        OPERATE,
        writes=True,
        status=201,
        refusals=("meter_unknown", "meter_retired", "meter_spare", "slots_asked"),
    ),
)
