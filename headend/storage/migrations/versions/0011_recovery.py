"""What a restore finds that meters hold beyond the books: a part of D, and what each meter told since.

Revision 0011.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")

_PARTS = (
    "paid_mills",
    "moved_in_mills",
    "rating_credit_mills",
    "recovered_mills",
    "reversed_mills",
    "rating_debit_mills",
    "moved_out_mills",
)
_KEPT = f"id, batch_id, meter_id, generation, number, credited_mills, debited_mills, {', '.join(_PARTS)}, entry_id"

_SHARES = (
    "paid_mills",
    "moved_in_mills",
    "rating_credit_mills",
    "credit_mills",
    "reversed_mills",
    "rating_debit_mills",
    "debit_mills",
)

_INSERT_ONLY = """
CREATE TRIGGER statement_no_{verb} BEFORE {verb} ON statement
BEGIN SELECT RAISE(ABORT, 'statement is insert-only: correct it with another row'); END
"""

_STATEMENT_RISES = """
CREATE TRIGGER statement_rises BEFORE INSERT ON statement
WHEN EXISTS (SELECT 1 FROM statement old WHERE old.meter_id = NEW.meter_id AND old.generation = NEW.generation
             AND (old.number >= NEW.number OR old.credited_mills > NEW.credited_mills
                  OR old.debited_mills > NEW.debited_mills))
BEGIN SELECT RAISE(ABORT, 'statement must rise: number, credited and debited never fall'); END
"""


def upgrade() -> None:
    _statements()
    op.create_table(
        "recovery",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("generation", "restored_us", "until_us")),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("backup_number", "number")),
        *(sa.Column(name, WHOLE, nullable=False) for name in _SHARES),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("backup_command", "command_floor")),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("policy_floor", "plan_floor", "tariff_floor")),
        *(sa.Column(name, WHOLE, nullable=True) for name in ("heard_us", "device_counter", "anchor_counter")),
        sa.Column("told_us", WHOLE, nullable=True),
        sa.Column("found", sa.Text(), nullable=False),
        *(sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_recovery_{name}")) for name in _SHARES),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_recovery_meter_id_8_bytes")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_recovery")),
        sqlite_strict=True,
    )
    op.create_table(
        "recovery_pack",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_recovery_pack_meter_id_8_bytes")),
        sa.PrimaryKeyConstraint("meter_id", "kind", "version", name=op.f("pk_recovery_pack")),
        sqlite_strict=True,
    )


def _statements() -> None:
    """D has one part more. SQLite changes no CHECK, so the table is made again with its rows and its triggers."""
    op.execute(f"CREATE TEMPORARY TABLE statements_kept AS SELECT {_KEPT} FROM statement")
    op.drop_table("statement")
    op.create_table(
        "statement",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("generation", "number")),
        *(sa.Column(name, WHOLE, nullable=False) for name in ("credited_mills", "debited_mills", *_PARTS)),
        sa.Column("recovered_debit_mills", WHOLE, nullable=False, server_default="0"),
        sa.Column("entry_id", WHOLE, nullable=True),
        *(
            sa.CheckConstraint(f"{name} >= 0", name=op.f(f"ck_statement_{name}"))
            for name in ("number", *_PARTS, "recovered_debit_mills")
        ),
        sa.CheckConstraint(
            "credited_mills <= 9007199254740991 AND debited_mills <= 9007199254740991",
            name=op.f("ck_statement_counters_53_bits"),
        ),
        sa.CheckConstraint(f"credited_mills = {' + '.join(_PARTS[:4])}", name=op.f("ck_statement_credited_is_the_sum")),
        sa.CheckConstraint(
            f"debited_mills = {' + '.join((*_PARTS[4:], 'recovered_debit_mills'))}",
            name=op.f("ck_statement_debited_is_the_sum"),
        ),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_statement_meter_id_8_bytes")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_statement_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_statement_entry_id")),
        sa.UniqueConstraint("meter_id", "generation", "number", name=op.f("uq_statement_meter_id_generation_number")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO statement ({_KEPT}) SELECT {_KEPT} FROM statements_kept ORDER BY id")
    op.execute("DROP TABLE statements_kept")
    for verb in ("UPDATE", "DELETE"):
        op.execute(_INSERT_ONLY.format(verb=verb))
    op.execute(_STATEMENT_RISES)


def downgrade() -> None:
    for name in ("recovery_pack", "recovery"):
        op.drop_table(name)
