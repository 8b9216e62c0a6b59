"""Registry and state: who and where, and the shadows of the books.

Revision 0002.
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")


def upgrade() -> None:
    _who_and_where()
    _callers_and_cases()
    _meters()
    _meter_state()
    _meter_link()


def _who_and_where() -> None:
    """The utility, its customers, their service points and contracts."""
    op.create_table(
        "utility",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("exponent", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_utility")),
        sqlite_strict=True,
    )
    op.create_table(
        "customer",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=False),
        sa.CheckConstraint("language IN ('fr', 'en')", name=op.f("ck_customer_language_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customer")),
        sqlite_strict=True,
    )
    op.create_table(
        "service_point",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_point")),
        sqlite_strict=True,
    )
    op.create_table(
        "contract",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("customer_number", sa.Text(), nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("customer_id", WHOLE, nullable=False),
        sa.Column("service_point_id", WHOLE, nullable=False),
        sa.Column("start_slot", WHOLE, nullable=False),
        sa.Column("tariff_code", sa.Text(), nullable=False),
        sa.Column("households", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.id"], name=op.f("fk_contract_customer_id")),
        sa.ForeignKeyConstraint(["service_point_id"], ["service_point.id"], name=op.f("fk_contract_service_point_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("customer_number", name=op.f("uq_contract_customer_number")),
        sa.UniqueConstraint("meter_id", "start_slot", name=op.f("uq_contract_meter_id_start_slot")),
        sqlite_strict=True,
    )


def _callers_and_cases() -> None:
    """Keys of those who call, what they were answered, and findings to be worked."""
    op.create_table(
        "api_key",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("created_us", WHOLE, nullable=False),
        sa.Column("revoked_us", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("name", name=op.f("uq_api_key_name")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_api_key_secret_hash")),
        sqlite_strict=True,
    )
    op.create_table(
        "case_file",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=True),
        sa.Column("opened_us", WHOLE, nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("closed_us", WHOLE, nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("key", name=op.f("uq_case_file_key")),
        sqlite_strict=True,
    )
    op.create_index("ix_case_file_meter_id", "case_file", ["meter_id"], unique=False)
    op.create_table(
        "idempotency",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("status", WHOLE, nullable=False),
        sa.Column("response", sa.LargeBinary(), nullable=False),
        sa.Column("created_us", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_idempotency")),
        sqlite_strict=True,
    )


def _meters() -> None:
    """Meters and their wrapped keys."""
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
        sa.CheckConstraint("state IN ('active', 'quarantined', 'retired')", name=op.f("ck_meter_state_known")),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_meter_meter_id_8_bytes")),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_meter")),
        sqlite_strict=True,
    )
    op.create_table(
        "meter_key",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("kek_id", sa.Text(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.meter_id"], name=op.f("fk_meter_key_meter_id")),
        sa.PrimaryKeyConstraint("meter_id", "generation", name=op.f("pk_meter_key")),
        sqlite_strict=True,
    )


def _meter_state() -> None:
    """Where the posting of a log stands; rebuilt from the books."""
    op.create_table(
        "meter_state",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("log_generation", WHOLE, nullable=False),
        sa.Column("frontier_slot", WHOLE, nullable=False),
        sa.Column("started", WHOLE, nullable=False),
        sa.Column("waiting", WHOLE, nullable=False),
        sa.Column("unsure", WHOLE, nullable=False),
        sa.Column("volume_l", WHOLE, nullable=False),
        sa.Column("spent_mills", WHOLE, nullable=False),
        sa.Column("collected_mills", WHOLE, nullable=False),
        sa.Column("instalments", WHOLE, nullable=False),
        sa.Column("pack_version", WHOLE, nullable=False),
        sa.Column("metered_spent_mills", WHOLE, nullable=False),
        sa.Column("metered_remainder", WHOLE, nullable=False),
        sa.Column("metered_day", WHOLE, nullable=False),
        sa.Column("metered_month", WHOLE, nullable=False),
        sa.Column("metered_position_l", WHOLE, nullable=False),
        sa.Column("today_spent_mills", WHOLE, nullable=False),
        sa.Column("today_remainder", WHOLE, nullable=False),
        sa.Column("today_day", WHOLE, nullable=False),
        sa.Column("today_month", WHOLE, nullable=False),
        sa.Column("today_position_l", WHOLE, nullable=False),
        sa.Column("carry_water", WHOLE, nullable=False),
        sa.Column("carry_sewer", WHOLE, nullable=False),
        sa.Column("carry_fixed", WHOLE, nullable=False),
        sa.Column("carry_levy", WHOLE, nullable=False),
        sa.Column("carry_tax1", WHOLE, nullable=False),
        sa.Column("carry_tax2", WHOLE, nullable=False),
        sa.Column("corrected_mills", WHOLE, nullable=False),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_meter_state")),
        sqlite_strict=True,
    )


def _meter_link() -> None:
    """The conversation with a meter."""
    op.create_table(
        "meter_link",
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("up_highest", WHOLE, nullable=False),
        sa.Column("up_bitmap", sa.LargeBinary(), nullable=False),
        sa.Column("down_next", WHOLE, nullable=False),
        sa.Column("bearer", WHOLE, nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("heard_us", WHOLE, nullable=True),
        sa.Column("heard_counter", WHOLE, nullable=True),
        sa.Column("status", WHOLE, nullable=False),
        sa.Column("statement_echo", WHOLE, nullable=False),
        sa.Column("tariff_echo", WHOLE, nullable=False),
        sa.Column("policy_echo", WHOLE, nullable=False),
        sa.Column("plan_echo", WHOLE, nullable=False),
        sa.Column("anchor_slot", WHOLE, nullable=False),
        sa.Column("unopened", WHOLE, nullable=False),
        sa.Column("battery_mv", WHOLE, nullable=True),
        sa.Column("firmware_version", WHOLE, nullable=True),
        sa.Column("boot_count", WHOLE, nullable=True),
        sa.Column("balance_mills", WHOLE, nullable=True),
        sa.Column("balance_slot", WHOLE, nullable=True),
        sa.PrimaryKeyConstraint("meter_id", name=op.f("pk_meter_link")),
        sqlite_strict=True,
    )
