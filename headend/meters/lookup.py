"""Who holds which meter: from a customer number or a meter id and slot to the wallet that money moves."""

from dataclasses import dataclass

from headend.ledger.posting_rules import Holding
from headend.meters.customer_number import is_valid
from headend.refusals import Code, Refused
from headend.storage.remembered import Topic
from headend.storage.writer import Tx

SPARE, ACTIVE, RETIRED = "spare", "active", "retired"


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
    """The wallet of a meter and its latest holder, also of one that was taken away. Raises Refused for an unknown meter
    and for a spare."""
    row = tx.cursor.execute(
        "SELECT m.generation, v.contract_id FROM meter m JOIN served v USING (meter_id) WHERE m.meter_id = ? "
        "ORDER BY v.start_slot DESC LIMIT 1",
        (meter_id,),
    ).fetchone()
    if row is None:
        code = Code.METER_UNKNOWN if state_of_meter(tx, meter_id) is None else Code.METER_SPARE
        raise Refused(code, "meter_id", meter_id.hex())
    return Holding(meter_id, int(row[0]), int(row[1]))


def holding_in_use(tx: Tx, meter_id: bytes) -> Holding:
    """The same of a meter that is to be told or given something. Raises Refused for one that was taken away, too."""
    if state_of_meter(tx, meter_id) == RETIRED:
        raise Refused(Code.METER_RETIRED, "meter_id", meter_id.hex())
    return holding_of_meter(tx, meter_id)


def present_holding(tx: Tx, contract_id: int) -> Holding | None:
    """The wallet that a holder has now, in whatever meter; None after the last one was taken away."""
    row = tx.cursor.execute(
        "SELECT c.meter_id, m.generation FROM contract c JOIN meter m USING (meter_id) "
        f"WHERE c.id = ? AND m.state <> '{RETIRED}'",
        (contract_id,),
    ).fetchone()
    return None if row is None else Holding(row[0], int(row[1]), contract_id)


def state_of_meter(tx: Tx, meter_id: bytes) -> str | None:
    """What the registry says of a meter; None for an unknown one."""
    row = tx.cursor.execute("SELECT state FROM meter WHERE meter_id = ?", (meter_id,)).fetchone()
    return None if row is None else str(row[0])


def contracts_of(tx: Tx, meter_id: bytes) -> list[Contract]:
    """All holders of a meter in order of their start, also those who have another meter now; none of a spare."""
    return list(tx.remembered.recall(Topic.HOLDERS, meter_id, lambda: _contracts_of(tx, meter_id)))


def _contracts_of(tx: Tx, meter_id: bytes) -> tuple[Contract, ...]:
    rows = tx.cursor.execute(
        "SELECT c.id, v.meter_id, c.start_slot, c.tariff_code, c.households FROM served v "
        "JOIN contract c ON c.id = v.contract_id WHERE v.meter_id = ? ORDER BY c.start_slot",
        (meter_id,),
    )
    return tuple(Contract(*row) for row in rows.fetchall())
