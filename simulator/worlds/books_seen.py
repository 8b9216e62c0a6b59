"""The books as a judge reads them: plain rows by plain SQL, with no code of the headend between."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Row = dict[str, Any]
Query = Callable[..., list[tuple[Any, ...]]]

MILLS_PER_MINOR = 1000


class Books:
    """Tables by their names, each read once, when a check first asks for it. `spoilt` are rows in place of the true
    ones, for the tests of the checks."""

    def __init__(self, query: Query, spoilt: dict[str, list[Row]] | None = None) -> None:
        self._query, self._tables = query, dict(spoilt or {})
        self._by_meter: dict[str, dict[bytes, list[Row]]] = {}

    def rows(self, table: str) -> list[Row]:
        """Every row of a table, in the order in which they were written."""
        if table not in self._tables:
            names = [row[1] for row in self._query(f"PRAGMA table_info({table})")]
            rows = self._query(f"SELECT * FROM {table} ORDER BY rowid")
            self._tables[table] = [dict(zip(names, row, strict=True)) for row in rows]
        return self._tables[table]

    def of(self, table: str, meter_id: bytes, generation: int | None = None) -> list[Row]:
        """The rows of one meter, of one wallet generation where that is given."""
        if table not in self._by_meter:
            by_meter = self._by_meter[table] = {}
            for row in self.rows(table):
                by_meter.setdefault(row["meter_id"], []).append(row)
        rows = self._by_meter[table].get(meter_id, [])
        return rows if generation is None else [row for row in rows if row["generation"] == generation]

    def one(self, table: str, meter_id: bytes) -> Row | None:
        """A meter's only row."""
        return next(iter(self.of(table, meter_id)), None)

    def newest_statement(self, meter_id: bytes, generation: int) -> Row | None:
        """C and D as they stand."""
        return max(self.of("statement", meter_id, generation), key=lambda row: int(row["number"]), default=None)

    def account_names(self) -> dict[int, str]:
        """Accounts by their row ids."""
        return {row["id"]: row["code"] for row in self.rows("account")}

    def spoil(self, table: str, change: Callable[[list[Row]], Iterable[Row]]) -> Books:
        """The same books with another table in one's place; the rows given to `change` are copies."""
        spoilt = dict(self._tables)
        spoilt[table] = list(change([dict(row) for row in self.rows(table)]))
        return Books(self._query, spoilt)
