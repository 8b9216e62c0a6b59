"""The debt plan: a cumulative ceiling collected in daily instalments out of a positive balance (SEMANTICS B7).

R, the counter of what was collected, is the meter's; the plan names how far R may rise and by how much a local day.
An instalment is whole or not at all, so that R follows from the plan and the number of instalments made. A day without
enough balance collects nothing and is not made up later: the debt does not grow by waiting, and a top-up after a dry
week buys water, not a week of instalments at once.
"""

from collections import namedtuple

from protocol.errors import RULE_UNKNOWN_FLAGS, RULE_UNKNOWN_FORMAT, RuleRefused
from protocol.rules.pack_body import BodyReader, require_canonical, require_head, require_int, varint
from protocol.wire.limits import MILLS_MAX, SLOT_MAX, U16_MAX

# ceiling_mills: R never passes it; amount_mills: one local day's instalment; start_day: first local day that collects.
Plan = namedtuple("Plan", ("version", "ceiling_mills", "amount_mills", "start_day"))

# collected_mills is the counter R; count the instalments made so far; day the last local day that was decided.
DebtState = namedtuple("DebtState", ("collected_mills", "count", "day"))

NEW = DebtState(0, 0, -1)

AMOUNT_MAX = 1099511627775  # 2^40 - 1
START_DAY_MAX = SLOT_MAX // 48

_FORMAT = 1


def instalment(plan: Plan, collected_mills: int, balance_mills: int, day: int) -> int:
    """The mills to collect on a local day, 0 when none is due.

    A plan of 2,500 in instalments of 1,000 collects 1,000, 1,000, 500 and stops (CT-12). The balance is the one after
    the day's standing charge; it must cover the instalment whole.
    """
    due_mills: int = min(plan.amount_mills, plan.ceiling_mills - collected_mills)
    if due_mills <= 0 or day < plan.start_day or balance_mills < due_mills:
        return 0
    return due_mills


def collect(plan: Plan, state: DebtState, balance_mills: int, day: int) -> DebtState:
    """Decide a local day once: at most one instalment, and never again for this day or an earlier one."""
    if day <= state.day:
        return state
    due_mills = instalment(plan, state.collected_mills, balance_mills, day)
    if due_mills == 0:
        return DebtState(state.collected_mills, state.count, day)
    return DebtState(state.collected_mills + due_mills, state.count + 1, day)


def check(plan: Plan) -> Plan:
    """The plan itself, or RuleRefused with the field that is outside its limit."""
    require_int(plan.version, 1, U16_MAX, "version")
    require_int(plan.ceiling_mills, 0, MILLS_MAX, "ceiling_mills")
    require_int(plan.amount_mills, 0, AMOUNT_MAX, "amount_mills")
    require_int(plan.start_day, 0, START_DAY_MAX, "start_day")
    return plan


def encode_body(plan: Plan) -> bytes:
    """0x10 (format 1) | flags 0 | ceiling, amount and start day as varints: 19 bytes at most, always one frame."""
    check(plan)
    return bytes([_FORMAT << 4, 0]) + varint(plan.ceiling_mills) + varint(plan.amount_mills) + varint(plan.start_day)


def decode_body(version: int, from_slot: int, body: bytes) -> Plan:
    """The plan a pack says; RuleRefused when any limit fails or the body is not canonical.

    from_slot is the pack's, checked here but not part of the plan: `start_day` says from when it collects.
    """
    require_head(version, from_slot)
    reader = BodyReader(body)
    if reader.byte("format") != _FORMAT << 4:
        raise RuleRefused(RULE_UNKNOWN_FORMAT, "format")
    if reader.byte("flags"):
        raise RuleRefused(RULE_UNKNOWN_FLAGS, "flags")
    plan = Plan(version, reader.varint("ceiling_mills"), reader.varint("amount_mills"), reader.varint("start_day"))
    require_canonical(body, encode_body(plan))
    return plan
