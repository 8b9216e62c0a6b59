"""What holds for any policy in any situation (SEMANTICS E1, A1): the lock, the ends, the caps, and an unsure clock."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from protocol.rules import reason_codes as why
from protocol.rules.allowance import fire, renew
from protocol.rules.calendar import Offsets, local_second
from protocol.rules.decision import Order, Situation, decide
from protocol.rules.policy import NEVER_CLOSE_LOCK, Policy, decode_body, encode_body
from protocol.rules.reasons import LANGUAGES, sentence
from protocol.wire.limits import BODY_MAX
from tests.rules.any_policy import LITRES, MILLS, MINUTES, MOMENTS, MONDAY_S, SITUATIONS, policies
from tests.rules.homes import Home

MONEY = (why.CREDIT, why.EMERGENCY, why.INSTALLATION, why.NEVER_CLOSE)
HOURS = (why.HOLIDAY, why.FRIENDLY_HOURS, why.FRIENDLY_ENDING)
GIVEN_FOR_A_TIME = (*HOURS, why.VULNERABLE, why.AMNESTY, why.FIRE, why.ORDERED_OPEN)


def renewed(policy: Policy, situation: Situation) -> Situation:
    now = situation
    allowance = renew(now.allowance, policy, now.unix_s, now.clock_sure, now.offsets, now.balance_mills)
    return now._replace(allowance=allowance)


@given(policies(), SITUATIONS)
def test_e1_h06_a_valve_locked_open_never_closes(policy: Policy, situation: Situation) -> None:
    locked = policy._replace(flags=policy.flags | NEVER_CLOSE_LOCK)
    assert decide(locked, renewed(locked, situation)).open


@given(policies(), SITUATIONS)
def test_a_decision_never_ends_in_the_past_and_can_be_said(policy: Policy, situation: Situation) -> None:
    decision = decide(policy, renewed(policy, situation))
    assert decision.until_unix_s == 0 or decision.until_unix_s > situation.unix_s
    assert all(sentence(decision.reason, language) for language in LANGUAGES)
    assert decision.open == (decision.reason in why.OPEN_REASONS)


@given(policies(), SITUATIONS)
def test_e1_what_is_given_without_money_has_an_end(policy: Policy, situation: Situation) -> None:
    decision = decide(policy, renewed(policy, situation))
    if decision.reason in GIVEN_FOR_A_TIME:
        assert decision.until_unix_s > situation.unix_s


@given(policies(), SITUATIONS)
def test_e1_an_unsure_clock_closes_nothing_but_friendly_hours(policy: Policy, situation: Situation) -> None:
    """What money keeps open stays so at the least: CREDIT, EMERGENCY, INSTALLATION, and the lock."""
    sure, unsure = (
        decide(policy, renewed(policy, situation._replace(clock_sure=is_sure))) for is_sure in (True, False)
    )
    if sure.reason in MONEY or (sure.open and sure.reason not in HOURS):
        assert unsure.open


@given(policies(), SITUATIONS, st.integers(0, 5_000))
def test_more_money_never_closes(policy: Policy, situation: Situation, more: int) -> None:
    less = decide(policy, renewed(policy, situation))
    richer = decide(policy, renewed(policy, situation._replace(balance_mills=situation.balance_mills + more)))
    assert richer.open or not less.open


@given(policies())
def test_every_policy_within_the_limits_is_the_same_after_its_journey(policy: Policy) -> None:
    body = encode_body(policy)
    assert len(body) <= BODY_MAX
    assert decode_body(policy.version, 0, body) == policy


@given(policies(), SITUATIONS, MOMENTS)
def test_h08_one_fire_is_followed_by_none_for_its_days(policy: Policy, situation: Situation, later_s: int) -> None:
    first = fire(situation.allowance, policy, situation.unix_s)
    if first == situation.allowance:
        return
    assert (first.fire_s, first.fire_l) == (situation.unix_s, 0)
    again = fire(first, policy, later_s)
    assert (again == first) == (abs(later_s - situation.unix_s) < 86_400 * policy.fire_every_days)


LIFE = st.lists(
    st.tuples(
        MINUTES | st.integers(0, 90_000),  # seconds later
        MILLS.filter(lambda mills: mills <= 500),
        st.integers(0, 30),  # litres that are wanted
        st.booleans(),  # the customer presses
        st.sampled_from((None, None, None, 3_600)),  # a new order to open, for so long
    ),
    min_size=5,
    max_size=20,
)


@given(policies(), st.integers(-48, 56), LIFE, LITRES)
def test_e1_every_relaxation_stays_within_its_litres(
    policy: Policy, quarters: int, life: list[tuple[int, int, int, bool, int | None]], order_l: int
) -> None:
    """Litre by litre through a home's life: none flows beyond its cap, and each pulse of a lifeline rests."""
    offsets = Offsets(15 * quarters, ())
    home = Home(policy, 0, offsets)
    now_s, order_number = MONDAY_S, 0
    drawn: Counter[tuple[object, ...]] = Counter()
    pulse_l, rest_from_s = 0, -1_000_000
    for later_s, balance_mills, wanted_l, presses, order_s in life:
        now_s += later_s
        if order_s is not None:
            home.order, order_number = Order(True, now_s + order_s, order_l), order_number + 1
        decision = home.at_unix(now_s, balance_mills)
        if presses and home.reason in why.FIRE_OPENS:
            home.allowance = fire(home.allowance, policy, now_s)
            decision = home.at_unix(now_s)
        today = local_second(now_s, offsets) // 86_400
        for _ in range(wanted_l):
            if not decision.open:
                break
            if decision.reason == why.LIFELINE and policy.pulse_l:
                if pulse_l == policy.pulse_l:
                    assert now_s - rest_from_s >= policy.pause_s
                    pulse_l = 0
                pulse_l, rest_from_s = pulse_l + 1, now_s
            remembered = home.allowance
            drawn[why.LIFELINE, today] += decision.reason == why.LIFELINE
            drawn[why.VULNERABLE, today] += decision.reason == why.VULNERABLE
            drawn[why.AMNESTY,] += decision.reason == why.AMNESTY
            drawn[why.FIRE, remembered.fire_s] += decision.reason == why.FIRE
            drawn[why.ORDERED_OPEN, order_number] += decision.reason == why.ORDERED_OPEN
            drawn[why.HOLIDAY, remembered.window_s] += decision.reason in HOURS
            home.draw(1)
            decision = home.at_unix(now_s)
    caps = {
        why.LIFELINE: policy.lifeline_l_per_day,
        why.VULNERABLE: policy.vulnerable_l_per_day,
        why.AMNESTY: policy.amnesty_cap_l,
        why.FIRE: policy.fire_cap_l,
        why.ORDERED_OPEN: order_l,
        why.HOLIDAY: policy.window_cap_l,
    }
    for (reason, *_), litres in drawn.items():
        assert litres <= caps[reason], reason
