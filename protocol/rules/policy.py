"""The policy pack: what a utility lets the valve do without credit, as data. Its record, limits and body.

What a policy means for the valve is decision.py. Two promises are kept here, by what can be written at all (SEMANTICS
E1): whatever relaxes the rule has an end and a litre cap, and losing the clock takes no money away.
"""

from collections import namedtuple

from protocol.errors import (
    RULE_CLOCK_CLOSES,
    RULE_NOT_ASCENDING,
    RULE_OUT_OF_RANGE,
    RULE_TOO_MANY,
    RULE_UNBOUNDED,
    RULE_UNKNOWN_FLAGS,
    RULE_UNKNOWN_FORMAT,
    RuleRefused,
)
from protocol.rules.pack_body import (
    BodyReader,
    common_unit,
    require_canonical,
    require_head,
    require_int,
    varint,
)
from protocol.wire.limits import SLOT_MAX, U16_MAX

# flags: below. emergency_mills: the balance may fall to minus this; the second value holds while the clock is unsure.
#
# Friendly hours. windows: ((weekday_mask, start_min, end_min), ...), bit 0 = Monday, the weekday on which the window
# starts; an end at or before the start is on the next day. holidays: local days, ascending; each is a window from its
# midnight to holiday_end_min of the day after. window_cap_l: litres one window may let through; until_slot: first slot
# without friendly hours; grace_s: how long a window's end waits; jitter_s: the meters' ends, and the midnights at which
# the lifeline opens a closed valve, are spread over this much more.
#
# vulnerable: open up to so many litres a local day, until the slot at which the home is to be reviewed.
# amnesty: open up to so many litres in all, until a slot. fire: the customer opens a closed valve for fire_s, once in
# fire_every_days, for fire_cap_l. pulse_l, pause_s: the lifeline flows so many litres, then rests.
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
        "holidays",
        "holiday_end_min",
        "vulnerable_until_slot",
        "vulnerable_l_per_day",
        "amnesty_until_slot",
        "amnesty_cap_l",
        "fire_s",
        "fire_every_days",
        "fire_cap_l",
        "pulse_l",
        "pause_s",
    ),
)

# Open with credit, closed without: what every other policy is a change of (`NEW._replace(...)`, on the host).
NEW = Policy(1, 0, 0, 0, 0, 0, (), 0, 0, 0, 0, (), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)

NEVER_CLOSE_LOCK = 1
WINDOW_NEEDS_CREDIT = 2
TAMPER_CLOSES = 4
BATTERY_OPENS = 8  # with neither of the two, a valve that is open stays open
BATTERY_CLOSES = 16
KNOWN_FLAGS = 31

MONEY_MILLS_MAX = 1099511627775  # 2^40 - 1
LITRES_MAX = 65535
AMNESTY_CAP_L_MAX = 16777215
WINDOWS_MAX = 4
HOLIDAYS_MAX = 16
HOLIDAY_MAX = SLOT_MAX // 48
WINDOW_STEP_MIN = 15
DELAY_S_MAX = 14400
FIRE_S_MAX = 86400
FIRE_EVERY_DAYS_MAX = 366
PAUSE_S_MAX = 86400
STEP_S = 60

_FORMAT = 1

# The low four bits of the first byte: the number of windows, and whether a byte of sections follows the flags.
_WINDOWS = 7
_MORE = 8
# The sections.
_HOLIDAYS = 1
_JITTER = 2  # alone: without friendly hours
_VULNERABLE = 4
_AMNESTY = 8
_FIRE = 16
_PULSES = 32
_SECTIONS = 63


def check(policy: Policy) -> Policy:
    """The policy itself, or RuleRefused with the field that is outside its limit."""
    require_int(policy.version, 1, U16_MAX, "version")
    require_int(policy.flags, 0, 255, "flags")
    if policy.flags & ~KNOWN_FLAGS:
        raise RuleRefused(RULE_UNKNOWN_FLAGS, "flags")
    if policy.flags & BATTERY_OPENS and policy.flags & BATTERY_CLOSES:
        raise RuleRefused(RULE_OUT_OF_RANGE, "flags")
    for field in ("emergency_mills", "emergency_unsure_mills", "low_credit_mills"):
        require_int(getattr(policy, field), 0, MONEY_MILLS_MAX, field)
    if policy.emergency_unsure_mills < policy.emergency_mills:
        raise RuleRefused(RULE_CLOCK_CLOSES, "emergency_unsure_mills")
    require_int(policy.lifeline_l_per_day, 0, LITRES_MAX, "lifeline_l_per_day")
    _check_windows(policy)
    _check_holidays(policy)
    _check_hours(policy)
    _check_group(policy, (("vulnerable_until_slot", SLOT_MAX), ("vulnerable_l_per_day", LITRES_MAX)))
    _check_group(policy, (("amnesty_until_slot", SLOT_MAX), ("amnesty_cap_l", AMNESTY_CAP_L_MAX)))
    _check_group(policy, (("fire_s", FIRE_S_MAX), ("fire_every_days", FIRE_EVERY_DAYS_MAX), ("fire_cap_l", LITRES_MAX)))
    _check_group(policy, (("pulse_l", policy.lifeline_l_per_day), ("pause_s", PAUSE_S_MAX)))
    for field in ("grace_s", "jitter_s", "fire_s", "pause_s"):
        _check_step(getattr(policy, field), STEP_S, field)
    return policy


