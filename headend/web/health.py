"""The page's own look at the books, quick enough for every few seconds; the full check is `guelta ledger check`."""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from headend.storage import chain

# Every wallet account must hold what the meter's counters say: C − D − S − R (SEMANTICS A1).
_WALLETS_OFF = """
SELECT count(*) FROM (
SELECT s.credited_mills - s.debited_mills - coalesce(st.spent_mills + st.collected_mills, 0) AS counted,
       coalesce((SELECT sum(amount_mills) FROM posting WHERE credit_account = a.id), 0)
     - coalesce((SELECT sum(amount_mills) FROM posting WHERE debit_account = a.id), 0) AS booked
FROM meter m
JOIN account a ON a.class_ = 'wallet' AND a.meter_id = m.meter_id AND a.generation = m.generation
JOIN statement s ON s.meter_id = m.meter_id AND s.generation = m.generation
     AND s.number = (SELECT max(number) FROM statement y WHERE y.meter_id = m.meter_id AND y.generation = m.generation)
LEFT JOIN meter_state st ON st.meter_id = m.meter_id AND st.generation = m.generation
) WHERE counted <> booked
"""


@dataclass(frozen=True)
class BooksHealth:
    """`balanced`: every wallet account equals its meter's counters; `chain_ok`: every link follows the one before it,
    up to `last_batch` with `last_hash`.
    """

    balanced: bool
    chain_ok: bool
    last_batch: int
    last_hash: bytes


_UNSEEN = BooksHealth(True, True, 0, chain.GENESIS)


def check_books(connection: Connection, before: BooksHealth | None) -> BooksHealth:
    """Look at all wallets, and at the links since the look before."""
    balanced = connection.execute(text(_WALLETS_OFF)).scalar_one() == 0
    seen = _UNSEEN if before is None else before
    last_batch, last_hash = seen.last_batch, seen.last_hash
    for row in connection.execute(text(_LINKS), {"after": last_batch}):
        expected = chain.link(last_hash, row.id, row.lane, row.format, row.committed_us, bytes(row.manifest))
        if bytes(row.previous_hash) != last_hash or bytes(row.hash) != expected:
            return BooksHealth(balanced, False, last_batch, last_hash)
        last_batch, last_hash = row.id, expected
    return BooksHealth(balanced, True, last_batch, last_hash)


_LINKS = """
SELECT id, lane, format, committed_us, previous_hash, manifest, hash FROM batch WHERE id > :after ORDER BY id
"""
