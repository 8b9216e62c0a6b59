"""What the steps of the opening and of the closing valve have in common: a whole stroke, timed by the meter."""

from __future__ import annotations

from typing import Any

from protocol.wire.messages import VALVE_CLOSED, VALVE_OPEN

from ..hands import Hands
from ..meter import ORDER_CLOSE, ORDER_OPEN
from ..outcome import FAILED, PASSED, Outcome
from ..refusals import Refusal

TRAVEL_MS_MAX = 20_000  # the meter itself gives up then


# The meter's own reasons to leave its valve alone: an unsure clock closes nothing, a policy may forbid closing.
NOT_BY_THE_METER = ("meter_clock_unsure", "meter_not_now")


def may_stay(outcome: Outcome | None) -> bool:
    """A valve that fails stays no valve; one that its meter may not move now is tested at another visit."""
    return outcome is not None and outcome.reason in NOT_BY_THE_METER


def stroke(hands: Hands, order: int) -> Outcome:
    """The whole stroke, or why the meter does not make it."""
    try:
        return _stroke(hands, order)
    except Refusal as refusal:
        if refusal.code not in NOT_BY_THE_METER:
            raise
        hands.voice.say("  " + refusal.sentence(hands.voice.lang))
        return Outcome(FAILED, {}, {"travel_ms_max": TRAVEL_MS_MAX}, refusal.code)


def _stroke(hands: Hands, order: int) -> Outcome:
    """Drive the valve from its other end to the one of `order`; from there first, so that it truly moves."""
    wanted, other_order = (VALVE_OPEN, ORDER_CLOSE) if order == ORDER_OPEN else (VALVE_CLOSED, ORDER_OPEN)
    other = VALVE_CLOSED if wanted == VALVE_OPEN else VALVE_OPEN
    before = hands.meter.at_rest()
    if before["valve"] == wanted:
        hands.say("there_first")
        at_first, before = before, hands.meter.drive(other_order)
        if before["valve"] != other:
            return _judged(hands, at_first, before, is_there=False)
    hands.say("moving")
    after = hands.meter.drive(order)
    return _judged(hands, before, after, is_there=after["valve"] == wanted)


def _judged(hands: Hands, before: dict[str, Any], after: dict[str, Any], is_there: bool) -> Outcome:
    travel_ms = int(after["motor_ms"]) - int(before["motor_ms"])
    values, limits = {"travel_ms": travel_ms}, {"travel_ms_max": TRAVEL_MS_MAX}
    reason = "not_there" if not is_there else "travel" if not 0 < travel_ms <= TRAVEL_MS_MAX else ""
    if reason:
        hands.say(reason)
        return Outcome(FAILED, values, limits, reason)
    hands.say("took", travel_ms=travel_ms)
    return Outcome(PASSED, values, limits)


def stands_open(hands: Hands, _outcome: Outcome) -> bool:
    return bool(hands.meter.read()["valve"] == VALVE_OPEN)


def stands_closed(hands: Hands, _outcome: Outcome) -> bool:
    return bool(hands.meter.read()["valve"] == VALVE_CLOSED)
