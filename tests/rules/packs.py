"""The real tariffs as compiled packs, and moments to use them at.

Sources: Niger 2006 household (F CFA per m³), Kiambu 2014 (KSh per m³; 0-6 m³ for a fixed 330, sewer 75 % of the water
charge), Mogale (first 6 kl of a month free). One minor unit per m³ is one mill per litre.
"""

from typing import NamedTuple

from protocol.rules.calendar import Offsets, day_of_date, first_slot_of_day
from protocol.rules.tariff import Tariff

NIAMEY = Offsets(60, ())
NAIROBI = Offsets(180, ())
KATHMANDU = Offsets(345, ())
JOHANNESBURG = Offsets(120, ())


class Moment(NamedTuple):
    """A local date as its first slot."""

    slot: int
    day: int


def at(year: int, month: int, day_of_month: int, offsets: Offsets) -> Moment:
    day = day_of_date(year, month, day_of_month)
    return Moment(first_slot_of_day(day, offsets), day)


def pack(blocks: tuple[tuple[int, int], ...], offsets: Offsets = NIAMEY, **changes: object) -> Tariff:
    """A tariff at scale 0 from 2026-11-01, one household, no standing charges, unless a change says otherwise."""
    fields: dict[str, object] = {
        "version": 1,
        "from_slot": at(2026, 11, 1, offsets).slot,
        "scale": 0,
        "offsets": offsets,
        "households": 1,
        "minimum": 0,
        "blocks": blocks,
        "standing_day": 0,
        "standing_month": 0,
    }
    return Tariff(**{**fields, **changes})


# 127, 279 and 448 F CFA per m³; the franc has no minor unit below it, so 1 F CFA = 1000 mills.
NIGER = pack(((10_000, 127), (40_000, 279), (0, 448)))

# One KSh is 100 minor units. Minimum 330 KSh water + 75 % sewer = 577.50 KSh = 57,750 minor units = 57,750,000 mills.
# 65 KSh per m³ = 6,500 mills per litre, + 75 % = 11,375; 80 → 14,000; 100 → 17,500; 120 → 21,000; 140 → 24,500.
KIAMBU = pack(
    ((6_000, 0), (20_000, 11_375), (50_000, 14_000), (100_000, 17_500), (300_000, 21_000), (0, 24_500)),
    NAIROBI,
    minimum=57_750_000,
)

# The first 6 kl of a month cost nothing; beyond them an example price of 18.50 rand per kl.
MOGALE = pack(((6_000, 0), (0, 1_850)), JOHANNESBURG)
