"""Tariffs, policies and plans that a meter does not echo yet: whole where a frame holds them, else part by part.

A body that needs several frames is sent in turn, part after part and round again, until the echo says that it is
complete: a part that was lost comes again by itself, and nobody needs to know which one it was.
"""

from headend.downlink.reply import Message
from headend.ingest.meter_link import MeterLink
from headend.storage.remembered import Topic
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.wire.downlinks import encode_down
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF
from protocol.wire.parts import pack_parts

TARIFFS_TO_COME_MAX = 2

# The oldest pack of a kind that the meter has not echoed and that no newer one replaces. A tariff from before the one
# that acts would be ignored (SEMANTICS B4), so it must not hold up the next.
_PENDING = (
    "SELECT version, from_slot, body FROM pack p WHERE meter_id = ? AND kind = ? AND version > ? "
    "AND NOT EXISTS (SELECT 1 FROM pack n WHERE n.meter_id = p.meter_id AND n.kind = p.kind "
    "AND n.version > p.version AND (p.kind <> 3 OR n.from_slot <= p.from_slot)) "
    "AND NOT EXISTS (SELECT 1 FROM pack a WHERE a.meter_id = p.meter_id AND a.kind = 3 AND p.kind = 3 "
    "AND a.version = ? AND a.from_slot > p.from_slot) ORDER BY version LIMIT 1"
)


def pending_packs(tx: Tx, link: MeterLink, acting: int) -> list[tuple[Message, ...]]:
    """The parts of what is missing, one pack of each kind; `acting` is the version of the tariff that acts."""
    echoes = {DOWN_TARIFF: link.tariff_echo, DOWN_POLICY: link.policy_echo, DOWN_PLAN: link.plan_echo}
    pending = []
    newest = tx.remembered.recall(Topic.PACKS, ("newest", link.meter_id), lambda: _newest(tx, link.meter_id))
    for kind, echo in echoes.items():
        if newest.get(kind, 0) <= echo:
            continue
        row = tx.cursor.execute(_PENDING, (link.meter_id, kind, echo, acting if link.tariff_echo else 0)).fetchone()
        if row is not None and (kind != DOWN_TARIFF or _has_room(tx, link, row[1])):
            pending.append(tuple(encode_down(part, kind) for part in pack_parts(*row)))
    return pending


def _newest(tx: Tx, meter_id: bytes) -> dict[int, int]:
    """The newest version of each kind of pack."""
    rows = tx.cursor.execute("SELECT kind, max(version) FROM pack WHERE meter_id = ? GROUP BY kind", (meter_id,))
    return dict(rows.fetchall())


def _has_room(tx: Tx, link: MeterLink, from_slot: int) -> bool:
    """Whether a meter can hold a tariff that starts then: it holds two that are to come, of this wallet generation."""
    (to_come,) = tx.cursor.execute(
        "SELECT count(DISTINCT p.from_slot) FROM pack p JOIN opening o ON o.meter_id = p.meter_id "
        "WHERE p.meter_id = ? AND o.generation = ? AND p.batch_id >= o.batch_id AND p.kind = ? AND p.version <= ? "
        "AND p.from_slot > ? AND p.from_slot <> ?",
        (link.meter_id, link.generation, DOWN_TARIFF, link.tariff_echo, slot_of(tx.now_us // 1_000_000), from_slot),
    ).fetchone()
    return bool(to_come < TARIFFS_TO_COME_MAX)


def next_parts(pending: list[tuple[Message, ...]], turn: int, room: int) -> tuple[list[Message], int]:
    """(parts to send now, the next turn): packs take turns, and within a pack its parts; none goes twice at a time."""
    picked: dict[tuple[int, int], Message] = {}
    packs = len(pending)
    for _ in range(packs * room):
        if len(picked) == room:
            break
        pack, part = turn % packs, turn // packs % len(pending[turn % packs])
        picked[pack, part] = pending[pack][part]
        turn += 1
    return [picked[place] for place in sorted(picked)], turn
