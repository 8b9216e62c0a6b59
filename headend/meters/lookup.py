"""Who holds which meter: from a customer number or a meter id and slot to the wallet that money moves."""

from dataclasses import dataclass

from headend.ledger.posting_rules import Holding
from headend.meters.customer_number import is_valid
from headend.refusals import Code, Refused
from headend.storage.writer import Tx


@dataclass(frozen=True, slots=True)
class Contract:
    """A holder of a meter from `start_slot` on, until the next contract of that meter starts."""

    contract_id: int
    meter_id: bytes
    start_slot: int
    tariff_code: str
    households: int


def holding_of_number(tx: Tx, reference: str) -> Holding | None:
    """The meter of a customer number as typed (spaces and dots are forgiven), or None: then the money waits."""
    number = reference.replace(" ", "").replace(".", "").replace("-", "")
    if not is_valid(number):
        return None
    row = tx.cursor.execute(
        "SELECT c.meter_id, m.generation, c.id FROM contract c JOIN meter m USING (meter_id) "
        "WHERE c.customer_number = ? AND m.state <> 'retired' "
        "AND c.start_slot = (SELECT max(start_slot) FROM contract l WHERE l.meter_id = c.meter_id)",
        (number,),
    ).fetchone()
    return None if row is None else Holding(row[0], int(row[1]), int(row[2]))


def holding_of_meter(tx: Tx, meter_id: bytes) -> Holding:
    """The wallet of a meter and its latest holder. Raises Refused for an unknown meter."""
    row = tx.cursor.execute(
        "SELECT m.generation, c.id FROM meter m JOIN contract c USING (meter_id) WHERE m.meter_id = ? "
        "ORDER BY c.start_slot DESC LIMIT 1",
        (meter_id,),
    ).fetchone()
    if row is None:
        raise Refused(Code.METER_UNKNOWN, "meter_id", meter_id.hex())
    return Holding(meter_id, int(row[0]), int(row[1]))


def contracts_of(tx: Tx, meter_id: bytes) -> list[Contract]:
    """All holders of a meter in order of their start."""
    rows = tx.cursor.execute(
        "SELECT id, meter_id, start_slot, tariff_code, households FROM contract WHERE meter_id = ? ORDER BY start_slot",
        (meter_id,),
    )
    return [Contract(*row) for row in rows.fetchall()]
