"""The rating kernel: what litres and local days cost, the same file on the meter and in the headend.

Rating is a function of slots, packs and the calendar only, never of balance, valve or arrival time (SEMANTICS B1). All
arithmetic is in integers at scale 4 (10^-4 mill): a price at scale s is multiplied by 10^(4-s), and what stays below
one mill is the state's `remainder`, carried across slots, months and packs, so that nothing is ever rounded (B3).
docs/TARIFFS.md works the numbers by hand.

Inside a local day the order is: standing charges at its first slot, then (by the caller) the debt instalment, then
litres. A minimum block is charged in full at the month's first slot.
"""

from collections import namedtuple

from protocol.compat import TYPE_CHECKING
from protocol.errors import RULE_COUNTER_FULL, RULE_NOT_INTEGER, RULE_OUT_OF_RANGE, RuleRefused
from protocol.rules.calendar import local_day, local_month_of_day
from protocol.rules.tariff import SCALE_MAX, Tariff
from protocol.wire.limits import MILLS_MAX

if TYPE_CHECKING:
    from collections.abc import Iterator

MILL = 10000  # one mill at scale 4

# One absence accrues at most a year. Beyond that it is a clock fault, not an absence: see `_due`.
DAYS_AT_ONCE_MAX = 366
MONTHS_AT_ONCE_MAX = 12

WATER = 0
STANDING_DAY = 1
STANDING_MONTH = 2
MINIMUM = 3

# spent_mills is the counter S and remainder the 0..9999 ten-thousandths of a mill below it; day and month are the last
# ones accrued (-1: none yet); position_l is V minus V at the start of the local month.
RatingState = namedtuple("RatingState", ("spent_mills", "remainder", "day", "month", "position_l"))

NEW = RatingState(0, 0, -1, -1, 0)

# kind: WATER, STANDING_DAY, STANDING_MONTH or MINIMUM; block: index of the block (WATER), else 0; quantity: litres,
# days or months; amount: quantity times price, at scale 4.
Line = namedtuple("Line", ("kind", "block", "quantity", "amount"))


def begin_slot(state: RatingState, tariff: Tariff, slot: int, sure: bool) -> RatingState:
    """Accrue what falls due at the first second of a slot; call it for every slot, before its litres.

    Each local day and month accrues once: days slept through are made up, days already accrued never come again
    whatever the clock does (B7), and an unsure slot executes no boundary at all (C2). Kiambu, first slot of the month:
    S rises by 57,750,000 mills (577.50 KSh), the minimum of 0-6 m³, and the block position returns to 0.
    """
    day, month, days, months = _due(state, tariff, slot, sure)
    if days == 0 and months == 0:
        return state
    amount = days * tariff.standing_day + months * (tariff.standing_month + tariff.minimum)
    spent_mills, remainder = _add(state, tariff, amount)
    return RatingState(spent_mills, remainder, day, month, 0 if months else state.position_l)


def spend(state: RatingState, tariff: Tariff, litres: int) -> RatingState:
    """Price litres at the block position, split exactly at block edges.

    Niger, at 9,990 L of the month: 20 L cost 10 x 127 + 10 x 279 = 4,060 mills.
    """
    if litres == 0:
        return state
    amount = 0
    for _, quantity, price in _split(state.position_l, tariff, litres):
        amount += quantity * price
    spent_mills, remainder = _add(state, tariff, amount)
    return RatingState(spent_mills, remainder, state.day, state.month, state.position_l + litres)


def rate_slot(state: RatingState, tariff: Tariff, slot: int, litres: int, sure: bool) -> RatingState:
    """A whole slot without an instalment: begin_slot, then spend."""
    return spend(begin_slot(state, tariff, slot, sure), tariff, litres)


def charge_lines(state: RatingState, tariff: Tariff, slot: int, litres: int, sure: bool) -> "list[Line]":
    """What rate_slot charges, line by line at scale 4; the amounts sum to the rise of S and remainder exactly."""
    _, _, days, months = _due(state, tariff, slot, sure)
    lines = [
        Line(STANDING_DAY, 0, days, _scaled(tariff, days * tariff.standing_day)),
        Line(STANDING_MONTH, 0, months, _scaled(tariff, months * tariff.standing_month)),
        Line(MINIMUM, 0, months, _scaled(tariff, months * tariff.minimum)),
    ]
    lines = [line for line in lines if line.amount]
    for block, quantity, price in _split(0 if months else state.position_l, tariff, litres):
        lines.append(Line(WATER, block, quantity, _scaled(tariff, quantity * price)))
    return lines


def _due(state: RatingState, tariff: Tariff, slot: int, sure: bool) -> "tuple[int, int, int, int]":
    """(last day accrued, last month accrued, days due, months due) once this slot has begun.

    The first slot of a supply is due one day and one month. A jump is one multiplication, never a loop, and at most
    366 days and 12 months of it are charged: a clock thirty years wrong costs the customer at most a year, which the
    headend sees and gives back, and the same days never accrue again.
    """
    if not sure:
        return state.day, state.month, 0, 0
    day = local_day(slot, tariff.offsets)
    month = local_month_of_day(day)
    days = 1 if state.day < 0 else min(max(day - state.day, 0), DAYS_AT_ONCE_MAX)
    months = 1 if state.month < 0 else min(max(month - state.month, 0), MONTHS_AT_ONCE_MAX)
    return max(day, state.day), max(month, state.month), days, months


def _split(position_l: int, tariff: Tariff, litres: int) -> "Iterator[tuple[int, int, int]]":
    """(block, litres, price) of the blocks that litres fall into, from a position on.

    Printed blocks "0-6, 7-20" mean (0, 6] and (6, 20] m³: litre number 6,000 is the last of the first block.
    """
    if isinstance(litres, bool) or not isinstance(litres, int):
        raise RuleRefused(RULE_NOT_INTEGER, "litres")
    if litres < 0:
        raise RuleRefused(RULE_OUT_OF_RANGE, "litres")
    for block, (upto_l, price) in enumerate(tariff.blocks):
        if litres == 0:
            return
        room_l = litres if upto_l == 0 else upto_l * tariff.households - position_l
        if room_l > 0:
            quantity = min(litres, room_l)
            yield block, quantity, price
            position_l += quantity
            litres -= quantity


def _scaled(tariff: Tariff, amount: int) -> int:
    """An amount of the pack's scale at scale 4."""
    scaled: int = amount * 10 ** (SCALE_MAX - tariff.scale)
    return scaled


def _add(state: RatingState, tariff: Tariff, amount: int) -> "tuple[int, int]":
    whole, remainder = divmod(state.remainder + _scaled(tariff, amount), MILL)
    spent_mills = state.spent_mills + whole
    if spent_mills > MILLS_MAX:
        raise RuleRefused(RULE_COUNTER_FULL, "spent_mills")
    return spent_mills, remainder
