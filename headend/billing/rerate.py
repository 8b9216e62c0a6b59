"""Rating a meter's posted slots side by side: as its own packs did when it counted (M), and as is known today (T).

A `Finding` is what both come to. One that was found before is continued, so that a meter that is late by a tariff costs
its new slots only, not its whole log, at every uplink (rating_base.py).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from headend.billing.knowledge import Knowledge, Priced, knowledge_of
from headend.billing.lost import over_lost
from headend.billing.prorate import less, not_borne
from headend.billing.published import Rates, pack_rates
from headend.billing.slots import RatedSlot, posted_slots, spread_unsure
from headend.ingest.meter_state import MeterState
from headend.meters.openings import opening_of
from headend.storage.writer import Tx
from protocol.rules.rating import NEW, RatingState, begin_slot, charge_lines, rate_slot, spend

START = (0, -1)

# (local month, what becomes of a late rise, holder): a fall or rise is judged by its sum over one of these (B6).
Unit = tuple[int, str, int]


@dataclass(slots=True)
class Finding:
    """T and M after the slots up to `upto` (log generation, first slot not in it), and T − M at scale 4, divided.

    `last_slot` is the number of the last slot, `highest_slot` the largest of all; `settled` is False while unsure slots
    at the end wait for a sure one, after which they will be rated differently (SEMANTICS C2).
    """

    metered: RatingState = NEW
    today: RatingState = NEW
    roles: list[int] = field(default_factory=lambda: [0] * 6)
    units: dict[Unit, int] = field(default_factory=dict)
    upto: tuple[int, int] = START
    last_slot: int | None = None
    highest_slot: int = -1
    settled: bool = True

    @property
    def total_mills(self) -> int:
        """T − M."""
        return int(self.today.spent_mills - self.metered.spent_mills)

    def add(self, knowledge: Knowledge, as_metered: RatedSlot, as_known: RatedSlot, own: Rates) -> None:
        """Rate one slot both ways; of slots that were lost only their end is known (SEMANTICS C4)."""
        if as_metered.lost is not None:
            if as_metered.slot == as_metered.lost.end_slot - 1:
                offsets = own.tariff.offsets
                self.metered, self.today = over_lost(self.metered, self.today, as_metered.lost, offsets)
            return
        priced = knowledge.at(as_known.slot)
        now = own if priced.rates is None else priced.rates
        same = now is own and as_metered == as_known and self.metered[1:] == self.today[1:]
        if same and not knowledge.is_prorated(priced, as_known.slot):
            metered = rate_slot(self.metered, own.tariff, as_metered.slot, as_metered.litres, as_metered.sure)
            self.today = RatingState(self.total_mills + metered.spent_mills, *metered[1:])
            self.metered = metered
            return
        self.metered, metered_roles = _rate(self.metered, own, as_metered, None)
        self.today, today_roles = _rate(self.today, now, as_known, priced)
        for role in range(6):
            self.roles[role] += today_roles[role] - metered_roles[role]
        unit = (self.today.month, priced.late, priced.contract.contract_id)
        self.units[unit] = self.units.get(unit, 0) + sum(today_roles) - sum(metered_roles)


def rate_again(tx: Tx, state: MeterState, knowledge: Knowledge | None = None, base: Finding | None = None) -> Finding:
    """T and M over every posted slot of the wallet generation; `base` is continued and must not be used afterwards."""
    finding = start_of(tx, state) if base is None else base
    known = knowledge_of(tx, state.meter_id) if knowledge is None else knowledge
    for as_metered, as_known, own in slots_to_rate(tx, state, finding):
        finding.add(known, as_metered, as_known, own)
        finding.highest_slot = max(finding.highest_slot, as_metered.slot, as_known.slot)
        finding.last_slot, finding.settled = as_known.slot, as_known.sure
    finding.upto = (state.log_generation, state.frontier_slot)
    return finding


def start_of(tx: Tx, state: MeterState) -> Finding:
    """What is found before the first slot of a wallet generation."""
    begins = opening_of(tx, state.meter_id, state.generation).rating
    return Finding(begins, begins)


def slots_to_rate(tx: Tx, state: MeterState, since: Finding) -> Iterator[tuple[RatedSlot, RatedSlot, Rates]]:
    """(as the meter counted it, as the calendar knows it, the pack it was priced by) from where a finding ends."""
    packs: dict[int, Rates] = {}
    slots = posted_slots(tx, state.meter_id, state.generation, since.upto)
    for as_metered, as_known in zip(slots, spread_unsure(slots, since.last_slot), strict=True):
        if as_metered.pack_version not in packs:
            packs[as_metered.pack_version] = _pack(tx, state.meter_id, as_metered.pack_version)
        yield as_metered, as_known, packs[as_metered.pack_version]


def _pack(tx: Tx, meter_id: bytes, version: int) -> Rates:
    rates = pack_rates(tx, meter_id, version)
    if rates is None:
        raise LookupError(f"meter {meter_id.hex()} has posted under pack {version}, which is not in the books")
    return rates


def _rate(
    state: RatingState, rates: Rates, item: RatedSlot, priced: Priced | None
) -> tuple[RatingState, tuple[int, ...]]:
    """A slot's state after and its cost per role at scale 4; prorated where what is known (`priced`) says so."""
    lines = charge_lines(state, rates.tariff, item.slot, item.litres, item.sure)
    after = spend(begin_slot(state, rates.tariff, item.slot, item.sure), rates.tariff, item.litres)
    charged = [rates.roles_of(line) for line in lines]
    if priced is not None:
        spared = [not_borne(priced, item.slot, line, roles) for line, roles in zip(lines, charged, strict=True)]
        after = less(after, sum(map(sum, spared)))
        charged += [tuple(-amount for amount in roles) for roles in spared]  # type: ignore[misc]
    return after, _sum_roles(charged)


def _sum_roles(parts: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
    total = [0] * 6
    for roles in parts:
        for index, amount in enumerate(roles):
            total[index] += amount
    return tuple(total)
