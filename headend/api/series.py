"""The half-hour curve as stored: litres per slot, and nothing where nothing was heard (CT-15)."""

from sqlalchemy import Connection, text

# A frame holds at most 255 slots, so one that reaches into a window begins at most this far before it.
_FRAME_SLOTS_MAX = 255


def litres_by_slot(connection: Connection, meter_id: bytes, first_slot: int, end_slot: int) -> dict[int, int]:
    """Litres of every stored slot in first_slot..end_slot−1; a slot that is absent was never heard.

    The same slot heard twice counts once, the first value standing. After a clock was set back, a slot number occurs in
    two log generations (SEMANTICS C1); both flows are real, so they add up.
    """
    query = text(
        "SELECT log_generation, first_slot, slots FROM uplink WHERE meter_id = :meter_id "
        "AND first_slot > :earliest AND first_slot < :end_slot AND slots IS NOT NULL ORDER BY id"
    )
    fields = {"meter_id": meter_id, "earliest": first_slot - _FRAME_SLOTS_MAX - 1, "end_slot": end_slot}
    heard: dict[tuple[int, int], int] = {}
    for row in connection.execute(query, fields):
        packed = bytes(row.slots)
        for index in range(len(packed) // 2):
            slot = row.first_slot + index
            if first_slot <= slot < end_slot:
                litres = int.from_bytes(packed[2 * index : 2 * index + 2], "big")
                heard.setdefault((row.log_generation, slot), litres)
    by_slot: dict[int, int] = {}
    for (_, slot), litres in heard.items():
        by_slot[slot] = by_slot.get(slot, 0) + litres
    return by_slot
