"""The valve policy: a pure decision from data, with a reason that can be shown to the customer.

Owns the policy pack (record, limits, body) and `decide`. The precedence is the table RULES, first match wins; it is
explained in protocol/rules/README.md. Three promises hold whatever the data says: silence of the headend closes
nothing, an unsure clock closes nothing by itself (it only suspends friendly hours; E1), and friendly hours always
have an end slot and a litre cap. Rating never looks here: litres that a policy lets through are priced like any
others (B1).
"""

from collections import namedtuple

from protocol.compat import TYPE_CHECKING, sha256
from protocol.errors import (
    RULE_CLOCK_CLOSES,
    RULE_OUT_OF_RANGE,
    RULE_TOO_MANY,
    RULE_UNBOUNDED,
    RULE_UNKNOWN_FLAGS,
    RULE_UNKNOWN_FORMAT,
    RuleRefused,
)
from protocol.rules import reason_codes
from protocol.rules.allowance import IN_CREDIT, WITHIN_LIMIT
from protocol.rules.calendar import SECONDS_PER_DAY, local_second, slot_start
from protocol.rules.pack_body import (
    BodyReader,
    common_unit,
    require_canonical,
    require_head,
    require_int,
    require_room,
    varint,
)
from protocol.rules.windows import chained_end, latest
from protocol.wire.limits import SLOT_MAX, U16_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

# flags: NEVER_CLOSE_LOCK, WINDOW_NEEDS_CREDIT. emergency_mills: the balance may fall to minus this; the second value
# holds while the clock is unsure. windows: ((weekday_mask, start_min, end_min), ...), bit 0 = Monday, the weekday on
# which the window starts; an end at or before the start is on the next day. window_cap_l: litres one window may let
# through; until_slot: first slot without friendly hours; grace_s: how long a window's end waits; jitter_s: the meters'
# ends are spread over this much more.
Policy = namedtuple(
    "Policy",
    (
        "version",
        "flags",
        "emergency_mills",
        "emergency_unsure_mills",
        "lifeline_l_per_day",
        "low_credit_mills",
        "windows",
        "window_cap_l",
        "until_slot",
        "grace_s",
        "jitter_s",
    ),
)

# unix_s: now; clock_sure: false after a cold start or a jump (C2); offsets: the active tariff pack's; wallet_opened:
# false until the first OPENING (A4); allowance: as `allowance.renew` returned it for this moment; jitter16: this
# meter's share 0..65535 of the jitter (`jitter_share`).
Situation = namedtuple(
    "Situation", ("unix_s", "clock_sure", "offsets", "balance_mills", "wallet_opened", "allowance", "jitter16")
)

# open: what the valve shall be; reason: a number of reason_codes.py; low_credit: warn the customer; until_unix_s: when
# this reason ends by itself at the latest, 0 where no time ends it.
Decision = namedtuple("Decision", ("open", "reason", "low_credit", "until_unix_s"))

# A friendly window that protects this home, in local seconds: end_s is the window's own end, last_s the end of the
# whole stretch with grace and this meter's jitter.
Hold = namedtuple("Hold", ("now_s", "end_s", "last_s", "litres_left"))

NEVER_CLOSE_LOCK = 1
WINDOW_NEEDS_CREDIT = 2
KNOWN_FLAGS = 3

MONEY_MILLS_MAX = 1099511627775  # 2^40 - 1
LIFELINE_L_MAX = 65535
WINDOW_CAP_L_MAX = 65535
WINDOWS_MAX = 4
WINDOW_STEP_MIN = 15
DELAY_S_MAX = 14400
DELAY_STEP_S = 60

_FORMAT = 1


def decide(policy: Policy, situation: Situation) -> Decision:
    """The first rule of RULES that holds. With a limit of 500 mills, -499 is open (EMERGENCY) and -500 is closed."""
    hold = _hold(policy, situation)
    is_open, code = _first_rule(policy, situation, hold)
    low_credit = situation.balance_mills <= policy.low_credit_mills
    return Decision(is_open, code, low_credit, _until_unix_s(situation, hold, code))


def jitter_share(meter_id: bytes) -> int:
    """A meter's fixed share 0..65535 of the jitter, spread evenly whatever the ids look like."""
    digest = sha256(meter_id)
    return digest[0] << 8 | digest[1]


