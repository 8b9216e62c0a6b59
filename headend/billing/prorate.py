"""A holder's first month bears its share of the monthly standing charge, where the tariff says so (CT-09).

The meter charges the month in full at its first slot; what the holder does not bear is given back by rating again.
"""

from headend.billing.compile import Roles
from headend.billing.knowledge import Priced
from protocol.rules.calendar import first_day_of_month, local_day, local_month_of_day
from protocol.rules.rating import MILL, STANDING_MONTH, Line, RatingState


def not_borne(priced: Priced, slot: int, line: Line, roles: Roles) -> tuple[int, ...]:
    """What of a line's roles (at scale 4) the holder of this slot does not bear; nothing of any other line.

    Moving in on 21 November: 20 of 30 days are another's, so 3,000 a month are 1,000 for the holder.
    """
    nothing = (0,) * len(roles)
    if line.kind != STANDING_MONTH or priced.tariff is None or priced.rates is None or not priced.tariff.prorated:
        return nothing
    offsets = priced.rates.tariff.offsets
    start_day = local_day(priced.contract.start_slot, offsets)
    month = local_month_of_day(start_day)
    if local_month_of_day(local_day(slot, offsets)) != month:
        return nothing
    first_day = first_day_of_month(month)
    days = first_day_of_month(month + 1) - first_day
    return tuple(amount * (start_day - first_day) // days for amount in roles)


def less(state: RatingState, amount: int) -> RatingState:
    """The state with an amount at scale 4 taken off S."""
    spent_mills, remainder = divmod(state.spent_mills * MILL + state.remainder - amount, MILL)
    return state._replace(spent_mills=spent_mills, remainder=remainder)
