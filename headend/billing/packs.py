"""Packs: what each meter is meant to hold, as numbered rows that the downlinks are compared with (SEMANTICS B4, D1)."""

from headend.billing.published import known_at, rates_of, timeline
from headend.meters.lookup import Contract
from headend.storage.writer import Tx
from protocol.rules.tariff import encode_body
from protocol.wire.limits import U16_MAX
from protocol.wire.messages import DOWN_TARIFF

UNECHOED_MAX = 15


def append_pack(tx: Tx, meter_id: bytes, kind: int, from_slot: int, body: bytes, tariff_id: int | None) -> int:
    """Give a meter its next pack of a kind; returns the version. Raises OverflowError when the numbers are spent."""
    version = next_version(tx, meter_id, kind)
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
