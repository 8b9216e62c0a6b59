"""The people who pay: when they look at the meter, what makes them pay, and how much.

A habit is data. A payer looks at the meter's face at moments drawn once a day, sees what anyone in the kitchen sees
(balance, lamp, whether water runs), and pays or does not.
"""

from __future__ import annotations

from typing import NamedTuple

from .clock import MINUTE_US, at
from .prng import Stream

# fmt: off
NAMES = (
    "Aïssata", "Hadiza", "Moussa", "Ibrahim", "Fati", "Oumarou", "Zeinabou", "Issoufou", "Mariama", "Abdou",
    "Ramatou", "Souley", "Halima", "Boubacar", "Balkissa", "Harouna", "Nafissa", "Mahamadou", "Rakia", "Seyni",
    "Salamatou", "Adamou", "Hawa", "Idrissa", "Kadi", "Laouali", "Maimouna", "Saidou", "Aminata", "Tahirou",
    "Bintou", "Yacouba", "Djamila", "Garba", "Zara", "Hassane", "Safia", "Kimba", "Delou", "Amadou", "Habsatou",
    "Illiassou", "Ouma", "Sani", "Foureyratou", "Chaibou", "Biba", "Maman", "Tani", "Djibo",
)
# fmt: on


class Habit(NamedTuple):
    """Pay `amount` when the balance is below `below_mills`, or only `when_dry`; look at these hours of the day."""

    name: str
    amount: int
    below_mills: int
    when_dry: bool
    looks_at_hours: tuple[int, ...]


class Sight(NamedTuple):
    """What the face of a meter shows to a person."""

    balance_mills: int
    low_credit: bool
    water_runs: bool


def draw_habit(stream: Stream, daily_mills: int) -> Habit:
    """A habit for a home that uses about `daily_mills` a day."""
    kind = stream.below(3)
    if kind == 0:
        return Habit("ahead", stream.pick((500, 1000)), 2 * daily_mills, False, (19,))
    if kind == 1:
        return Habit("lamp", stream.pick((200, 250, 500)), daily_mills // 2, False, (8, 18))
    return Habit("dry", stream.pick((100, 150, 200)), 0, True, (7, 9, 11, 13, 15, 17, 19, 21))


def looks(habit: Habit, stream: Stream, day: int) -> list[int]:
    """Virtual times of one day at which the payer looks at the meter."""
    return [at(day, hour) + stream.between(0, 50) * MINUTE_US for hour in habit.looks_at_hours]


def wants_to_pay(habit: Habit, sight: Sight) -> bool:
    """Whether this sight makes a payer of this habit pay now."""
    if habit.when_dry:
        return not sight.water_runs
    return sight.low_credit or sight.balance_mills < habit.below_mills
