"""Spare meters, meters that were taken away, and which contract each meter serves or served.

Revision 0009.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")

_METER = "meter_id, generation, epoch, litres_per_pulse, first_index_l, first_slot, state, added_us"

# A contract stands with its present meter; those that it had before are found by how they ended.
_SERVED = """
CREATE VIEW served AS
SELECT meter_id, id AS contract_id, start_slot FROM contract
UNION ALL
SELECT r.meter_id, r.contract_id, c.start_slot FROM retirement r JOIN contract c ON c.id = r.contract_id
WHERE r.next_meter_id IS NOT NULL
"""


def upgrade() -> None:
    _meters()
    op.add_column("opening", sa.Column("remainder", WHOLE, nullable=False, server_default="0"))
    op.create_table(
        "retirement",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("contract_id", WHOLE, nullable=True),
        sa.Column("next_meter_id", sa.LargeBinary(), nullable=True),
        sa.Column("at_slot", WHOLE, nullable=False),
        sa.Column("final_index_l", WHOLE, nullable=True),
        sa.Column("retired_us", WHOLE, nullable=False),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_retirement_meter_id_8_bytes")),
        sa.CheckConstraint(
            "next_meter_id IS NULL OR contract_id IS NOT NULL", name=op.f("ck_retirement_a_swap_has_a_contract")
        ),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.meter_id"], name=op.f("fk_retirement_meter_id_meter")),
        sa.ForeignKeyConstraint(["contract_id"], ["contract.id"], name=op.f("fk_retirement_contract_id_contract")),
        sa.ForeignKeyConstraint(["next_meter_id"], ["meter.meter_id"], name=op.f("fk_retirement_next_meter_id_meter")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_retirement")),
        sa.UniqueConstraint("next_meter_id", name=op.f("uq_retirement_next_meter_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_retirement_contract_id", "retirement", ["contract_id"])
    op.execute(_SERVED)


def _meters() -> None:
    """A meter may be a spare. SQLite changes no CHECK, so the table is made again; what points at it is looked at when
    the migration is committed, by then every row is back."""
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute(f"CREATE TEMPORARY TABLE meters_kept AS SELECT {_METER} FROM meter")
    op.drop_table("meter")
    op.create_table(
        "meter",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("litres_per_pulse", WHOLE, nullable=False),
        sa.Column("first_index_l", WHOLE, nullable=False),
        sa.Column("first_slot", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("added_us", WHOLE, nullable=False),
        sa.Column("replaces", sa.LargeBinary(), nullable=True),
        sa.CheckConstraint("state IN ('spare', 'active', 'quarantined', 'retired')", name=op.f("ck_meter_state_known")),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_meter_meter_id_8_bytes")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_meter")),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO meter ({_METER}) SELECT {_METER} FROM meters_kept")
    op.execute("DROP TABLE meters_kept")


def downgrade() -> None:
    op.execute("DROP VIEW served")
    op.drop_table("retirement")
