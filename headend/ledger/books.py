"""Opening the books of a utility: its name and currency, the system accounts, the role map."""

from headend.ledger import chart
from headend.storage.writer import Tx

EXPONENT_MAX = 3


def open_books(tx: Tx, name: str, currency: str, exponent: int) -> None:
    """Open the books once; again with the same currency is no change.

    `currency` is an ISO 4217 code and `exponent` its decimals (XOF 0, KES 2, TND 3). Raises ValueError when the books
    are already kept in another currency or the exponent is out of range.
    """
    if not 0 <= exponent <= EXPONENT_MAX:
        raise ValueError(f"exponent {exponent} is not 0..{EXPONENT_MAX}")
    row = tx.cursor.execute("SELECT currency, exponent FROM utility").fetchone()
    if row is None:
        values = (1, name, currency, exponent)
        tx.cursor.execute("INSERT INTO utility (id, name, currency, exponent) VALUES (?, ?, ?, ?)", values)
    elif tuple(row) != (currency, exponent):
        raise ValueError(f"these books are kept in {row[0]} with {row[1]} decimals: choose another database")
    chart.open_system_accounts(tx)
