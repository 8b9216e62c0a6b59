"""The posted slots of a meter, one by one, out of the facts and segments of the books."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from headend.billing.lost import LostSlots
from headend.storage.writer import Tx
from protocol.wire.limits import RANGE_SLOTS_MAX
from protocol.wire.messages import STATUS_CLOCK_UNSURE

# Where the status byte stands in the facts of a DAY or RANGE (docs/SPEC.md).
_STATUS_AT = 9


class RatedSlot(NamedTuple):
    """A half-hour that was posted: its litres, the pack that priced it on the meter, and whether its clock was sure.

    `lost`: the slots that the meter lost for good and that this one is of; its litres are only a share of theirs.
    """

    slot: int
    litres: int
    pack_version: int
    sure: bool
    lost: LostSlots | None = None


def posted_slots(tx: Tx, meter_id: bytes, generation: int, since: tuple[int, int] = (0, -1)) -> list[RatedSlot]:
    """The posted slots of a wallet generation from (log generation, slot) on, in the order in which the meter counted.

    `since` is where a posting ended, so a segment begins there.
    """
    litres: dict[tuple[int, int], tuple[int, bool, LostSlots | None]] = {}
    logs = tx.cursor.execute(
        "SELECT log_generation, first_slot, slots, facts FROM uplink "
        "WHERE meter_id = ?1 AND generation = ?2 AND first_slot IS NOT NULL AND slots IS NOT NULL "
        "AND log_generation >= ?3 AND (log_generation > ?3 OR first_slot > ?4) ORDER BY id",
        (meter_id, generation, since[0], since[1] - RANGE_SLOTS_MAX),
    )
    for log_generation, first_slot, slots, facts in logs.fetchall():
        sure = not facts[_STATUS_AT] & STATUS_CLOCK_UNSURE
        for slot, value in enumerate(unpack_slots(slots), first_slot):
            litres.setdefault((log_generation, slot), (value, sure, None))
    for lost in lost_slots(tx, meter_id, generation):
        for slot, value in enumerate(lost.litres(), lost.first_slot):
            litres[lost.log_generation, slot] = (value, lost.sure, lost)
    columns = "segment_log_generation, segment_first_slot, segment_slots, pack_version"
    later = (
        "meter_id = ?1 AND generation = ?2 AND segment_log_generation >= ?3 "
        "AND (segment_log_generation > ?3 OR segment_first_slot >= ?4)"
    )
    segments = tx.cursor.execute(
        f"SELECT {columns} FROM uplink WHERE {later} AND segment_first_slot IS NOT NULL "
        f"UNION ALL SELECT {columns} FROM segment WHERE {later} ORDER BY 1, 2",
        (meter_id, generation, *since),
    ).fetchall()
    return [
        RatedSlot(slot, *_with_pack(litres[log_generation, slot], pack_version))
        for log_generation, first_slot, count, pack_version in segments
        for slot in range(first_slot, first_slot + count)
    ]


def _with_pack(value: tuple[int, bool, LostSlots | None], pack_version: int) -> tuple[int, int, bool, LostSlots | None]:
    return value[0], pack_version, *value[1:]


def lost_slots(tx: Tx, meter_id: bytes, generation: int) -> list[LostSlots]:
    """What was posted from GAPs (SEMANTICS C4), in order."""
    names = ", ".join(LostSlots.__slots__)
    rows = tx.cursor.execute(
        f"SELECT {names} FROM lost_slots WHERE meter_id = ? AND generation = ? ORDER BY log_generation, first_slot",
        (meter_id, generation),
    )
    return [LostSlots(*(*row[:-1], bool(row[-1]))) for row in rows.fetchall()]


def spread_unsure(slots: Sequence[RatedSlot], before: int | None = None) -> list[RatedSlot]:
    """Unsure litres spread evenly over the slots between the sure ones, which then count as sure (SEMANTICS C2).

    A run of unsure slots that no sure slot closes yet stays as it is. 10 litres over 4 slots: 2, 3, 2, 3. `before` is
    the sure slot that these ones follow, None at the start of a supply.
    """
    spread: list[RatedSlot] = []
    waiting: list[RatedSlot] = []
    for item in slots:
        waiting.append(item)
        if item.sure:
            # What a GAP closed has accrued its missed days in the GAP: nobody can tell which part of it.
            spread += _closed(waiting, before) if item.lost is None else waiting
            waiting, before = [], item.slot
    return spread + waiting


def _closed(items: Sequence[RatedSlot], before: int | None) -> Iterator[RatedSlot]:
    """Unsure slots up to a sure one, the last: spread, but for those that were lost, which nobody can move."""
    run: list[RatedSlot] = []
    for item in items:
        if not item.sure and item.lost is None:
            run.append(item)
            continue
        yield from _evenly(run, before, item.slot)
        yield item
        run, before = [], item.slot


def _evenly(run: Sequence[RatedSlot], before: int | None, after: int) -> Iterable[RatedSlot]:
    """A run between two sure slots; `before` is None at the start of a supply."""
    total_l, count = sum(item.litres for item in run), len(run)
    for i, (item, slot) in enumerate(zip(run, _numbers(run, before, after), strict=True)):
        litres = total_l * (i + 1) // count - total_l * i // count
        yield item._replace(slot=slot, litres=litres, sure=True)


def _numbers(run: Sequence[RatedSlot], before: int | None, after: int) -> list[int]:
    """The run's own slot numbers where they lie between the sure ones; else those just before the clock was found.

    A meter that never had a clock counts from 0, one whose clock ran ahead has more slots than time: what such numbers
    say of days and months never was.
    """
    own = [item.slot for item in run]
    if not own:
        return own
    fits = own[-1] == after - 1 if before is None else before < own[0] and own[-1] < after
    found = own if fits else list(range(after - len(run), after))
    return found if before is None else [max(slot, before) for slot in found]


def pack_slots(litres: Sequence[int]) -> bytes:
    """Litres per slot as the books keep them: u16 big endian each."""
    return b"".join(value.to_bytes(2, "big") for value in litres)


def unpack_slots(slots: bytes) -> tuple[int, ...]:
    """The inverse of `pack_slots`."""
    return tuple(int.from_bytes(slots[at : at + 2], "big") for at in range(0, len(slots), 2))
