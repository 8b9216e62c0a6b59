"""A tariff's terms, the notices of corrections, and where rating again stands.

Revision 0005.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")

_INSERT_ONLY = """
CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, '{table} is insert-only: correct it with another row'); END
"""


def upgrade() -> None:
    _books()
    _state()
    for table in ("tariff_terms", "rating_notice"):
        for verb in ("UPDATE", "DELETE"):
            op.execute(_INSERT_ONLY.format(table=table, verb=verb))


def _books() -> None:
    op.create_table(
        "tariff_terms",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("tariff_id", WHOLE, nullable=False),
        sa.Column("notice_days", WHOLE, nullable=False),
        sa.Column("prorated", WHOLE, nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.CheckConstraint("notice_days BETWEEN 0 AND 366", name=op.f("ck_tariff_terms_notice_days_range")),
        sa.CheckConstraint("prorated IN (0, 1)", name=op.f("ck_tariff_terms_prorated_known")),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariff.id"], name=op.f("fk_tariff_terms_tariff_id")),
        sa.UniqueConstraint("tariff_id", name=op.f("uq_tariff_terms_tariff_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "rating_notice",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("contract_id", WHOLE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_mills", WHOLE, nullable=False),
        sa.Column("before_mills", WHOLE, nullable=False),
        sa.Column("due_us", WHOLE, nullable=False),
        sa.Column("text_fr", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_rating_notice_meter_id_8_bytes")),
        sa.CheckConstraint("kind IN ('wallet', 'debt')", name=op.f("ck_rating_notice_kind_known")),
        sa.CheckConstraint("amount_mills <> 0", name=op.f("ck_rating_notice_amount_not_zero")),
        sqlite_strict=True,
    )
    op.create_index("ix_rating_notice_meter_id", "rating_notice", ["meter_id", "generation", "kind"], unique=False)


def _state() -> None:
    op.create_table(
        "rating_work",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("due_us", WHOLE, nullable=False),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_rating_work_meter_id_8_bytes")),
        sa.PrimaryKeyConstraint("meter_id", "due_us", name=op.f("pk_rating_work")),
        sqlite_strict=True,
    )
    op.create_index("ix_rating_work_due_us", "rating_work", ["due_us"], unique=False)
    op.create_table(
        "rating_base",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("tariff_id", WHOLE, nullable=False),
        sa.Column("contracts", sa.Text(), nullable=False),
        sa.Column("sums", sa.Text(), nullable=False),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_rating_base_meter_id_8_bytes")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_rating_base")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in ("rating_base", "rating_work", "rating_notice", "tariff_terms"):
        op.drop_table(name)