def _in_credit(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    return bool(situation.wallet_opened and situation.balance_mills > 0)


def _locked_open(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    return bool(policy.flags & NEVER_CLOSE_LOCK)


def _within_limit(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    limit_mills = policy.emergency_mills if situation.clock_sure else policy.emergency_unsure_mills
    return bool(situation.balance_mills > -limit_mills)


def _in_installation(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    return not situation.wallet_opened and _within_limit(policy, situation, hold)


def _in_friendly_hours(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    return hold is not None and bool(hold.litres_left > 0 and hold.now_s < hold.end_s)


def _in_friendly_ending(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    return hold is not None and bool(hold.litres_left > 0)


def _has_lifeline(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    return bool(situation.allowance.lifeline_l < policy.lifeline_l_per_day)


def _clock_unsure(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    return not situation.clock_sure


def _friendly_used(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    return hold is not None


def _lifeline_used(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    return bool(policy.lifeline_l_per_day > 0)


def _always(policy: Policy, situation: Situation, hold: "Hold | None") -> bool:
    return True


# The precedence, written once: the first rule that holds decides. Everything that opens stands above everything that
# closes, so no closing rule can overrule an opening one.
RULES: "tuple[tuple[Callable[[Policy, Situation, Hold | None], bool], bool, int], ...]" = (
    (_in_credit, True, reason_codes.CREDIT),
    (_locked_open, True, reason_codes.NEVER_CLOSE),
    (_in_installation, True, reason_codes.INSTALLATION),
    (_within_limit, True, reason_codes.EMERGENCY),
    (_in_friendly_hours, True, reason_codes.FRIENDLY_HOURS),
    (_in_friendly_ending, True, reason_codes.FRIENDLY_ENDING),
    (_has_lifeline, True, reason_codes.LIFELINE),
    (_clock_unsure, False, reason_codes.UNSURE_LIMIT),
    (_friendly_used, False, reason_codes.FRIENDLY_USED),
    (_lifeline_used, False, reason_codes.LIFELINE_USED),
    (_always, False, reason_codes.NO_CREDIT),
)


def _first_rule(policy: Policy, situation: Situation, hold: "Hold | None") -> "tuple[bool, int]":
    for holds, is_open, code in RULES:
        if holds(policy, situation, hold):
            return is_open, code
    raise AssertionError("the last rule always holds")


def _hold(policy: Policy, situation: Situation) -> "Hold | None":
    """The friendly window that protects this home now, from its begin to the end of grace and jitter, or None.

    None under an unsure clock (E1), after until_slot, and for a home that was dry when the window began (H02).
    """
    if not situation.clock_sure:
        return None
    offsets = situation.offsets
    now_s = local_second(situation.unix_s, offsets)
    window = latest(policy.windows, now_s)
    if window is None or window.begin_s != situation.allowance.window_s:
        return None
    needed = IN_CREDIT if policy.flags & WINDOW_NEEDS_CREDIT else WITHIN_LIMIT
    if situation.allowance.window_earned < needed:
        return None
    until_s = local_second(slot_start(policy.until_slot), offsets)
    delay_s = policy.grace_s + (policy.jitter_s * situation.jitter16 >> 16)
    end_s = min(window.end_s, until_s)
    if window.begin_s >= until_s or now_s >= end_s + delay_s:
        return None
    last_s = min(chained_end(policy.windows, end_s), until_s) + delay_s
    return Hold(now_s, end_s, last_s, policy.window_cap_l - situation.allowance.window_l)


def _until_unix_s(situation: Situation, hold: "Hold | None", code: int) -> int:
    now_unix_s: int = situation.unix_s
    if hold is not None and code in (reason_codes.FRIENDLY_HOURS, reason_codes.FRIENDLY_ENDING):
        return now_unix_s + int(hold.last_s - hold.now_s)
    if code == reason_codes.LIFELINE_USED:
        return now_unix_s + SECONDS_PER_DAY - local_second(now_unix_s, situation.offsets) % SECONDS_PER_DAY
    return 0


def check(policy: Policy) -> Policy:
    """The policy itself, or RuleRefused with the field that is outside its limit."""
    require_int(policy.version, 1, U16_MAX, "version")
    require_int(policy.flags, 0, 255, "flags")
    if policy.flags & ~KNOWN_FLAGS:
        raise RuleRefused(RULE_UNKNOWN_FLAGS, "flags")
    for field in ("emergency_mills", "emergency_unsure_mills", "low_credit_mills"):
        require_int(getattr(policy, field), 0, MONEY_MILLS_MAX, field)
    if policy.emergency_unsure_mills < policy.emergency_mills:
        raise RuleRefused(RULE_CLOCK_CLOSES, "emergency_unsure_mills")
    require_int(policy.lifeline_l_per_day, 0, LIFELINE_L_MAX, "lifeline_l_per_day")
    _check_windows(policy)
    return policy


def encode_body(policy: Policy) -> bytes:
    """The pack's body; refuses a policy outside its limits and one that does not fit a POLICY frame."""
    check(policy)
    return require_room(_encode(policy))


def decode_body(version: int, from_slot: int, body: bytes) -> Policy:
    """The policy a pack says; RuleRefused when any limit fails or the body is not canonical.

    from_slot is the pack's, checked here but not part of the policy: who holds the pack knows when it acts.
    """
    require_head(version, from_slot)
    reader = BodyReader(body)
    head = reader.byte("format")
    if head >> 4 != _FORMAT:
        raise RuleRefused(RULE_UNKNOWN_FORMAT, "format")
    flags = reader.byte("flags")
    unit = reader.varint("unit")
    emergency_mills = unit * reader.varint("emergency_mills")
    emergency_unsure_mills = unit * reader.varint("emergency_unsure_mills")
    low_credit_mills = unit * reader.varint("low_credit_mills")
    lifeline_l_per_day = reader.varint("lifeline_l_per_day")
    windows = tuple([_read_window(reader) for _ in range(head & 15)])
    bounds = _read_bounds(reader) if windows else (0, 0, 0, 0)
    policy = Policy(
        version, flags, emergency_mills, emergency_unsure_mills, lifeline_l_per_day, low_credit_mills, windows, *bounds
    )
    check(policy)
    require_canonical(body, _encode(policy))
    return policy


def _check_windows(policy: Policy) -> None:
    if len(policy.windows) > WINDOWS_MAX:
        raise RuleRefused(RULE_TOO_MANY, "windows")
    for weekday_mask, start_min, end_min in policy.windows:
        require_int(weekday_mask, 1, 127, "weekday_mask")
        for minute, field in ((start_min, "start_min"), (end_min, "end_min")):
            require_int(minute, 0, 1439, field)
            if minute % WINDOW_STEP_MIN:
                raise RuleRefused(RULE_OUT_OF_RANGE, field)
    require_int(policy.window_cap_l, 0, WINDOW_CAP_L_MAX, "window_cap_l")
    require_int(policy.until_slot, 0, SLOT_MAX, "until_slot")
    for delay_s, field in ((policy.grace_s, "grace_s"), (policy.jitter_s, "jitter_s")):
        require_int(delay_s, 0, DELAY_S_MAX, field)
        if delay_s % DELAY_STEP_S:
            raise RuleRefused(RULE_OUT_OF_RANGE, field)
    if policy.windows and (policy.window_cap_l == 0 or policy.until_slot == 0):
        raise RuleRefused(RULE_UNBOUNDED, "windows")
    if not policy.windows and (policy.window_cap_l or policy.until_slot or policy.grace_s or policy.jitter_s):
        raise RuleRefused(RULE_OUT_OF_RANGE, "windows")


def _encode(policy: Policy) -> bytes:
    amounts = [policy.emergency_mills, policy.emergency_unsure_mills, policy.low_credit_mills]
    unit = common_unit(amounts)
    parts = [bytes([_FORMAT << 4 | len(policy.windows), policy.flags]), varint(unit)]
    parts.extend([varint(amount // unit) for amount in amounts])
    parts.append(varint(policy.lifeline_l_per_day))
    for weekday_mask, start_min, end_min in policy.windows:
        parts.append(bytes([weekday_mask, start_min // WINDOW_STEP_MIN, end_min // WINDOW_STEP_MIN]))
    if policy.windows:
        parts.append(varint(policy.window_cap_l) + varint(policy.until_slot))
        parts.append(varint(policy.grace_s // DELAY_STEP_S) + varint(policy.jitter_s // DELAY_STEP_S))
    return b"".join(parts)


def _read_window(reader: BodyReader) -> tuple[int, int, int]:
    weekday_mask = reader.byte("weekday_mask")
    start_min = WINDOW_STEP_MIN * reader.byte("start_min")
    return weekday_mask, start_min, WINDOW_STEP_MIN * reader.byte("end_min")


def _read_bounds(reader: BodyReader) -> tuple[int, int, int, int]:
    window_cap_l = reader.varint("window_cap_l")
    until_slot = reader.varint("until_slot")
    grace_s = DELAY_STEP_S * reader.varint("grace_s")
    return window_cap_l, until_slot, grace_s, DELAY_STEP_S * reader.varint("jitter_s")
