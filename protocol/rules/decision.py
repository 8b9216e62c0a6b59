"""The valve's one decision: open or closed, from data, with a reason that can be shown to the customer.

Three questions in turn, each answered by the first line that holds: what closes even a home in credit, what opens, and
why else it is closed; protocol/rules/README.md prints them as one table. What holds whatever the data says (SEMANTICS
E1): silence of the headend closes nothing; an unsure clock closes nothing by itself, it only suspends friendly hours; a
valve that is locked open closes for nobody. Rating never looks here: litres that a policy lets through are priced like
any others (B1).
"""

from collections import namedtuple

from protocol.compat import TYPE_CHECKING, sha256
from protocol.rules import reason_codes
from protocol.rules.allowance import IN_CREDIT, WITHIN_LIMIT
from protocol.rules.calendar import SECONDS_PER_DAY, Offsets, local_second, slot_of, slot_start
from protocol.rules.policy import BATTERY_CLOSES, BATTERY_OPENS, NEVER_CLOSE_LOCK, TAMPER_CLOSES, WINDOW_NEEDS_CREDIT
from protocol.rules.windows import chained_end, latest

if TYPE_CHECKING:
    from protocol.rules.policy import Policy

# A COMMAND in force: open or closed until a Unix second, an open one for so many litres more (0 for a closed one).
Order = namedtuple("Order", ("open", "until_unix_s", "litres_left"))

# unix_s: now; clock_sure: false after a cold start or a jump (C2); offsets: the active tariff pack's; wallet_opened:
# false until the first OPENING (A4); allowance: as `allowance.renew` returned it for this moment; jitter16: this
# meter's share 0..65535 of the jitter (`jitter_share`); valve_open: what the valve is meant to be so far; tampered: an
# alarm of tampering stands; battery_critical: the last reserve, good for one move (M12); order: an Order or None.
Situation = namedtuple(
    "Situation",
    (
        "unix_s",
        "clock_sure",
        "offsets",
        "balance_mills",
        "wallet_opened",
        "allowance",
        "jitter16",
        "valve_open",
        "tampered",
        "battery_critical",
        "order",
    ),
)

# open: what the valve shall be; reason: a number of reason_codes.py; low_credit: warn the customer; until_unix_s: when
# this reason ends by itself at the latest, 0 where no time ends it.
Decision = namedtuple("Decision", ("open", "reason", "low_credit", "until_unix_s"))

# A friendly window that protects this home, in local seconds: end_s is the window's own end, last_s the end of the
# whole stretch with grace and this meter's jitter.
Hold = namedtuple("Hold", ("now_s", "end_s", "last_s", "litres_left", "is_holiday"))

ORDER_S_MAX = 604800  # an order that seems to run longer is one from before the clock was stepped back


def decide(policy: "Policy", situation: Situation) -> Decision:
    """With a limit of 500 mills, a balance of -499 is open (EMERGENCY) and one of -500 is closed."""
    hold = _hold(policy, situation)
    code = 0 if policy.flags & NEVER_CLOSE_LOCK else _overruling(policy, situation)
    code = code or _opening(policy, situation, hold) or _closing(policy, situation, hold)
    low_credit = situation.balance_mills <= policy.low_credit_mills
    return Decision(code <= reason_codes.OPEN_MAX, code, low_credit, _until_unix_s(policy, situation, hold, code))


def jitter_share(meter_id: bytes) -> int:
    """A meter's fixed share 0..65535 of the jitter, spread evenly whatever the ids look like."""
    digest = sha256(meter_id)
    return digest[0] << 8 | digest[1]


def draw_order(order: Order, reason_code: int, litres: int) -> Order:
    """The order with the litres it has left after litres flowed for this reason; never below zero."""
    if reason_code != reason_codes.ORDERED_OPEN:
        return order
    return Order(order.open, order.until_unix_s, max(0, order.litres_left - litres))


def _overruling(policy: "Policy", situation: Situation) -> int:
    """What closes even a home in credit, each chosen by the utility; 0 if nothing does.

    On an unsure clock no order closes (D1): nobody could tell whether it has ended.
    """
    if situation.clock_sure and _has_order(situation, False):
        return reason_codes.ORDERED_CLOSED
    if situation.tampered and policy.flags & TAMPER_CLOSES:
        return reason_codes.TAMPER_CLOSED
    if situation.battery_critical and policy.flags & BATTERY_CLOSES:
        return reason_codes.BATTERY_CLOSED
    return 0


def _opening(policy: "Policy", situation: Situation, hold: "Hold | None") -> int:
    """What opens, or 0: first what was paid for, then what is given to this home or town, last its own reserve."""
    used, slot = situation.allowance, slot_of(situation.unix_s)
    if situation.wallet_opened and situation.balance_mills > 0:
        return reason_codes.CREDIT
    if policy.flags & NEVER_CLOSE_LOCK:
        return reason_codes.NEVER_CLOSE
    limit_mills = policy.emergency_mills if situation.clock_sure else policy.emergency_unsure_mills
    if situation.balance_mills > -limit_mills:
        if not situation.wallet_opened:
            return reason_codes.INSTALLATION
        return reason_codes.EMERGENCY
    if _has_order(situation, True) and situation.order.litres_left > 0:
        return reason_codes.ORDERED_OPEN
    if slot < policy.amnesty_until_slot and used.amnesty_l < policy.amnesty_cap_l:
        return reason_codes.AMNESTY
    if slot < policy.vulnerable_until_slot and used.vulnerable_l < policy.vulnerable_l_per_day:
        return reason_codes.VULNERABLE
    if hold is not None and hold.litres_left > 0:
        if hold.now_s < hold.end_s and hold.is_holiday:
            return reason_codes.HOLIDAY
        if hold.now_s < hold.end_s:
            return reason_codes.FRIENDLY_HOURS
        return reason_codes.FRIENDLY_ENDING
    if used.fire_s >= 0 and 0 <= situation.unix_s - used.fire_s < policy.fire_s and used.fire_l < policy.fire_cap_l:
        return reason_codes.FIRE
    lifeline_left = used.lifeline_l < policy.lifeline_l_per_day
    if lifeline_left and not _pauses(policy, situation) and _wait_s(policy, situation) == 0:
        return reason_codes.LIFELINE
    if situation.battery_critical and (situation.valve_open or policy.flags & BATTERY_OPENS):
        return reason_codes.BATTERY_KEPT
    return 0


