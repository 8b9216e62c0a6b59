"""Commands, requests for slots, how wallet generations begin, slots lost for good; what the meter echoes of them.

Revision 0007.
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")

_INSERT_ONLY = """
CREATE TRIGGER lost_slots_no_{verb} BEFORE {verb} ON lost_slots
BEGIN SELECT RAISE(ABORT, 'lost_slots is insert-only: correct it with another row'); END
"""

# A payment may be reversed when its meter has another wallet generation than it was credited in.
_REVERSAL_MATCHES = """
CREATE TRIGGER reversal_matches BEFORE INSERT ON entry
WHEN NEW.reverses IS NOT NULL AND NOT EXISTS (SELECT 1 FROM entry old WHERE old.id = NEW.reverses
             AND old.meter_id IS NEW.meter_id)
BEGIN SELECT RAISE(ABORT, 'a reversal names an entry of the same meter'); END
"""

_LINK = ("command_echo", "acked_echo", "acked_told", "pack_turn")
_LINK_OPTIONAL = ("next_epoch", "report_slots", "time_told_us")
_STATE = ("anchor_slot", "anchor_collected_mills")


def upgrade() -> None:
    _asked()
    _generations()
    for name in _LINK_OPTIONAL:
        op.add_column("meter_link", sa.Column(name, WHOLE, nullable=True))
    for table, names in (("meter_link", _LINK), ("meter_state", _STATE)):
        for name in names:
            op.add_column(table, sa.Column(name, WHOLE, nullable=False, server_default="0"))
    for verb in ("UPDATE", "DELETE"):
        op.execute(_INSERT_ONLY.format(verb=verb))
    op.execute("DROP TRIGGER reversal_matches")
    op.execute(_REVERSAL_MATCHES)


def _asked() -> None:
    op.create_table(
        "meter_command",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("code", WHOLE, nullable=False),
        sa.Column("argument", WHOLE, nullable=False),
        sa.Column("cap", WHOLE, nullable=False),
        sa.Column("expires_unix_s", WHOLE, nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("outcome", WHOLE, nullable=True),
        sa.Column("done_unix_s", WHOLE, nullable=True),
        sa.Column("created_us", WHOLE, nullable=False),
        sa.Column("settled_us", WHOLE, nullable=True),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_meter_command_meter_id_8_bytes")),
        sa.CheckConstraint("number BETWEEN 1 AND 4294967295", name=op.f("ck_meter_command_number_range")),
        sa.CheckConstraint(
            "state IN ('wanted', 'done', 'refused', 'expired')", name=op.f("ck_meter_command_state_known")
        ),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.meter_id"], name=op.f("fk_meter_command_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", "number", name=op.f("pk_meter_command")),
        sqlite_strict=True,
    )
    op.create_table(
        "slot_request",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("log_generation", WHOLE, nullable=False),
        sa.Column("first_slot", WHOLE, nullable=False),
        sa.Column("slots", WHOLE, nullable=False),
        sa.Column("until_us", WHOLE, nullable=False),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_slot_request_meter_id_8_bytes")),
        sa.CheckConstraint("slots > 0", name=op.f("ck_slot_request_slots_positive")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.meter_id"], name=op.f("fk_slot_request_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", "log_generation", "first_slot", name=op.f("pk_slot_request")),
        sqlite_strict=True,
    )


def _generations() -> None:
    op.create_table(
        "opening",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        *(
            sa.Column(name, WHOLE, nullable=False)
            for name in ("batch_id", "first_index_l", "first_slot", "position_l", "month", "day")
        ),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_opening_meter_id_8_bytes")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.meter_id"], name=op.f("fk_opening_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", "generation", name=op.f("pk_opening")),
        sqlite_strict=True,
    )
    op.execute(
        "INSERT INTO opening (meter_id, generation, batch_id, first_index_l, first_slot, position_l, month, day) "
        "SELECT meter_id, generation, 0, first_index_l, first_slot, 0, 0, 0 FROM meter"
    )
    names = ("log_generation", "first_slot", "slots", "volume_l", "spent_mills", "remainder", "position_l")
    op.create_table(
        "lost_slots",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("uplink_id", WHOLE, nullable=False),
        *(sa.Column(name, WHOLE, nullable=False) for name in (*names, "tail_slots", "sure")),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_lost_slots_meter_id_8_bytes")),
        sa.CheckConstraint("slots > 0 AND volume_l >= 0 AND spent_mills >= 0", name=op.f("ck_lost_slots_not_negative")),
        sa.CheckConstraint("tail_slots BETWEEN 0 AND slots", name=op.f("ck_lost_slots_tail_within")),
        sa.ForeignKeyConstraint(["uplink_id"], ["uplink.id"], name=op.f("fk_lost_slots_uplink_id_uplink")),
        sa.UniqueConstraint(
            "meter_id",
            "generation",
            "log_generation",
            "first_slot",
            name=op.f("uq_lost_slots_meter_id_generation_log_generation_first_slot"),
        ),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in ("lost_slots", "opening", "slot_request", "meter_command"):
        op.drop_table(name)
