# ruff: noqa: E501
"""The books: insert-only, chained, and guarded by the database itself.

Revision 0001.
"""

import sqlalchemy as sa
from alembic import op

from headend.storage import guards

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")

# What this revision guards, written out: a migration means the same for ever, whatever the tables become.
BOOKS = (
    "batch",
    "account",
    "role_account",
    "tariff",
    "pack",
    "uplink",
    "segment",
    "meter_event",
    "entry",
    "transfer",
    "statement",
    "till_event",
    "payment",
)
ROLES = ("water", "sewer", "fixed", "levy", "tax1", "tax2", "debt")


def upgrade() -> None:
    _chain_and_accounts()
    _tariffs()
    _uplinks()
    _uplink_indexes()
    _segments()
    _entries()
    _statements()
    _money_in()
    for statement in guards.create_statements(BOOKS, ROLES):
        op.execute(statement)


def _chain_and_accounts() -> None:
    """The chain, the accounts, and which account a role is posted to."""
    op.create_table(
        "batch",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("lane", WHOLE, nullable=False),
        sa.Column("format", WHOLE, nullable=False),
        sa.Column("committed_us", WHOLE, nullable=False),
        sa.Column("previous_hash", sa.LargeBinary(), nullable=False),
        sa.Column("manifest", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("length(hash) = 32 AND length(previous_hash) = 32", name=op.f("ck_batch_hashes_32_bytes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint("hash", name=op.f("uq_batch_hash")),
        sqlite_strict=True,
    )
    op.create_table(
        "account",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("class_", sa.Text(), nullable=False),
        sa.Column("side", sa.Text(), nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=True),
        sa.Column("generation", WHOLE, nullable=True),
        sa.Column("contract_id", WHOLE, nullable=True),
        sa.CheckConstraint("side IN ('debit', 'credit')", name=op.f("ck_account_side_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("class_", "meter_id", "generation", name=op.f("uq_account_class__meter_id_generation")),
        sa.UniqueConstraint("code", name=op.f("uq_account_code")),
        sqlite_strict=True,
    )
    op.create_index("ix_account_contract_id", "account", ["class_", "contract_id"], unique=False)
    op.create_table(
        "role_account",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("role_map", WHOLE, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("account_id", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_role_account_account_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_account")),
        sa.UniqueConstraint("role_map", "role", name=op.f("uq_role_account_role_map_role")),
        sqlite_strict=True,
    )


def _tariffs() -> None:
    """Published tariffs, and the packs that meters are meant to hold."""
    op.create_table(
        "tariff",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("valid_from_slot", WHOLE, nullable=False),
        sa.Column("known_from_us", WHOLE, nullable=False),
        sa.Column("late", sa.Text(), nullable=False),
        sa.Column("printed", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("split", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.CheckConstraint("late IN ('waive', 'debt', 'debit')", name=op.f("ck_tariff_late_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tariff")),
        sa.UniqueConstraint("key", name=op.f("uq_tariff_key")),
        sqlite_strict=True,
    )
    op.create_index("ix_tariff_code_valid_from_slot", "tariff", ["code", "valid_from_slot"], unique=False)
    op.create_table(
        "pack",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", WHOLE, nullable=False),
        sa.Column("version", WHOLE, nullable=False),
        sa.Column("from_slot", WHOLE, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("tariff_id", WHOLE, nullable=True),
        sa.CheckConstraint("kind IN (3, 4, 6)", name=op.f("ck_pack_kind_known")),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_pack_meter_id_8_bytes")),
        sa.CheckConstraint("version BETWEEN 1 AND 65535", name=op.f("ck_pack_version_range")),
        sa.ForeignKeyConstraint(["tariff_id"], ["tariff.id"], name=op.f("fk_pack_tariff_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pack")),
        sa.UniqueConstraint("meter_id", "kind", "version", name=op.f("uq_pack_meter_id_kind_version")),
        sqlite_strict=True,
    )


def _uplinks() -> None:
    """The facts of a frame and the first segment it lets us post."""
    op.create_table(
        "uplink",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("epoch", WHOLE, nullable=False),
        sa.Column("counter", WHOLE, nullable=False),
        sa.Column("type", WHOLE, nullable=False),
        sa.Column("bearer", WHOLE, nullable=False),
        sa.Column("received_us", WHOLE, nullable=False),
        sa.Column("facts", sa.LargeBinary(), nullable=False),
        sa.Column("log_generation", WHOLE, nullable=True),
        sa.Column("first_slot", WHOLE, nullable=True),
        sa.Column("slot_count", WHOLE, nullable=True),
        sa.Column("slots_hash", sa.LargeBinary(), nullable=True),
        sa.Column("salt", sa.LargeBinary(), nullable=True),
        sa.Column("slots", sa.LargeBinary(), nullable=True),
        sa.Column("segment_log_generation", WHOLE, nullable=True),
        sa.Column("segment_first_slot", WHOLE, nullable=True),
        sa.Column("segment_slots", WHOLE, nullable=True),
        sa.Column("segment_volume_l", WHOLE, nullable=True),
        sa.Column("contract_id", WHOLE, nullable=True),
        sa.Column("pack_version", WHOLE, nullable=True),
        sa.Column("role_map", WHOLE, nullable=True),
        sa.Column("wallet_mills", WHOLE, nullable=True),
        sa.Column("water_mills", WHOLE, nullable=True),
        sa.Column("sewer_mills", WHOLE, nullable=True),
        sa.Column("fixed_mills", WHOLE, nullable=True),
        sa.Column("levy_mills", WHOLE, nullable=True),
        sa.Column("tax1_mills", WHOLE, nullable=True),
        sa.Column("tax2_mills", WHOLE, nullable=True),
        sa.Column("debt_mills", WHOLE, nullable=True),
        sa.Column("spent_mills", WHOLE, nullable=True),
        sa.Column("collected_mills", WHOLE, nullable=True),
        sa.CheckConstraint(
            "(first_slot IS NULL) = (slot_count IS NULL) AND (first_slot IS NULL) = (slots_hash IS NULL)",
            name=op.f("ck_uplink_log_whole"),
        ),
        sa.CheckConstraint(
            "(segment_log_generation IS NULL) + (segment_first_slot IS NULL) + (segment_slots IS NULL) + (segment_volume_l IS NULL) + (contract_id IS NULL) + (pack_version IS NULL) + (role_map IS NULL) + (wallet_mills IS NULL) + (water_mills IS NULL) + (sewer_mills IS NULL) + (fixed_mills IS NULL) + (levy_mills IS NULL) + (tax1_mills IS NULL) + (tax2_mills IS NULL) + (debt_mills IS NULL) + (spent_mills IS NULL) + (collected_mills IS NULL) IN (0, 17)",
            name=op.f("ck_uplink_segment_whole"),
        ),
        sa.CheckConstraint("counter BETWEEN 0 AND 4294967295", name=op.f("ck_uplink_counter_range")),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_uplink_meter_id_8_bytes")),
        sa.CheckConstraint("segment_slots > 0 AND segment_volume_l >= 0", name=op.f("ck_uplink_segment_not_empty")),
        sa.CheckConstraint(
            "wallet_mills = water_mills + sewer_mills + fixed_mills + levy_mills + tax1_mills + tax2_mills + debt_mills",
            name=op.f("ck_uplink_wallet_is_the_sum"),
        ),
        sa.CheckConstraint(
            "water_mills >= 0 AND sewer_mills >= 0 AND fixed_mills >= 0 AND levy_mills >= 0 AND tax1_mills >= 0 AND tax2_mills >= 0 AND debt_mills >= 0",
            name=op.f("ck_uplink_roles_not_negative"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uplink")),
        sa.UniqueConstraint(
            "meter_id", "generation", "epoch", "counter", name=op.f("uq_uplink_meter_id_generation_epoch_counter")
        ),
        sqlite_strict=True,
    )


def _uplink_indexes() -> None:
    """By meter and slot; no slot is posted twice (SEMANTICS F1)."""
    op.create_index(
        "ix_uplink_log",
        "uplink",
        ["meter_id", "generation", "log_generation", "first_slot"],
        unique=False,
        sqlite_where=sa.text("first_slot IS NOT NULL"),
    )
    op.create_index(
        "uq_uplink_segment",
        "uplink",
        ["meter_id", "generation", "segment_log_generation", "segment_first_slot"],
        unique=True,
        sqlite_where=sa.text("segment_first_slot IS NOT NULL"),
    )


def _segments() -> None:
    """Further segments of an uplink, and what meters report of themselves."""
    op.create_table(
        "segment",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("uplink_id", WHOLE, nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("segment_log_generation", WHOLE, nullable=False),
        sa.Column("segment_first_slot", WHOLE, nullable=False),
        sa.Column("segment_slots", WHOLE, nullable=False),
        sa.Column("segment_volume_l", WHOLE, nullable=False),
        sa.Column("contract_id", WHOLE, nullable=False),
        sa.Column("pack_version", WHOLE, nullable=False),
        sa.Column("role_map", WHOLE, nullable=False),
        sa.Column("wallet_mills", WHOLE, nullable=False),
        sa.Column("water_mills", WHOLE, nullable=False),
        sa.Column("sewer_mills", WHOLE, nullable=False),
        sa.Column("fixed_mills", WHOLE, nullable=False),
        sa.Column("levy_mills", WHOLE, nullable=False),
        sa.Column("tax1_mills", WHOLE, nullable=False),
        sa.Column("tax2_mills", WHOLE, nullable=False),
        sa.Column("debt_mills", WHOLE, nullable=False),
        sa.Column("spent_mills", WHOLE, nullable=False),
        sa.Column("collected_mills", WHOLE, nullable=False),
        sa.CheckConstraint(
            "(segment_log_generation IS NULL) + (segment_first_slot IS NULL) + (segment_slots IS NULL) + (segment_volume_l IS NULL) + (contract_id IS NULL) + (pack_version IS NULL) + (role_map IS NULL) + (wallet_mills IS NULL) + (water_mills IS NULL) + (sewer_mills IS NULL) + (fixed_mills IS NULL) + (levy_mills IS NULL) + (tax1_mills IS NULL) + (tax2_mills IS NULL) + (debt_mills IS NULL) + (spent_mills IS NULL) + (collected_mills IS NULL) IN (0, 17)",
            name=op.f("ck_segment_segment_whole"),
        ),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_segment_meter_id_8_bytes")),
        sa.CheckConstraint("segment_slots > 0 AND segment_volume_l >= 0", name=op.f("ck_segment_segment_not_empty")),
        sa.CheckConstraint(
            "wallet_mills = water_mills + sewer_mills + fixed_mills + levy_mills + tax1_mills + tax2_mills + debt_mills",
            name=op.f("ck_segment_wallet_is_the_sum"),
        ),
        sa.CheckConstraint(
            "water_mills >= 0 AND sewer_mills >= 0 AND fixed_mills >= 0 AND levy_mills >= 0 AND tax1_mills >= 0 AND tax2_mills >= 0 AND debt_mills >= 0",
            name=op.f("ck_segment_roles_not_negative"),
        ),
        sa.ForeignKeyConstraint(["uplink_id"], ["uplink.id"], name=op.f("fk_segment_uplink_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_segment")),
        sa.UniqueConstraint(
            "meter_id",
            "generation",
            "segment_log_generation",
            "segment_first_slot",
            name=op.f("uq_segment_meter_id_generation_segment_log_generation_segment_first_slot"),
        ),
        sqlite_strict=True,
    )
    op.create_table(
        "meter_event",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("event_no", WHOLE, nullable=False),
        sa.Column("at_unix_s", WHOLE, nullable=False),
        sa.Column("code", WHOLE, nullable=False),
        sa.Column("argument", WHOLE, nullable=False),
        sa.Column("uplink_id", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["uplink_id"], ["uplink.id"], name=op.f("fk_meter_event_uplink_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meter_event")),
        sa.UniqueConstraint(
            "meter_id", "generation", "event_no", name=op.f("uq_meter_event_meter_id_generation_event_no")
        ),
        sqlite_strict=True,
    )


def _entries() -> None:
    """Business events as transfers."""
    op.create_table(
        "entry",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("effective_us", WHOLE, nullable=False),
        sa.Column("memo", sa.Text(), nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=True),
        sa.Column("generation", WHOLE, nullable=True),
        sa.Column("reverses", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(["reverses"], ["entry.id"], name=op.f("fk_entry_reverses")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_entry")),
        sa.UniqueConstraint("key", name=op.f("uq_entry_key")),
        sa.UniqueConstraint("reverses", name=op.f("uq_entry_reverses")),
        sqlite_strict=True,
    )
    op.create_index("ix_entry_meter_id", "entry", ["meter_id"], unique=False)
    op.create_table(
        "transfer",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("entry_id", WHOLE, nullable=False),
        sa.Column("debit_account", WHOLE, nullable=False),
        sa.Column("credit_account", WHOLE, nullable=False),
        sa.Column("amount_mills", WHOLE, nullable=False),
        sa.CheckConstraint(
            "amount_mills > 0 AND amount_mills <= 9007199254740991", name=op.f("ck_transfer_amount_positive")
        ),
        sa.CheckConstraint("debit_account <> credit_account", name=op.f("ck_transfer_two_accounts")),
        sa.ForeignKeyConstraint(["credit_account"], ["account.id"], name=op.f("fk_transfer_credit_account")),
        sa.ForeignKeyConstraint(["debit_account"], ["account.id"], name=op.f("fk_transfer_debit_account")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_transfer_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sqlite_strict=True,
    )
    op.create_index("ix_transfer_entry_id", "transfer", ["entry_id"], unique=False)


def _statements() -> None:
    """C and D with a number, and what they are made of (SEMANTICS A3)."""
    op.create_table(
        "statement",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=False),
        sa.Column("generation", WHOLE, nullable=False),
        sa.Column("number", WHOLE, nullable=False),
        sa.Column("credited_mills", WHOLE, nullable=False),
        sa.Column("debited_mills", WHOLE, nullable=False),
        sa.Column("paid_mills", WHOLE, nullable=False),
        sa.Column("moved_in_mills", WHOLE, nullable=False),
        sa.Column("rating_credit_mills", WHOLE, nullable=False),
        sa.Column("recovered_mills", WHOLE, nullable=False),
        sa.Column("reversed_mills", WHOLE, nullable=False),
        sa.Column("rating_debit_mills", WHOLE, nullable=False),
        sa.Column("moved_out_mills", WHOLE, nullable=False),
        sa.Column("entry_id", WHOLE, nullable=True),
        sa.CheckConstraint(
            "credited_mills <= 9007199254740991 AND debited_mills <= 9007199254740991",
            name=op.f("ck_statement_counters_53_bits"),
        ),
        sa.CheckConstraint(
            "credited_mills = paid_mills + moved_in_mills + rating_credit_mills + recovered_mills",
            name=op.f("ck_statement_credited_is_the_sum"),
        ),
        sa.CheckConstraint(
            "debited_mills = reversed_mills + rating_debit_mills + moved_out_mills",
            name=op.f("ck_statement_debited_is_the_sum"),
        ),
        sa.CheckConstraint("length(meter_id) = 8", name=op.f("ck_statement_meter_id_8_bytes")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_statement_entry_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_statement")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_statement_entry_id")),
        sa.UniqueConstraint("meter_id", "generation", "number", name=op.f("uq_statement_meter_id_generation_number")),
        sqlite_strict=True,
    )


def _money_in() -> None:
    """Providers' messages as they came, and the payments made of them."""
    op.create_table(
        "till_event",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=False),
        sa.Column("received_us", WHOLE, nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_till_event")),
        sa.UniqueConstraint("provider", "message_id", name=op.f("uq_till_event_provider_message_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "payment",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("batch_id", WHOLE, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_txn_id", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("amount_mills", WHOLE, nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("paid_at_us", WHOLE, nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("meter_id", sa.LargeBinary(), nullable=True),
        sa.Column("entry_id", WHOLE, nullable=False),
        sa.Column("till_event_id", WHOLE, nullable=True),
        sa.CheckConstraint(
            "(outcome = 'credited') = (meter_id IS NOT NULL)", name=op.f("ck_payment_credited_names_a_meter")
        ),
        sa.CheckConstraint("outcome IN ('credited', 'suspense')", name=op.f("ck_payment_outcome_known")),
        sa.ForeignKeyConstraint(["entry_id"], ["entry.id"], name=op.f("fk_payment_entry_id")),
        sa.ForeignKeyConstraint(["till_event_id"], ["till_event.id"], name=op.f("fk_payment_till_event_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("entry_id", name=op.f("uq_payment_entry_id")),
        sa.UniqueConstraint("provider", "provider_txn_id", name=op.f("uq_payment_provider_provider_txn_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_payment_meter_id", "payment", ["meter_id"], unique=False)
