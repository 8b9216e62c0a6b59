"""Entries: a dated set of transfers, each with one debit account, one credit account and a positive amount."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headend.storage.writer import Tx


@dataclass(frozen=True, slots=True)
class Transfer:
    """`amount_mills` moves from what the credit account holds to the debit account's side; always positive."""

    debit_account: int
    credit_account: int
    amount_mills: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A business event to post. `key` is the caller's idempotency key; `effective_us` its value date."""

    kind: str
    key: str
    effective_us: int
    memo: str
    transfers: tuple[Transfer, ...]
    meter_id: bytes | None = None
    generation: int | None = None
    reverses: int | None = None


@dataclass(frozen=True, slots=True)
class Posted:
    """The row of an entry. `new` is False when the key was there already: then nothing was posted."""

    entry_id: int
    new: bool


class KeyReused(ValueError):
    """The idempotency key names another event; the caller must not use one key twice."""


def post(tx: Tx, entry: Entry) -> Posted:
    """Append an entry with its transfers, once per key.

    A repeated key gives the first entry's id again. Raises KeyReused if what stands under it differs in kind or
    transfers, ValueError on an entry without transfers.
    """
    if not entry.transfers:
        raise ValueError("an entry needs a transfer")
    again = repeated(tx, entry)
    if again is not None:
        return again
    columns = ("kind", "key", "effective_us", "memo", "meter_id", "generation", "reverses")
    entry_id = tx.append("entry", {name: getattr(entry, name) for name in columns})
    for item in entry.transfers:
        values = {"debit_account": item.debit_account, "credit_account": item.credit_account}
        tx.append("transfer", {"entry_id": entry_id, **values, "amount_mills": item.amount_mills})
    return Posted(entry_id, new=True)


def repeated(tx: Tx, entry: Entry, stands_for: Mapping[int, int] | None = None) -> Posted | None:
    """What stands under the entry's key already, None if nothing does. Raises KeyReused if it is another entry.

    `stands_for`: an account in which a part may have been posted in the place of another one.
    """
    row = tx.cursor.execute("SELECT id, kind FROM entry WHERE key = ?", (entry.key,)).fetchone()
    if row is None:
        return None
    names = stands_for or {}
    if row[1] != entry.kind or _sums(transfers_of(tx, row[0]), names) != _sums(entry.transfers, names):
        raise KeyReused(f"idempotency key {entry.key!r} stands for another entry")
    return Posted(int(row[0]), new=False)


def _sums(transfers: Sequence[Transfer], names: Mapping[int, int]) -> Counter[tuple[int, int]]:
    """How much moves between each two accounts."""
    sums: Counter[tuple[int, int]] = Counter()
    for item in transfers:
        debit, credit = (names.get(account, account) for account in (item.debit_account, item.credit_account))
        sums[debit, credit] += item.amount_mills
    return sums


def transfers_of(tx: Tx, entry_id: int) -> list[Transfer]:
    """An entry's transfers in a fixed order."""
    rows = tx.cursor.execute(
        "SELECT debit_account, credit_account, amount_mills FROM transfer WHERE entry_id = ?", (entry_id,)
    )
    return sorted_transfers([Transfer(*map(int, row)) for row in rows.fetchall()])


def sorted_transfers(transfers: Sequence[Transfer]) -> list[Transfer]:
    return sorted(transfers, key=lambda item: (item.debit_account, item.credit_account, item.amount_mills))
