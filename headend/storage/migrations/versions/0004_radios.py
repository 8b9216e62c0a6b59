"""The radios that network servers know.

Revision 0004.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "radio",
        sa.Column("dev_eui", sa.LargeBinary(), nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("added_us", WHOLE, nullable=False),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_radio_meter_id_8_bytes")),
        sa.CheckConstraint("length(dev_eui) = 8", name=op.f("ck_radio_dev_eui_8_bytes")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.meter_id"], name=op.f("fk_radio_meter_id")),
        sa.PrimaryKeyConstraint("dev_eui", name=op.f("pk_radio")),
        sa.UniqueConstraint("meter_id", name=op.f("uq_radio_meter_id")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    op.drop_table("radio")
