"""What the page shows, as plain frozen values: the templates render these and nothing else."""

from collections.abc import Sequence
from dataclasses import dataclass

DAY_SLOTS = 48
_PLOT_HEIGHT = 20
_ON_THEIR_WAY = 2


@dataclass(frozen=True)
class Home:
    """One meter's card. Money in minor units; paths are SVG in a 48 × 20 box, one unit per half-hour of the last day;
    `midnight` is where the local day begins in it.
    """

    meter_id: str
    name: str
    valve: str
    reason: str
    balance_minor: int
    low_credit: bool
    on_its_way: bool
    disagrees: bool
    litres_today: int
    gap_count: int
    bars_path: str
    gaps_path: str
    midnight: int
    seen: str
    tariff: str
    alarms: tuple[str, ...]


@dataclass(frozen=True)
class Totals:
    """The four figures at the top."""

    homes: int
    with_water: int
    credit_minor: int
    litres_today: int
    paid_today_minor: int


@dataclass(frozen=True)
class Books:
    """The books line. `agreeing` of `meters` passed their last check at a cut they reported (SEMANTICS B8)."""

    entries: int
    balanced: bool
    chain_ok: bool
    agreeing: int
    meters: int

    @property
    def good(self) -> bool:
        return self.balanced and self.chain_ok and self.agreeing == self.meters


@dataclass(frozen=True)
class Now:
    """The headend's time, in local words."""

    rfc3339: str
    weekday: str
    date: str
    time: str
    simulated: bool


@dataclass(frozen=True)
class Line:
    """One line of the story in one language."""

    number: int
    at_rfc3339: str
    at_text: str
    who: str
    text: str
    tone: str


def bars_path(litres: Sequence[int | None]) -> str:
    """The half-hours with a reading as bars; the tallest fills the box, and one litre is still visible."""
    peak = max([20, *(value for value in litres if value is not None)])
    steps = []
    for index, value in enumerate(litres):
        if value:
            height = max(1, value * _PLOT_HEIGHT // peak)
            steps.append(f"M{index} {_PLOT_HEIGHT}h.8v-{height}h-.8z")
    return "".join(steps)


def gaps_path(litres: Sequence[int | None], before: int) -> str:
    """The half-hours that nothing was heard of, full height: a gap is shown, not drawn as zero (CT-15)."""
    return "".join(f"M{index} 0h1v{_PLOT_HEIGHT}h-1z" for index in _gaps(litres, before))


def gap_count(litres: Sequence[int | None], before: int) -> int:
    """How many half-hours are missing since the meter's first; the last hour may still be on its way."""
    return len(_gaps(litres, before))


def _gaps(litres: Sequence[int | None], before: int) -> list[int]:
    return [index for index in range(before, len(litres) - _ON_THEIR_WAY) if litres[index] is None]
