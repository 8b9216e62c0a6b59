"""Providers, what they sign with, and what each of their messages was answered.

Revision 0003.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "provider",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("minimum_minor", WHOLE, nullable=False),
        sa.Column("ceiling_minor", WHOLE, nullable=False),
        sa.Column("created_us", WHOLE, nullable=False),
        sa.CheckConstraint("minimum_minor >= 1", name=op.f("ck_provider_minimum_positive")),
        sa.CheckConstraint("ceiling_minor >= minimum_minor", name=op.f("ck_provider_ceiling_above_minimum")),
        sa.UniqueConstraint("name", name=op.f("uq_provider_name")),
        sqlite_strict=True,
    )
    op.create_table(
        "provider_secret",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("provider_id", WHOLE, nullable=False),
        sa.Column("kek_id", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", WHOLE, nullable=False),
        sa.Column("retired_us", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(["provider_id"], ["provider.id"], name=op.f("fk_provider_secret_provider_id_provider")),
        sqlite_strict=True,
    )
    op.create_table(
        "till_answer",
        sa.Column("till_event_id", WHOLE, nullable=False),
        sa.Column("transaction_id", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("payment_id", WHOLE, nullable=True),
        sa.Column("answered_us", WHOLE, nullable=False),
        sa.CheckConstraint(
            "outcome IN ('credited', 'duplicate', 'suspense')", name=op.f("ck_till_answer_outcome_known")
        ),
        sa.ForeignKeyConstraint(
            ["till_event_id"], ["till_event.id"], name=op.f("fk_till_answer_till_event_id_till_event")
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payment.id"], name=op.f("fk_till_answer_payment_id_payment")),
        sa.PrimaryKeyConstraint("till_event_id", name=op.f("pk_till_answer")),
        sqlite_strict=True,
    )
    op.create_index("ix_till_answer_payment_id", "till_answer", ["payment_id"], unique=False)
    op.create_index("ix_till_answer_transaction_id", "till_answer", ["transaction_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_till_answer_transaction_id", "till_answer")
    op.drop_index("ix_till_answer_payment_id", "till_answer")
    for name in ("till_answer", "provider_secret", "provider"):
        op.drop_table(name)
