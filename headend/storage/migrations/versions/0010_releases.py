"""Releases of firmware, which version a meter is meant to run, and how far it is.

Revision 0010.
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    op.create_table(
        "release",
        sa.Column("hardware", sa.Text(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("min_version", WHOLE, nullable=False),
        sa.Column("size", WHOLE, nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("added_us", WHOLE, nullable=False),
        sa.CheckConstraint("length(manifest) = 132 AND length(sha256) = 32", name=op.f("ck_release_manifest_lengths")),
        sa.CheckConstraint("version BETWEEN 1 AND 4294967295", name=op.f("ck_release_version_range")),
        sa.CheckConstraint("size BETWEEN 1 AND 520192", name=op.f("ck_release_size_range")),
        sa.PrimaryKeyConstraint("hardware", "version", name=op.f("pk_release")),
        sqlite_strict=True,
    )
    op.create_table(
        "meter_update",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("hardware", sa.Text(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", WHOLE, nullable=True),
        sa.Column("ordered_us", WHOLE, nullable=False),
        sa.Column("ended_us", WHOLE, nullable=True),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_meter_update_meter_id_8_bytes")),
        sa.CheckConstraint(
            "state IN ('wanted', 'done', 'refused', 'rejected', 'cancelled')", name=op.f("ck_meter_update_state_known")
        ),
        sa.CheckConstraint("(state = 'wanted') = (ended_us IS NULL)", name=op.f("ck_meter_update_ended_once")),
        sa.CheckConstraint(
            "(state = 'refused') = (outcome IS NOT NULL)", name=op.f("ck_meter_update_refused_with_a_code")
        ),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.meter_id"], name=op.f("fk_meter_update_meter_id_meter")),
        sa.ForeignKeyConstraint(
            ["hardware", "version"],
            ["release.hardware", "release.version"],
            name=op.f("fk_meter_update_hardware_release"),
        ),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_meter_update")),
        sqlite_strict=True,
    )
    op.create_table(
        "update_progress",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("next_offset", WHOLE, nullable=False),
        sa.Column("state", WHOLE, nullable=False),
        sa.Column("outcome", WHOLE, nullable=False),
        sa.Column("told_us", WHOLE, nullable=False),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_update_progress_meter_id_8_bytes")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_update_progress")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in ("update_progress", "meter_update", "release"):
        op.drop_table(name)