def _closing(policy: "Policy", situation: Situation, hold: "Hold | None") -> int:
    """Why the valve is closed when nothing opens it: first what ends soonest."""
    if situation.allowance.lifeline_l < policy.lifeline_l_per_day:
        if _pauses(policy, situation):
            return reason_codes.LIFELINE_PAUSE
        return reason_codes.REOPENING
    if not situation.clock_sure:
        return reason_codes.UNSURE_LIMIT
    if hold is not None:
        return reason_codes.FRIENDLY_USED
    if policy.lifeline_l_per_day > 0 or slot_of(_midnight_unix_s(situation)) < policy.vulnerable_until_slot:
        return reason_codes.LIFELINE_USED
    return reason_codes.NO_CREDIT


def _has_order(situation: Situation, wanted: bool) -> bool:
    order = situation.order
    if order is None or order.open != wanted:
        return False
    return bool(0 < order.until_unix_s - situation.unix_s <= ORDER_S_MAX)


def _pauses(policy: "Policy", situation: Situation) -> bool:
    """Between two pulses. A rest longer than pause_s would be one from before the clock was stepped back."""
    return bool(0 < situation.allowance.pause_until_s - situation.unix_s <= policy.pause_s)


def _wait_s(policy: "Policy", situation: Situation) -> int:
    """How long a closed valve still waits after midnight, so that a town's lifelines do not open at once (H03)."""
    if situation.valve_open or not situation.clock_sure:
        return 0
    since_s = local_second(situation.unix_s, situation.offsets) % SECONDS_PER_DAY
    return max(0, _share_s(policy, situation) - since_s)


def _share_s(policy: "Policy", situation: Situation) -> int:
    share_s: int = policy.jitter_s * situation.jitter16 >> 16
    return share_s


def _hold(policy: "Policy", situation: Situation) -> "Hold | None":
    """The friendly window that protects this home now, from its begin to the end of grace and jitter, or None.

    None under an unsure clock (E1), after until_slot, and for a home that was dry when the window began (H02).
    """
    if not situation.clock_sure:
        return None
    offsets = situation.offsets
    now_s = local_second(situation.unix_s, offsets)
    window = latest(policy, now_s)
    if window is None or window.begin_s != situation.allowance.window_s:
        return None
    needed = IN_CREDIT if policy.flags & WINDOW_NEEDS_CREDIT else WITHIN_LIMIT
    if situation.allowance.window_earned < needed:
        return None
    until_s = local_second(slot_start(policy.until_slot), offsets)
    delay_s = policy.grace_s + _share_s(policy, situation)
    end_s = min(window.end_s, until_s)
    if window.begin_s >= until_s or now_s >= end_s + delay_s:
        return None
    last_s = min(chained_end(policy, end_s), until_s) + delay_s
    return Hold(now_s, end_s, last_s, policy.window_cap_l - situation.allowance.window_l, window.is_holiday)


def _until_unix_s(policy: "Policy", situation: Situation, hold: "Hold | None", code: int) -> int:
    if hold is not None and code in (
        reason_codes.HOLIDAY,
        reason_codes.FRIENDLY_HOURS,
        reason_codes.FRIENDLY_ENDING,
    ):
        return _unix_s_of(hold.last_s, situation.unix_s, situation.offsets)
    until_s = 0
    if code in (reason_codes.ORDERED_OPEN, reason_codes.ORDERED_CLOSED):
        until_s = situation.order.until_unix_s
    elif code == reason_codes.AMNESTY:
        until_s = slot_start(policy.amnesty_until_slot)
    elif code == reason_codes.VULNERABLE:
        until_s = slot_start(policy.vulnerable_until_slot)
    elif code == reason_codes.FIRE:
        until_s = situation.allowance.fire_s + policy.fire_s
    elif code == reason_codes.LIFELINE_PAUSE:
        until_s = situation.allowance.pause_until_s
    elif code == reason_codes.REOPENING:
        until_s = situation.unix_s + _wait_s(policy, situation)
    elif code == reason_codes.LIFELINE_USED:
        until_s = _midnight_unix_s(situation)
    return until_s


def _midnight_unix_s(situation: Situation) -> int:
    """The Unix second of the next local midnight."""
    now_s = local_second(situation.unix_s, situation.offsets)
    return _unix_s_of(now_s - now_s % SECONDS_PER_DAY + SECONDS_PER_DAY, situation.unix_s, situation.offsets)


def _unix_s_of(local_s: int, unix_s: int, offsets: Offsets) -> int:
    """The Unix second, after unix_s, of a later local second; where clocks skip it, at most an hour after it."""
    guess_s = unix_s + local_s - local_second(unix_s, offsets)
    better_s = guess_s + local_s - local_second(guess_s, offsets)
    return better_s if better_s > unix_s and local_second(better_s, offsets) >= local_s else guess_s
