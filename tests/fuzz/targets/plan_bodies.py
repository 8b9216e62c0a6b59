"""Bodies of PLAN packs: one meaning has one body; no plan collects beyond its ceiling or the balance (SEMANTICS B7)."""

from protocol.errors import RuleRefused
from protocol.rules import debt
from protocol.rules.debt import DebtState, Plan


def seeds() -> list[bytes]:
    made = (Plan(1, 2_500, 1_000, 0), Plan(1, 0, 0, 0), Plan(1, 2**53 - 1, debt.AMOUNT_MAX, debt.START_DAY_MAX))
    return [bytes(4) + debt.encode_body(one) for one in made]


def one(data: bytes) -> None:
    version, from_slot, body = 1 + sum(data[:1]), int.from_bytes(data[1:4], "big"), data[4:]
    try:
        plan = debt.decode_body(version, from_slot, body)
    except RuleRefused:
        return
    assert debt.encode_body(plan) == body
    state = DebtState(0, 0, plan.start_day - 1)
    for day, balance in ((plan.start_day, plan.amount_mills), (plan.start_day + 1, 2**53), (plan.start_day + 1, 2**53)):
        after = debt.collect(plan, state, balance, day)
        assert 0 <= after.collected_mills - state.collected_mills <= min(balance, plan.amount_mills)
        assert after.collected_mills <= plan.ceiling_mills and after.day >= state.day
        state = after
