"""Why a local day cost what it cost, to the last mill: every line the meter charged, and what corrections added since.

The meter's slots are rated once more, as rating again does (rerate.py), and the lines of the day are kept. Amounts of
lines are at scale 4 (10⁻⁴ mill): with the remainder carried in and out they sum to whole mills (TR-27, SEMANTICS B3).
"""

from dataclasses import dataclass, field

from headend.billing.correct import Bearer, bearer_of, divide
from headend.billing.knowledge import Knowledge, knowledge_of
from headend.billing.published import Rates
from headend.billing.rerate import Finding, Unit, rate_again, start_of
from headend.billing.slots import RatedSlot
from headend.ingest import meter_state
from headend.storage.writer import Tx
from protocol.rules.calendar import local_day
from protocol.rules.rating import MILL, WATER, RatingState, charge_lines

LOST = 100  # kind of a line: slots of which only the end is known (SEMANTICS C4)


@dataclass(slots=True)
class DayLine:
    """One price: `kind` of protocol.rules.rating, `block` from 0 (WATER), its litres, days or months, price and amount
    at scale 4, and its roles. Water runs from `from_l` to `to_l` of the month's litres."""

    kind: int
    block: int
    from_l: int
    to_l: int
    quantity: int
    amount: int
    roles: list[int]

    @property
    def price(self) -> int:
        """Of one litre, day or month, at scale 4."""
        return self.amount // self.quantity if self.quantity else 0


@dataclass(slots=True)
class DayRun:
    """Consecutive slots of one pack and one holder."""

    first_slot: int
    slots: int
    litres: int
    pack_version: int
    contract_id: int
    sure: bool
    lines: list[DayLine] = field(default_factory=list)


@dataclass(slots=True)
class ExplainedDay:
    """What a local day took from a wallet.

    `spent_mills` is the rise of S by the lines, `differing_mills` what the meter told otherwise (a case is open then),
    `instalment_mills` the rise of R, `borne_mills` who bears the corrections of this day by now; the wallet's part,
    given back if negative, may still be under notice (SEMANTICS B6).
    """

    day: int
    runs: list[DayRun] = field(default_factory=list)
    remainder_in: int = 0
    remainder_out: int = 0
    spent_mills: int = 0
    differing_mills: int = 0
    instalment_mills: int = 0
    corrected_roles: list[int] = field(default_factory=lambda: [0] * 6)
    borne_mills: dict[Bearer, int] = field(default_factory=dict)

    @property
    def corrected_mills(self) -> int:
        return sum(self.borne_mills.values())

    @property
    def wallet_correction_mills(self) -> int:
        return sum(mills for (kind, _), mills in self.borne_mills.items() if kind == "wallet")

    @property
    def left_mills(self) -> int:
        """What left the wallet: S, R and the wallet's part of corrections."""
        return self.spent_mills + self.differing_mills + self.instalment_mills + self.wallet_correction_mills


def explain_day(tx: Tx, meter_id: bytes, day: int) -> ExplainedDay:
    """Every mill of a local day of a meter's present wallet generation; no runs if nothing of it is posted."""
    state = meter_state.load(tx, meter_id)
    begins = start_of(tx, state)
    watched = _Watched(metered=begins.metered, today=begins.today, explained=ExplainedDay(day))
    watched.ends = _segment_ends(tx, meter_id, state.generation)
    finding = rate_again(tx, state, knowledge_of(tx, meter_id), watched)
    borne_mills = _by_bearer(watched.day_mills, finding)
    if watched.last_within:
        # Who bears is divided in whole mills over the whole log; the mill that rounding moved stands with its last day.
        all_mills = _by_bearer(watched.all_mills, finding)
        posted = divide(finding).bearers
        for bearer in sorted(all_mills.keys() | posted.keys()):
            moved_mills = posted.get(bearer, 0) - all_mills.get(bearer, 0)
            borne_mills[bearer] = borne_mills.get(bearer, 0) + moved_mills
    watched.explained.borne_mills = {bearer: mills for bearer, mills in sorted(borne_mills.items()) if mills}
    return watched.explained


def _by_bearer(unit_mills: dict[Unit, int], finding: Finding) -> dict[Bearer, int]:
    borne: dict[Bearer, int] = {}
    for unit, mills in unit_mills.items():
        bearer = bearer_of(unit, finding.units.get(unit, 0))
        borne[bearer] = borne.get(bearer, 0) + mills
    return borne


