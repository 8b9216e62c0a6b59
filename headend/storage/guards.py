"""What the database itself refuses and shows: insert-only triggers, statements that never fall, the view `posting`."""

_INSERT_ONLY = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is insert-only: correct it with another row'); END
"""

# C and D never decrease and the number rises by one (SEMANTICS A1, A2, D1); a lower one would undo money on a meter.
_STATEMENT_RISES = """
CREATE TRIGGER statement_rises BEFORE INSERT ON statement
WHEN EXISTS (SELECT 1 FROM statement old WHERE old.meter_id = NEW.meter_id AND old.generation = NEW.generation
             AND (old.number >= NEW.number OR old.credited_mills > NEW.credited_mills
                  OR old.debited_mills > NEW.debited_mills))
BEGIN SELECT RAISE(ABORT, 'statement must rise: number, credited and debited never fall'); END
"""

# A row may be stored as already reversed once only, and never reverse another meter's entry.
_REVERSAL_MATCHES = """
CREATE TRIGGER reversal_matches BEFORE INSERT ON entry
WHEN NEW.reverses IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entry old WHERE old.id = NEW.reverses
             AND old.meter_id IS NEW.meter_id AND old.generation IS NEW.generation)
BEGIN SELECT RAISE(ABORT, 'a reversal names an entry of the same meter and generation'); END
"""


def _segment_postings(source: str, roles: tuple[str, ...]) -> list[str]:
    """One SELECT per role: wallet debited, the role's account credited; each litre's money appears once."""
    selects = []
    for role in roles:
        if role == "debt":
            credit, join = "r.id", "JOIN account r ON r.class_ = 'receivable' AND r.contract_id = s.contract_id"
        else:
            credit = "m.account_id"
            join = f"JOIN role_account m ON m.role_map = s.role_map AND m.role = '{role}'"
        selects.append(
            f"SELECT '{source}' AS source, s.id AS source_id, s.batch_id AS batch_id, s.meter_id AS meter_id, "
            f"w.id AS debit_account, {credit} AS credit_account, s.{role}_mills AS amount_mills FROM {source} s "
            "JOIN account w ON w.class_ = 'wallet' AND w.meter_id = s.meter_id AND w.generation = s.generation "
            f"{join} WHERE s.{role}_mills > 0"
        )
    return selects


def _posting_view(roles: tuple[str, ...]) -> str:
    transfers = (
        "SELECT 'transfer' AS source, t.id AS source_id, t.batch_id AS batch_id, e.meter_id AS meter_id, "
        "t.debit_account AS debit_account, t.credit_account AS credit_account, t.amount_mills AS amount_mills "
        "FROM transfer t JOIN entry e ON e.id = t.entry_id"
    )
    return "CREATE VIEW posting AS " + " UNION ALL ".join(
        [transfers, *_segment_postings("uplink", roles), *_segment_postings("segment", roles)]
    )


def create_statements(books: tuple[str, ...], roles: tuple[str, ...]) -> list[str]:
    """The DDL, in order, after the tables exist: `books` become insert-only, `posting` has one row per role."""
    refusals = [_INSERT_ONLY.format(table=book, verb=verb) for book in books for verb in ("UPDATE", "DELETE")]
    return [*refusals, _STATEMENT_RISES, _REVERSAL_MATCHES, _posting_view(roles)]
