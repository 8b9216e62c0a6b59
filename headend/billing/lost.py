"""Slots that a meter lost for good: posted from its own counters, without detail (SEMANTICS C4).

V, S and R at both ends are the meter's word, so litres and money are exact; only how they lie between the ends is not
known. The litres are spread evenly, those after the last month's edge by the block position at the end; what that would
cost by the packs says how S divides over months and roles, and the last of each bends to S.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from headend.billing.apportion import apportion_charges, bend
from headend.billing.published import Rates
from headend.billing.segments import Counters, Segment
from protocol.rules.calendar import Offsets, local_day, local_month_of_day
from protocol.rules.rating import MILL, RatingState, begin_slot, charge_lines, spend

# (version, prices) of the pack that is taken to have acted at a slot.
PackAt = Callable[[int], tuple[int, Rates]]


@dataclass(frozen=True, slots=True)
class LostSlots:
    """Slots from the frontier on, as they are posted: litres and S of them all, remainder and block position at their
    end, and how many of them (`tail_slots`) belong to a local month that begins among them."""

    log_generation: int
    first_slot: int
    slots: int
    volume_l: int
    spent_mills: int
    remainder: int
    position_l: int
    tail_slots: int
    sure: bool

    @property
    def end_slot(self) -> int:
        return self.first_slot + self.slots

    def litres(self) -> Iterator[int]:
        """Slot by slot, evenly: 10 litres over 4 slots are 2, 3, 2, 3."""
        tail_l = min(self.position_l, self.volume_l) if self.tail_slots else 0
        if self.tail_slots == self.slots:
            tail_l = self.volume_l
        yield from _evenly(self.volume_l - tail_l, self.slots - self.tail_slots)
        yield from _evenly(tail_l, self.tail_slots)


def tail_slots(first_slot: int, slots: int, before: RatingState, offsets: Offsets, sure: bool) -> int:
    """How many of the slots belong to their last local month, if it begins among them or with the first; else 0."""
    last = first_slot + slots - 1
    month = _month(last, offsets)
    if not sure or month <= before.month:
        return 0
    count = 1
    while count < slots and _month(last - count, offsets) == month:
        count += 1
    return count


def over_lost(
    metered: RatingState, today: RatingState, lost: LostSlots, offsets: Offsets
) -> tuple[RatingState, RatingState]:
    """(M, T) after the slots: M as the meter says, T moved by the very same, to the ten-thousandth of a mill: what was
    not told cannot be corrected."""
    moved = lost.spent_mills * MILL + lost.remainder - metered.remainder
    day, month = metered.day, metered.month
    if lost.sure:
        last = local_day(lost.end_slot - 1, offsets)
        day, month = max(day, last), max(month, local_month_of_day(last))
    after = RatingState(metered.spent_mills + lost.spent_mills, lost.remainder, day, month, lost.position_l)
    spent_mills, remainder = divmod(today.spent_mills * MILL + today.remainder + moved, MILL)
    same = bool(lost.tail_slots) or today.position_l == metered.position_l
    position_l = lost.position_l if same else today.position_l + lost.volume_l
    return after, RatingState(spent_mills, remainder, max(day, today.day), max(month, today.month), position_l)


@dataclass(slots=True)
class _Piece:
    """The slots of one local month, pack and holder, rated as if the litres had flowed evenly."""

    key: tuple[int, int, int]
    first_slot: int
    slots: int
    volume_l: int
    roles: list[int]
    metered_mills: int


def post_lost(
    lost: LostSlots, before: Counters, pack_at: PackAt, contract_at: Callable[[int], int], collected_mills: int
) -> tuple[list[Segment], tuple[int, ...]]:
    """The segments, one per local month, pack and holder (SEMANTICS F1), and what each role is owed below a mill."""
    spent_end_mills = before.spent_mills + lost.spent_mills
    spent_mills, rated_mills, carries = before.spent_mills, before.metered.spent_mills, before.carries
    segments = []
    pieces = _pieces(lost, before.metered, pack_at, contract_at)
    for piece in pieces:
        last = piece is pieces[-1]
        due = [carry + amount for carry, amount in zip(carries, piece.roles, strict=True)]
        metered_mills = piece.metered_mills - rated_mills
        shares = apportion_charges(due, metered_mills)
        carries = tuple(amount - MILL * share for amount, share in zip(due, shares, strict=True))
        end_mills = spent_end_mills if last else min(spent_mills + metered_mills, spent_end_mills)
        shares = bend(shares, end_mills - spent_mills - metered_mills)
        debt_mills = collected_mills - before.collected_mills if last else 0
        collected_now = collected_mills if last else before.collected_mills
        _, version, contract_id = piece.key
        place = (lost.log_generation, piece.first_slot, piece.slots, piece.volume_l, contract_id, version)
        segments.append(Segment(*place, (*shares, debt_mills), end_mills, collected_now))
        spent_mills, rated_mills = end_mills, piece.metered_mills
    # The carries of all roles are the remainder of S, which the meter tells.
    return segments, (carries[0] + lost.remainder - sum(carries), *carries[1:])


def misses_by(lost: LostSlots, before: Counters, pack_at: PackAt) -> int:
    """By how many mills S of the slots misses what they would cost, spread evenly, under a clock as sure as is said."""
    (*_, last) = _pieces(lost, before.metered, pack_at, lambda slot: 0)
    return int(abs(last.metered_mills - before.metered.spent_mills - lost.spent_mills))


def _pieces(lost: LostSlots, metered: RatingState, pack_at: PackAt, contract_at: Callable[[int], int]) -> list[_Piece]:
    pieces: list[_Piece] = []
    for slot, litres in enumerate(lost.litres(), lost.first_slot):
        version, rates = pack_at(slot)
        begun = begin_slot(metered, rates.tariff, slot, lost.sure)
        key = (begun.month, version, contract_at(slot))
        if not pieces or pieces[-1].key != key:
            pieces.append(_Piece(key, slot, 0, 0, [0] * 6, 0))
        piece = pieces[-1]
        for line in charge_lines(metered, rates.tariff, slot, litres, lost.sure):
            for role, amount in enumerate(rates.roles_of(line)):
                piece.roles[role] += amount
        metered = spend(begun, rates.tariff, litres)
        piece.slots += 1
        piece.volume_l += litres
        piece.metered_mills = metered.spent_mills
    return pieces


def _month(slot: int, offsets: Offsets) -> int:
    return local_month_of_day(local_day(slot, offsets))


def _evenly(total_l: int, slots: int) -> Iterator[int]:
    return (total_l * (at + 1) // slots - total_l * at // slots for at in range(slots))
