"""What a restore recovered, seen from three sides: the account, the statements, and what is to be explained (A5)."""

from collections.abc import Iterator

from sqlalchemy import Connection

from headend.ledger import chart
from headend.ledger.fault import Fault
from headend.storage.recovery_tables import CREDIT_SHARES, DEBIT_SHARES

_LAST = "s.number = (SELECT max(number) FROM statement l WHERE l.meter_id = s.meter_id AND l.generation = s.generation)"
_HELD = """
SELECT coalesce(sum(CASE WHEN debit_account = a.id THEN amount_mills ELSE -amount_mills END), 0)
FROM account a JOIN posting p ON a.id IN (p.debit_account, p.credit_account) WHERE a.code = ?
"""
_TOLD = f"SELECT coalesce(sum(recovered_mills - recovered_debit_mills), 0) FROM statement s WHERE {_LAST}"
_OPEN = f"""
SELECT r.meter_id, s.recovered_mills, s.recovered_debit_mills, {" + ".join("r." + name for name in CREDIT_SHARES)},
       {" + ".join("r." + name for name in DEBIT_SHARES)}
FROM recovery r JOIN meter m ON m.meter_id = r.meter_id AND m.generation = r.generation AND m.state <> 'retired'
JOIN statement s ON s.meter_id = r.meter_id AND s.generation = r.generation WHERE {_LAST}
"""


def recovered(connection: Connection) -> Iterator[Fault]:
    """The account `recovered` holds what the statements say, and of each meter that much is to be explained."""
    held = int(connection.exec_driver_sql(_HELD, (chart.RECOVERED,)).scalar_one())
    told = int(connection.exec_driver_sql(_TOLD).scalar_one())
    if held != told:
        yield Fault("recovered", f"account {chart.RECOVERED}", f"holds {held} mills, the statements say {told}")
    for meter_id, credit, debit, credit_open, debit_open in connection.exec_driver_sql(_OPEN):
        if (credit, debit) != (credit_open, debit_open):
            what = f"{credit} of C and {debit} of D are recovered, {credit_open} and {debit_open} are to be explained"
            yield Fault("recovered", f"meter {meter_id.hex()}", what)
