"""The audit: who changed what, when, and what stood there before.

Revision 0006.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")

_INSERT_ONLY = """
CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit
BEGIN SELECT RAISE(ABORT, 'audit is insert-only: correct it with another row'); END
"""


def upgrade() -> None:
    op.create_table(
        "audit",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("at_us", WHOLE, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=True),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "actor_kind IN ('key', 'cli', 'provider', 'system')", name=op.f("ck_audit_actor_kind_known")
        ),
        sa.CheckConstraint("before IS NOT NULL OR after IS NOT NULL", name=op.f("ck_audit_says_something")),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_meter_id", "audit", ["meter_id"], unique=False)
    op.create_index("ix_audit_what_row_key", "audit", ["what", "row_key"], unique=False)
    for verb in ("UPDATE", "DELETE"):
        op.execute(_INSERT_ONLY.format(verb=verb))


def downgrade() -> None:
    op.drop_table("audit")
