"""Any policy within the limits, and any situation: small caps and near ends, so that each is reached."""

from typing import Any

from hypothesis import strategies as st

from protocol.rules.allowance import DRY, IN_CREDIT, WITHIN_LIMIT, Allowance
from protocol.rules.calendar import Offsets, slot_of
from protocol.rules.decision import Order, Situation
from protocol.rules.policy import BATTERY_CLOSES, BATTERY_OPENS, NEW, Policy, check
from tests.rules.homes import unix_s

MONDAY_S = unix_s("2026-11-02T00:00", Offsets(0, ()))
MONDAY = MONDAY_S // 86_400 - 18_262
LITRES = st.integers(1, 40)
SLOTS = st.integers(slot_of(MONDAY_S) - 48, slot_of(MONDAY_S) + 10 * 48)
MINUTES = st.integers(1, 240).map(lambda minutes: 60 * minutes)
MILLS = st.integers(-3_000, 3_000)


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    fields: dict[str, Any] = {
        "flags": draw(st.integers(0, 31).filter(lambda flags: flags & 24 != BATTERY_OPENS | BATTERY_CLOSES)),
        "emergency_mills": draw(st.integers(0, 1_000)),
        "emergency_unsure_mills": draw(st.integers(1_000, 2_000)),
        "lifeline_l_per_day": draw(st.just(0) | LITRES),
    }
    quarters = st.integers(0, 95).map(lambda quarter: 15 * quarter)
    windows = draw(st.lists(st.tuples(st.integers(1, 127), quarters, quarters), max_size=4))
    holidays = draw(st.lists(st.integers(MONDAY - 1, MONDAY + 9), max_size=4, unique=True))
    fields |= {"windows": tuple(windows), "holidays": tuple(sorted(holidays))}
    if holidays:
        fields["holiday_end_min"] = draw(quarters)
    if windows or holidays:
        fields |= {"window_cap_l": draw(LITRES), "until_slot": draw(SLOTS), "grace_s": draw(MINUTES)}
    if windows or holidays or fields["lifeline_l_per_day"]:
        fields["jitter_s"] = draw(st.just(0) | MINUTES)
    if fields["lifeline_l_per_day"] and draw(st.booleans()):
        fields |= {"pulse_l": draw(st.integers(1, fields["lifeline_l_per_day"])), "pause_s": draw(MINUTES)}
    if draw(st.booleans()):
        fields |= {"vulnerable_until_slot": draw(SLOTS), "vulnerable_l_per_day": draw(LITRES)}
    if draw(st.booleans()):
        fields |= {"amnesty_until_slot": draw(SLOTS), "amnesty_cap_l": draw(LITRES)}
    if draw(st.booleans()):
        fields |= {"fire_s": draw(MINUTES), "fire_every_days": draw(st.integers(1, 4)), "fire_cap_l": draw(LITRES)}
    return check(NEW._replace(**fields))


MOMENTS = st.integers(MONDAY_S, MONDAY_S + 9 * 86_400)
ORDERS = st.builds(Order, st.booleans(), MOMENTS, st.integers(0, 40))
CHANGES = st.lists(
    st.tuples(SLOTS, st.integers(-48, 56).map(lambda quarters: 15 * quarters)), max_size=3, unique_by=lambda one: one[0]
)
OFFSETS = st.builds(
    lambda quarters, changes: Offsets(15 * quarters, tuple(sorted(changes))), st.integers(-48, 56), CHANGES
)
ALLOWANCES = st.builds(
    Allowance,
    day=st.integers(MONDAY - 1, MONDAY + 9),
    lifeline_l=st.integers(0, 45),
    window_s=st.integers(-1, 9 * 48).map(lambda half: MONDAY * 86_400 + 1_800 * half),
    window_l=st.integers(0, 45),
    window_earned=st.sampled_from((DRY, WITHIN_LIMIT, IN_CREDIT)),
    vulnerable_l=st.integers(0, 45),
    amnesty_until=SLOTS,
    amnesty_l=st.integers(0, 45),
    fire_s=st.just(-1) | MOMENTS,
    fire_l=st.integers(0, 45),
    pulse_l=st.integers(0, 45),
    pause_until_s=st.just(0) | MOMENTS,
)
SITUATIONS = st.builds(
    Situation,
    unix_s=MOMENTS,
    clock_sure=st.booleans(),
    offsets=OFFSETS,
    balance_mills=MILLS,
    wallet_opened=st.booleans(),
    allowance=ALLOWANCES,
    jitter16=st.integers(0, 65_535),
    valve_open=st.booleans(),
    tampered=st.booleans(),
    battery_critical=st.booleans(),
    order=st.none() | ORDERS,
)