@dataclass(slots=True)
class _Watched(Finding):
    """A finding that keeps what it sees of one day. `ends`: per segment its slots, S as reported, and R taken."""

    explained: ExplainedDay = field(default_factory=lambda: ExplainedDay(0))
    ends: list[tuple[int, int, int]] = field(default_factory=list)
    day_mills: dict[Unit, int] = field(default_factory=dict)
    all_mills: dict[Unit, int] = field(default_factory=dict)
    last_within: bool = False
    seen: int = 0
    segment: int = 0
    skew_mills: int = 0

    def add(self, knowledge: Knowledge, as_metered: RatedSlot, as_known: RatedSlot, own: Rates) -> None:
        metered, total_mills, roles = self.metered, self.total_mills, list(self.roles)
        Finding.add(self, knowledge, as_metered, as_known, own)
        within = local_day(as_metered.slot, own.tariff.offsets) == self.explained.day
        if within:
            self._keep_charges(knowledge, metered, as_metered, own)
            for role in range(6):
                self.explained.corrected_roles[role] += self.roles[role] - roles[role]
        rise_mills = self.total_mills - total_mills
        if rise_mills:
            priced = knowledge.at(as_known.slot)
            unit = (self.today.month, priced.late, priced.contract.contract_id)
            for sums in (self.all_mills, self.day_mills) if within else (self.all_mills,):
                sums[unit] = sums.get(unit, 0) + rise_mills
        self.last_within = within
        self._pass_segment_end(within)

    def _keep_charges(self, knowledge: Knowledge, before: RatingState, item: RatedSlot, own: Rates) -> None:
        explained = self.explained
        if not explained.runs:
            explained.remainder_in = before.remainder
        explained.remainder_out = self.metered.remainder
        explained.spent_mills += self.metered.spent_mills - before.spent_mills
        contract_id = knowledge.at(item.slot).contract.contract_id
        last = explained.runs[-1] if explained.runs else None
        head = (item.pack_version, contract_id, item.sure)
        if last is None or (last.pack_version, last.contract_id, last.sure) != head:
            last = DayRun(item.slot, 0, 0, item.pack_version, contract_id, item.sure)
            explained.runs.append(last)
        last.slots += 1
        last.litres += item.litres
        for line in _lines(before, self.metered, item, own):
            _merge(last.lines, line)

    def _pass_segment_end(self, within: bool) -> None:
        """Where a segment ends, the meter told S and R: what it told belongs to the day of the segment's last slot."""
        self.seen += 1
        if self.segment < len(self.ends) and self.seen == self.ends[self.segment][0]:
            self.seen = 0
            _, spent_mills, debt_mills = self.ends[self.segment]
            self.segment += 1
            skew_mills = spent_mills - self.metered.spent_mills
            if within:
                self.explained.differing_mills += skew_mills - self.skew_mills
                self.explained.instalment_mills += debt_mills
            self.skew_mills = skew_mills


def _lines(before: RatingState, after: RatingState, item: RatedSlot, own: Rates) -> list[DayLine]:
    if getattr(item, "lost", None) is not None:
        rise = (after.spent_mills - before.spent_mills) * MILL + after.remainder - before.remainder
        return [DayLine(LOST, 0, 0, 0, item.litres, rise, [rise, 0, 0, 0, 0, 0])]
    lines = []
    position_l = after.position_l - item.litres
    for line in charge_lines(before, own.tariff, item.slot, item.litres, item.sure):
        litres = line.quantity if line.kind == WATER else 0
        roles = list(own.roles_of(line))
        lines.append(DayLine(line.kind, line.block, position_l, position_l + litres, line.quantity, line.amount, roles))
        position_l += litres
    return lines


def _merge(lines: list[DayLine], line: DayLine) -> None:
    """Add a line to the one of the same price, if there is one."""
    for known in lines:
        if (known.kind, known.block) == (line.kind, line.block) and known.price == line.price:
            known.to_l = max(known.to_l, line.to_l)
            known.quantity += line.quantity
            known.amount += line.amount
            known.roles = [a + b for a, b in zip(known.roles, line.roles, strict=True)]
            return
    lines.append(line)


def _segment_ends(tx: Tx, meter_id: bytes, generation: int) -> list[tuple[int, int, int]]:
    columns = "segment_log_generation, segment_first_slot, segment_slots, spent_mills, debt_mills"
    rows = tx.cursor.execute(
        f"SELECT {columns} FROM uplink WHERE meter_id = ?1 AND generation = ?2 AND segment_first_slot IS NOT NULL "
        f"UNION ALL SELECT {columns} FROM segment WHERE meter_id = ?1 AND generation = ?2 ORDER BY 1, 2",
        (meter_id, generation),
    )
    return [(slots, spent_mills, debt_mills) for _, _, slots, spent_mills, debt_mills in rows.fetchall()]
