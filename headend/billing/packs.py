"""Packs: what each meter is meant to hold, as numbered rows that the downlinks are compared with (SEMANTICS B4, D1)."""

from headend.billing.published import known_at, rates_of, timeline
from headend.ledger import recovered
from headend.meters.lookup import Contract
from headend.storage.high_water import content_hash
from headend.storage.writer import Tx
from protocol.rules.tariff import encode_body
from protocol.wire.limits import U16_MAX
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF

UNECHOED_MAX = 15


def append_pack(tx: Tx, meter_id: bytes, kind: int, from_slot: int, body: bytes, tariff_id: int | None) -> int:
    """Give a meter its next pack of a kind; returns the version. Raises OverflowError when the numbers are spent.

    After a restore, what the meter may hold already keeps its number, and no other content ever has it (A5).
    """
    version = _version_for(tx, meter_id, kind, from_slot, body)
    if version > U16_MAX:
        raise OverflowError(f"meter {meter_id.hex()} has had {U16_MAX} packs of kind {kind}")
    head = {"meter_id": meter_id, "kind": kind, "version": version, "from_slot": from_slot}
    tx.append("pack", {**head, "body": body, "tariff_id": tariff_id})
    return version


def next_version(tx: Tx, meter_id: bytes, kind: int) -> int:
    row = tx.cursor.execute(
        "SELECT coalesce(max(version), 0) + 1 FROM pack WHERE meter_id = ? AND kind = ?", (meter_id, kind)
    ).fetchone()
    return int(row[0])


def _version_for(tx: Tx, meter_id: bytes, kind: int, from_slot: int, body: bytes) -> int:
    following, since = next_version(tx, meter_id, kind), recovered.load(tx, meter_id)
    if since is None:
        return following
    row = tx.cursor.execute(
        "SELECT max(version) FROM recovery_pack r WHERE meter_id = ? AND kind = ? AND content_hash = ? AND NOT EXISTS "
        "(SELECT 1 FROM pack p WHERE p.meter_id = r.meter_id AND p.kind = r.kind AND (p.version = r.version "
        "OR p.kind <> ? AND p.version > r.version))",
        (meter_id, kind, content_hash(from_slot, body), DOWN_TARIFF),
    ).fetchone()
    floors = {DOWN_TARIFF: since.tariff_floor, DOWN_POLICY: since.policy_floor, DOWN_PLAN: since.plan_floor}
    return max(following, floors[kind] + 1) if row[0] is None else int(row[0])


def unechoed(tx: Tx, meter_id: bytes) -> int:
    """How far the newest tariff pack of a meter is ahead of the one it is known to hold."""
    row = tx.cursor.execute("SELECT tariff_echo FROM meter_link WHERE meter_id = ?", (meter_id,)).fetchone()
    return next_version(tx, meter_id, DOWN_TARIFF) - 1 - (0 if row is None else int(row[0]))


def bring_tariffs(tx: Tx, contract: Contract, slot: int, anew: bool = False) -> list[int]:
    """Give a meter every tariff in force at `slot` or later that its packs do not say yet; returns the new versions.

    A tariff that was over before `slot` is not for the meter: rating again settles it (SEMANTICS B5). What would be the
    sixteenth that the meter has not echoed is held back and brought when it has: 4 bits on air name a pack (B4).
    `anew`: whatever was given before was for another home.
    """
    known = timeline(tx, contract.tariff_code)
    present = known_at(known, slot)
    wanted = [tariff for tariff in known if tariff == present or tariff.valid_from_slot > slot]
    current = {tariff.valid_from_slot: tariff for tariff in reversed(wanted)}
    before: dict[int, int] = dict(
        tx.cursor.execute(
            "SELECT from_slot, tariff_id FROM pack WHERE meter_id = ? AND kind = ? ORDER BY version",
            (contract.meter_id, DOWN_TARIFF),
        ).fetchall()
    )
    held = {} if anew else before
    versions: list[int] = []
    room = UNECHOED_MAX - unechoed(tx, contract.meter_id)
    for from_slot, tariff in sorted(current.items()):
        if held.get(from_slot) != tariff.tariff_id and len(versions) < room:
            body = encode_body(rates_of(tariff.printed, contract.households).tariff)
            versions.append(append_pack(tx, contract.meter_id, DOWN_TARIFF, from_slot, body, tariff.tariff_id))
    return versions
