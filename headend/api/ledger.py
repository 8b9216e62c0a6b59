"""The books: what every kind of account holds, and whether all of it agrees."""

from sqlalchemy import Connection, text

from headend.api.endpoint import Endpoint
from headend.api.shapes import Response
from headend.ledger.checks import CHECKS, check_books


class AccountClass(Response):
    """All accounts of one class together, in mills. `balance_mills` is on the side that increases the class."""

    account_class: str
    side: str
    accounts: int
    debited_mills: int
    credited_mills: int
    balance_mills: int


class TrialBalance(Response):
    """Every posting once as a debit and once as a credit; `balanced` when both sums are equal."""

    currency: str
    classes: list[AccountClass]
    debited_mills: int
    credited_mills: int
    balanced: bool
    entries: int
    segments: int


class BookFault(Response):
    """Something that does not agree: which check found it, where, and what is wrong."""

    check: str
    place: str
    detail: str


class BookCheck(Response):
    """The books checked whole: `faults` is empty when all agree (SEMANTICS B8, F1, F2)."""

    good: bool
    chain_ok: bool
    checks: list[str]
    faults: list[BookFault]


def get_trial_balance(connection: Connection) -> TrialBalance:
    """The trial balance by class of account."""
    query = text(
        "SELECT a.class_, a.side, count(*) AS accounts, sum(coalesce(d.mills, 0)) AS debited, "
        "sum(coalesce(c.mills, 0)) AS credited FROM account a "
        "LEFT JOIN (SELECT debit_account AS id, sum(amount_mills) AS mills FROM posting GROUP BY 1) d ON d.id = a.id "
        "LEFT JOIN (SELECT credit_account AS id, sum(amount_mills) AS mills FROM posting GROUP BY 1) c ON c.id = a.id "
        "GROUP BY a.class_, a.side ORDER BY a.class_"
    )
    classes = [
        AccountClass(
            account_class=row.class_,
            side=row.side,
            accounts=row.accounts,
            debited_mills=row.debited,
            credited_mills=row.credited,
            balance_mills=row.debited - row.credited if row.side == "debit" else row.credited - row.debited,
        )
        for row in connection.execute(query)
    ]
    debited, credited = sum(one.debited_mills for one in classes), sum(one.credited_mills for one in classes)
    currency = connection.execute(text("SELECT currency FROM utility")).scalar_one_or_none()
    return TrialBalance(
        currency=currency or "",
        classes=classes,
        debited_mills=debited,
        credited_mills=credited,
        balanced=debited == credited,
        entries=connection.execute(text("SELECT count(*) FROM entry")).scalar_one(),
        segments=connection.execute(text(_SEGMENTS)).scalar_one(),
    )


def get_check(connection: Connection) -> BookCheck:
    """Check everything: chain, trial balance, wallets, money in, statements, every meter posted again from its log."""
    faults = [BookFault(fault.check, fault.where, fault.what) for fault in check_books(connection)]
    names = [check.name for check in CHECKS]
    return BookCheck(not faults, all(fault.check != "chain" for fault in faults), names, faults)


_SEGMENTS = "SELECT (SELECT count(*) FROM segment) + (SELECT count(*) FROM uplink WHERE segment_slots IS NOT NULL)"

ENDPOINTS = (
    Endpoint("GET", "/v1/ledger/trial-balance", get_trial_balance, "Trial balance", "Books"),
    Endpoint("GET", "/v1/ledger/check", get_check, "Check the books", "Books"),
)