def encode_body(policy: Policy) -> bytes:
    """The pack's body; refuses a policy outside its limits."""
    check(policy)
    return _encode(policy)


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
    sections = reader.byte("sections") if head & _MORE else 0
    if sections & ~_SECTIONS:
        raise RuleRefused(RULE_UNKNOWN_FLAGS, "sections")
    unit = reader.varint("unit")
    emergency_mills = unit * reader.varint("emergency_mills")
    emergency_unsure_mills = unit * reader.varint("emergency_unsure_mills")
    low_credit_mills = unit * reader.varint("low_credit_mills")
    lifeline_l_per_day = reader.varint("lifeline_l_per_day")
    windows = tuple([_read_window(reader) for _ in range(head & _WINDOWS)])
    holidays = _read_holidays(reader) if sections & _HOLIDAYS else ()
    holiday_end_min = WINDOW_STEP_MIN * reader.byte("holiday_end_min") if sections & _HOLIDAYS else 0
    window_cap_l = until_slot = grace_s = jitter_s = 0
    if windows or holidays:
        window_cap_l = reader.varint("window_cap_l")
        until_slot = reader.varint("until_slot")
        grace_s = STEP_S * reader.varint("grace_s")
    if windows or holidays or sections & _JITTER:
        jitter_s = STEP_S * reader.varint("jitter_s")
    policy = Policy(
        version,
        flags,
        emergency_mills,
        emergency_unsure_mills,
        lifeline_l_per_day,
        low_credit_mills,
        windows,
        window_cap_l,
        until_slot,
        grace_s,
        jitter_s,
        holidays,
        holiday_end_min,
        *_read_group(reader, sections & _VULNERABLE, (("vulnerable_until_slot", 1), ("vulnerable_l_per_day", 1))),
        *_read_group(reader, sections & _AMNESTY, (("amnesty_until_slot", 1), ("amnesty_cap_l", 1))),
        *_read_group(reader, sections & _FIRE, (("fire_s", STEP_S), ("fire_every_days", 1), ("fire_cap_l", 1))),
        *_read_group(reader, sections & _PULSES, (("pulse_l", 1), ("pause_s", STEP_S))),
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
            _check_step(require_int(minute, 0, 1439, field), WINDOW_STEP_MIN, field)


def _check_holidays(policy: Policy) -> None:
    if len(policy.holidays) > HOLIDAYS_MAX:
        raise RuleRefused(RULE_TOO_MANY, "holidays")
    before = -1
    for day in policy.holidays:
        if require_int(day, 0, HOLIDAY_MAX, "holidays") <= before:
            raise RuleRefused(RULE_NOT_ASCENDING, "holidays")
        before = day
    _check_step(require_int(policy.holiday_end_min, 0, 1439, "holiday_end_min"), WINDOW_STEP_MIN, "holiday_end_min")
    if policy.holiday_end_min and not policy.holidays:
        raise RuleRefused(RULE_OUT_OF_RANGE, "holiday_end_min")


def _check_hours(policy: Policy) -> None:
    """Friendly hours have an end and a cap; what only they use is absent without them."""
    require_int(policy.window_cap_l, 0, LITRES_MAX, "window_cap_l")
    require_int(policy.until_slot, 0, SLOT_MAX, "until_slot")
    require_int(policy.grace_s, 0, DELAY_S_MAX, "grace_s")
    require_int(policy.jitter_s, 0, DELAY_S_MAX, "jitter_s")
    field = "holidays" if policy.holidays and not policy.windows else "windows"
    if policy.windows or policy.holidays:
        if policy.window_cap_l == 0 or policy.until_slot == 0:
            raise RuleRefused(RULE_UNBOUNDED, field)
    elif policy.window_cap_l or policy.until_slot or policy.grace_s:
        raise RuleRefused(RULE_OUT_OF_RANGE, field)
    elif policy.jitter_s and not policy.lifeline_l_per_day:
        raise RuleRefused(RULE_OUT_OF_RANGE, "jitter_s")


def _check_group(policy: Policy, limits: "tuple[tuple[str, int], ...]") -> None:
    """All of these fields are zero, or none is: what relaxes has an end and a litre cap (E1)."""
    present = 0
    for field, high in limits:
        if require_int(getattr(policy, field), 0, high, field):
            present += 1
    if present not in (0, len(limits)):
        raise RuleRefused(RULE_UNBOUNDED, limits[0][0])


def _check_step(value: int, step: int, field: str) -> None:
    if value % step:
        raise RuleRefused(RULE_OUT_OF_RANGE, field)


def _sections(policy: Policy) -> int:
    sections = _HOLIDAYS if policy.holidays else 0
    if policy.jitter_s and not policy.windows and not policy.holidays:
        sections |= _JITTER
    sections |= _VULNERABLE if policy.vulnerable_until_slot else 0
    sections |= _AMNESTY if policy.amnesty_until_slot else 0
    sections |= _FIRE if policy.fire_s else 0
    return sections | (_PULSES if policy.pulse_l else 0)


def _encode(policy: Policy) -> bytes:
    amounts = [policy.emergency_mills, policy.emergency_unsure_mills, policy.low_credit_mills]
    unit = common_unit(amounts)
    sections = _sections(policy)
    head = _FORMAT << 4 | len(policy.windows)
    parts = [bytes([head | _MORE, policy.flags, sections]) if sections else bytes([head, policy.flags])]
    numbers = [unit]
    numbers.extend([amount // unit for amount in amounts])
    numbers.append(policy.lifeline_l_per_day)
    parts.extend([varint(number) for number in numbers])
    for weekday_mask, start_min, end_min in policy.windows:
        parts.append(bytes([weekday_mask, start_min // WINDOW_STEP_MIN, end_min // WINDOW_STEP_MIN]))
    if policy.holidays:
        parts.append(_holidays(policy.holidays) + bytes([policy.holiday_end_min // WINDOW_STEP_MIN]))
    numbers = []
    if policy.windows or policy.holidays:
        numbers.extend((policy.window_cap_l, policy.until_slot, policy.grace_s // STEP_S))
    if policy.windows or policy.holidays or policy.jitter_s:
        numbers.append(policy.jitter_s // STEP_S)
    if policy.vulnerable_until_slot:
        numbers.extend((policy.vulnerable_until_slot, policy.vulnerable_l_per_day))
    if policy.amnesty_until_slot:
        numbers.extend((policy.amnesty_until_slot, policy.amnesty_cap_l))
    if policy.fire_s:
        numbers.extend((policy.fire_s // STEP_S, policy.fire_every_days, policy.fire_cap_l))
    if policy.pulse_l:
        numbers.extend((policy.pulse_l, policy.pause_s // STEP_S))
    parts.extend([varint(number) for number in numbers])
    return b"".join(parts)


def _holidays(days: "tuple[int, ...]") -> bytes:
    """Their number, the first day, then the days skipped between one and the next: a feast of two days is 0."""
    parts = [varint(len(days)), varint(days[0])]
    for index in range(1, len(days)):
        parts.append(varint(days[index] - days[index - 1] - 1))
    return b"".join(parts)


def _read_holidays(reader: BodyReader) -> "tuple[int, ...]":
    count = reader.varint("holidays")
    if count > HOLIDAYS_MAX:
        raise RuleRefused(RULE_TOO_MANY, "holidays")
    days: "list[int]" = []
    for _ in range(count):
        skipped = reader.varint("holidays")
        days.append(days[-1] + 1 + skipped if days else skipped)
    return tuple(days)


def _read_window(reader: BodyReader) -> "tuple[int, int, int]":
    return (
        reader.byte("weekday_mask"),
        WINDOW_STEP_MIN * reader.byte("start_min"),
        WINDOW_STEP_MIN * reader.byte("end_min"),
    )


def _read_group(reader: BodyReader, present: int, fields: "tuple[tuple[str, int], ...]") -> "list[int]":
    """A section's numbers, in steps of so much each; zeros when the section is absent."""
    return [step * reader.varint(field) if present else 0 for field, step in fields]
