"""Correcting what is written of a holder and a place. Who holds the meter does not change by it; the audit keeps what
stood there before (IW-15)."""

from collections.abc import Mapping

from headend.ledger.payments import is_text
from headend.meters.lookup import holding_of_meter
from headend.refusals import Code, Refused
from headend.storage.writer import Tx

# What may be corrected: the request's name, the table, its column.
FIELDS = {
    "holder": ("customer", "name"),
    "phone": ("customer", "phone"),
    "language": ("customer", "language"),
    "service_point": ("service_point", "label"),
    "address": ("service_point", "address"),
}
OPTIONAL = ("phone", "address")


def edit_details(tx: Tx, meter_id: bytes, changes: Mapping[str, str | None]) -> None:
    """Correct the named fields of the present holder and place. Raises Refused, naming the field."""
    contract_id = holding_of_meter(tx, meter_id).contract_id
    keys = tx.cursor.execute("SELECT customer_id, service_point_id FROM contract WHERE id = ?", (contract_id,))
    customer_id, service_point_id = keys.fetchone()
    ids = {"customer": customer_id, "service_point": service_point_id}
    for name, value in changes.items():
        table, column = FIELDS[name]
        if value is None and name in OPTIONAL:
            pass
        elif name == "language" and value not in ("fr", "en"):
            raise Refused(Code.LANGUAGE, name, str(value))
        elif value is None or not is_text(value):
            raise Refused(Code.NAME, name)
        tx.cursor.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (value, ids[table]))
