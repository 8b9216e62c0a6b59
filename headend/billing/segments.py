"""Rating a run of slots into segments: one per local month and holder, each in whole mills per role.

A run has one pack and one sureness (no frame spans either edge, SEMANTICS B4, C2). The money is what the meter took: S
as it reported; the kernel's own result M only says how it divides over roles, and whether the meter agrees.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from headend.billing.apportion import apportion_charges, bend
from headend.billing.published import Rates
from protocol.rules.rating import MILL, RatingState, begin_slot, charge_lines, spend
from protocol.wire.unwrap import unwrap_near


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive slots to post, with what the frame says at their end (low bits, as on air)."""

    log_generation: int
    first_slot: int
    litres: tuple[int, ...]
    spent24_mills: int
    pack_version: int
    sure: bool


@dataclass(frozen=True, slots=True)
class Counters:
    """Where the counters stand before or after a run; `carries` is what each role is owed below a mill, at scale 4."""

    spent_mills: int
    collected_mills: int
    metered: RatingState
    carries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """What a run of slots takes from a wallet: `roles` are water, sewer, fixed, levy, tax1, tax2, debt."""

    log_generation: int
    first_slot: int
    slots: int
    volume_l: int
    contract_id: int
    pack_version: int
    roles: tuple[int, ...]
    spent_mills: int
    collected_mills: int

    @property
    def wallet_mills(self) -> int:
        return sum(self.roles)

    @property
    def collected_now_mills(self) -> int:
        """The instalments among it: the rise of R."""
        return self.roles[-1]


@dataclass(slots=True)
class _Piece:
    """A segment in the making, before the reported S is known to divide."""

    month: int
    contract_id: int
    first_slot: int
    slots: int
    volume_l: int
    roles: list[int]
    metered_mills: int


def rate_run(
    run: Run, before: Counters, rates: Rates, contract_at: Callable[[int], int], collected_mills: int
) -> tuple[list[Segment], Counters, int]:
    """(segments, counters after, divergence): divergence is S as reported minus S as expected, 0 from an honest meter.

    Raises ValueError if the reported S is below what it was: S never falls in a wallet generation (SEMANTICS A1).
    """
    pieces, metered = _pieces(run, before.metered, rates, contract_at)
    expected_mills = before.spent_mills + metered.spent_mills - before.metered.spent_mills
    spent_mills = unwrap_near(run.spent24_mills, 24, expected_mills)
    if spent_mills < before.spent_mills:
        raise ValueError(f"S fell from {before.spent_mills} to {spent_mills}")
    segments = []
    counters = before
    for piece in pieces:
        last = piece is pieces[-1]
        reported_mills = counters.spent_mills + piece.metered_mills - counters.metered.spent_mills
        end_mills = spent_mills if last else min(reported_mills, spent_mills)
        debt_mills = collected_mills - before.collected_mills if last else 0
        segment, counters = _segment(run, piece, counters, end_mills, debt_mills)
        segments.append(segment)
    return segments, replace(counters, metered=metered), spent_mills - expected_mills


def _pieces(
    run: Run, metered: RatingState, rates: Rates, contract_at: Callable[[int], int]
) -> tuple[list[_Piece], RatingState]:
    """The run cut where the local month that prices it, or the holder, changes (SEMANTICS F1), and M at its end."""
    pieces: list[_Piece] = []
    for slot, litres in enumerate(run.litres, run.first_slot):
        begun = begin_slot(metered, rates.tariff, slot, run.sure)
        contract_id = contract_at(slot)
        if not pieces or (pieces[-1].month, pieces[-1].contract_id) != (begun.month, contract_id):
            pieces.append(_Piece(begun.month, contract_id, slot, 0, 0, [0] * 6, 0))
        piece = pieces[-1]
        if litres or begun is not metered:  # most half-hours cost nothing
            for line in charge_lines(metered, rates.tariff, slot, litres, run.sure):
                for role, amount in enumerate(rates.roles_of(line)):
                    piece.roles[role] += amount
            metered = spend(begun, rates.tariff, litres)
        piece.slots += 1
        piece.volume_l += litres
        piece.metered_mills = metered.spent_mills
    return pieces, metered


def _segment(run: Run, piece: _Piece, before: Counters, spent_mills: int, debt_mills: int) -> tuple[Segment, Counters]:
    """A piece in whole mills, and the counters after it."""
    due = [carry + amount for carry, amount in zip(before.carries, piece.roles, strict=True)]
    metered_mills = piece.metered_mills - before.metered.spent_mills
    shares = apportion_charges(due, metered_mills)
    carries = tuple(amount - MILL * share for amount, share in zip(due, shares, strict=True))
    # What the meter took differently from its pack's prices is not shared finely: a case is open for it.
    shares = bend(shares, spent_mills - before.spent_mills - metered_mills)
    collected_mills = before.collected_mills + debt_mills
    segment = Segment(
        run.log_generation,
        piece.first_slot,
        piece.slots,
        piece.volume_l,
        piece.contract_id,
        run.pack_version,
        (*shares, debt_mills),
        spent_mills,
        collected_mills,
    )
    metered = before.metered._replace(spent_mills=piece.metered_mills)
    return segment, Counters(spent_mills, collected_mills, metered, carries)
