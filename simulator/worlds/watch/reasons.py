"""Whether the reason that a meter gives for its valve holds by what is known outside of its decision (I11, E1).

A valve may be shut because money or time is used up, because of an order, of tampering or of the battery; never because
nobody was heard, a clock was lost or a flash failed. It may be open without credit only by what its policy names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocol.rules import reason_codes as codes
from protocol.rules.policy import BATTERY_CLOSES, BATTERY_OPENS, NEVER_CLOSE_LOCK, TAMPER_CLOSES

if TYPE_CHECKING:
    from ..home import WorldHome

_CLOSED = 1
_ORDER_NONE, _ORDER_CLOSED = 0, 2
_FOR_WANT = (
    codes.NO_CREDIT,
    codes.LIFELINE_USED,
    codes.FRIENDLY_USED,
    codes.UNSURE_LIMIT,
    codes.LIFELINE_PAUSE,
    codes.REOPENING,
)
_GIVEN_BY = {
    codes.FRIENDLY_HOURS: ("windows", "holidays"),
    codes.FRIENDLY_ENDING: ("windows", "holidays"),
    codes.HOLIDAY: ("holidays",),
    codes.LIFELINE: ("lifeline_l_per_day",),
    codes.VULNERABLE: ("vulnerable_l_per_day",),
    codes.FIRE: ("fire_cap_l",),
    codes.AMNESTY: ("amnesty_cap_l",),
    codes.LIFELINE_PAUSE: ("pulse_l",),
    codes.REOPENING: ("lifeline_l_per_day",),
    codes.LIFELINE_USED: ("lifeline_l_per_day", "vulnerable_l_per_day"),
    codes.FRIENDLY_USED: ("windows", "holidays"),
}


def unjustified(home: WorldHome, balance_mills: int) -> str:
    """What does not hold of the valve's state, or nothing."""
    state, meter = home.state, home.meter.application
    assert meter is not None
    rules, reason = meter.rules(), state.valve_reason
    if not reason or state.final_move:
        return ""  # nothing was decided yet, or the last reserve of the battery lets nothing be decided any more
    if (state.valve_intent == _CLOSED) != (reason > codes.OPEN_MAX):
        return f"its reason is number {reason}"
    if reason in _GIVEN_BY and not any(getattr(rules, name) for name in _GIVEN_BY[reason]):
        return f"reason {reason} is not in its policy"
    limit_mills = rules.emergency_mills if state.sure else rules.emergency_unsure_mills
    if reason > codes.OPEN_MAX:
        return _shut(home, state, rules, reason, balance_mills + limit_mills)
    return _open(home, state, rules, reason, balance_mills, limit_mills)


def _shut(home: WorldHome, state: Any, rules: Any, reason: int, left_mills: int) -> str:
    if rules.flags & NEVER_CLOSE_LOCK:
        return "its policy never closes"
    if reason in _FOR_WANT:
        if left_mills > 0:
            return f"{left_mills} mills are left"
        return "its clock is sure" if reason == codes.UNSURE_LIMIT and state.sure else ""
    if reason == codes.ORDERED_CLOSED:
        return "" if state.order == _ORDER_CLOSED and state.sure else "no order closes it"
    if reason == codes.TAMPER_CLOSED:
        return "" if rules.flags & TAMPER_CLOSES and home.case_open else "nobody tampered with it"
    assert reason == codes.BATTERY_CLOSED
    return "" if rules.flags & BATTERY_CLOSES else "its policy lets no battery close it"


def _open(home: WorldHome, state: Any, rules: Any, reason: int, balance_mills: int, limit_mills: int) -> str:
    if reason == codes.CREDIT:
        return "" if state.opened and balance_mills > 0 else f"its balance is {balance_mills}"
    if reason in (codes.EMERGENCY, codes.INSTALLATION):
        if bool(state.opened) != (reason == codes.EMERGENCY):
            return "its wallet says otherwise"
        return "" if balance_mills > -limit_mills else f"its balance is {balance_mills}, its limit {limit_mills}"
    if reason == codes.ORDERED_OPEN:
        return "" if state.order != _ORDER_NONE and state.order != _ORDER_CLOSED else "no order opens it"
    if reason == codes.NEVER_CLOSE:
        return "" if rules.flags & NEVER_CLOSE_LOCK else "its policy may close"
    if reason == codes.BATTERY_KEPT:
        return "" if home.battery_mv < 3000 or rules.flags & BATTERY_OPENS else "its battery is good"
    return ""
