"""Every table of the headend (SQLAlchemy Core). What each is for, and why it looks so: docs/LEDGER.md.

Three kinds. *Books* are insert-only (guards.py) and hash-chained (chain.py): a row once committed never changes.
*Registry* rows describe who and where and may be edited. *State* rows are shadows of the books, rebuildable from them.
Times are Unix microseconds (`_us`), money mills (`_mills`), volume litres (`_l`), slots half-hours since 2020-01-01.
"""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint, text

from headend.storage.audit_tables import audit
from headend.storage.columns import (
    CARRIAGE,
    ERASABLE,
    LATER,
    Blob,
    Whole,
    blob,
    is_meter_id,
    primary,
    segment_columns,
    table,
    whole,
    words,
)
from headend.storage.columns import COUNTER_MAX as COUNTER_MAX
from headend.storage.columns import ROLES as ROLES
from headend.storage.columns import metadata as metadata
from headend.storage.desired_tables import meter_command as meter_command
from headend.storage.desired_tables import slot_request as slot_request
from headend.storage.field_tables import field_grant as field_grant
from headend.storage.field_tables import field_identity as field_identity
from headend.storage.field_tables import field_job as field_job
from headend.storage.field_tables import field_record
from headend.storage.field_tables import field_tool as field_tool
from headend.storage.field_tables import first_uplink as first_uplink
from headend.storage.field_tables import seal as seal
from headend.storage.generation_tables import lost_slots
from headend.storage.generation_tables import opening as opening
from headend.storage.generation_tables import retirement as retirement
from headend.storage.radio_tables import radio as radio
from headend.storage.rating_tables import rating_base as rating_base
from headend.storage.rating_tables import rating_notice, tariff_terms
from headend.storage.rating_tables import rating_work as rating_work
from headend.storage.recovery_tables import recovery as recovery
from headend.storage.recovery_tables import recovery_pack as recovery_pack
from headend.storage.release_tables import meter_update as meter_update
from headend.storage.release_tables import release as release
from headend.storage.release_tables import update_progress as update_progress

# ---- books: insert-only, chained -----------------------------------------------------------------------------------

batch = table(
    "batch",  # one commit, one link of the hash chain
    primary(),
    whole("lane", CheckConstraint("lane = 0", name="one_lane")),  # room for more writers (SEMANTICS F5)
    whole("format", CheckConstraint("format = 1", name="format_known")),
    whole("committed_us"),
    blob("previous_hash"),
    blob("manifest"),  # for every row of this commit: table, id, digest
    blob("hash", unique=True),
    CheckConstraint("length(hash) = 32 AND length(previous_hash) = 32", name="hashes_32_bytes"),
)

account = table(
    "account",
    primary(),
    whole("batch_id"),
    words("code", unique=True),  # 'water', 'wallet/0102…/1', 'receivable/17'
    words("class_"),
    words("side"),  # which side increases it
    blob("meter_id", required=False),
    whole("generation", required=False),
    whole("contract_id", required=False),
    CheckConstraint("side IN ('debit', 'credit')", name="side_known"),
    UniqueConstraint("class_", "meter_id", "generation"),
    Index("ix_account_contract_id", "class_", "contract_id"),
)

role_account = table(
    "role_account",  # which account a role of a segment is posted to: versioned data (SEMANTICS F2)
    primary(),
    whole("batch_id"),
    whole("role_map"),
    words("role"),
    whole("account_id", ForeignKey("account.id")),
    UniqueConstraint("role_map", "role"),
)

tariff = table(
    "tariff",  # bitemporal: true from a slot on, known from an instant on
    primary(),
    whole("batch_id"),
    words("code"),
    words("title"),
    whole("valid_from_slot", CheckConstraint("valid_from_slot >= 0", name="valid_from_not_negative")),
    whole("known_from_us"),
    words("late"),
    words("printed"),  # the published prices, JSON
    blob("body"),  # compiled once, at publication (SEMANTICS B3)
    words("split"),
    words("key", unique=True),
    CheckConstraint("late IN ('waive', 'debt', 'debit')", name="late_known"),
    Index("ix_tariff_code_valid_from_slot", "code", "valid_from_slot"),
)

pack = table(
    "pack",  # what one meter is meant to hold
    primary(),
    whole("batch_id"),
    blob("meter_id"),
    whole("kind"),  # 3 tariff, 4 policy, 6 plan: the downlink type that carries it
    whole("version"),
    whole("from_slot"),
    blob("body"),
    whole("tariff_id", ForeignKey("tariff.id"), required=False),
    is_meter_id(),
    CheckConstraint("kind IN (3, 4, 6)", name="kind_known"),
    CheckConstraint("version BETWEEN 1 AND 65535", name="version_range"),
    UniqueConstraint("meter_id", "kind", "version"),
)

uplink = table(
    "uplink",  # the facts of one accepted frame, and the first segment it lets us post
    primary(),
    whole("batch_id"),
    blob("meter_id"),
    whole("generation"),
    whole("epoch"),
    whole("counter"),
    whole("type"),
    whole("bearer", info=CARRIAGE),
    whole("received_us"),
    blob("facts"),  # the plaintext, without the log of a DAY or RANGE
    whole("log_generation", required=False),
    whole("first_slot", required=False),
    whole("slot_count", required=False),
    blob("slots_hash", required=False),  # H(salt ‖ slots): the chain holds this, not the half-hours (SEMANTICS F4)
    blob("salt", required=False, info=ERASABLE),
    blob("slots", required=False, info=ERASABLE),  # u16 big endian each
    *segment_columns(required=False),
    is_meter_id(),
    CheckConstraint("counter BETWEEN 0 AND 4294967295", name="counter_range"),
    CheckConstraint(
        "(first_slot IS NULL) = (slot_count IS NULL) AND (first_slot IS NULL) = (slots_hash IS NULL)", name="log_whole"
    ),
    UniqueConstraint("meter_id", "generation", "epoch", "counter"),
    Index(
        "ix_uplink_log",
        "meter_id",
        "generation",
        "log_generation",
        "first_slot",
        sqlite_where=text("first_slot IS NOT NULL"),
    ),
    Index(
        "uq_uplink_segment",
        "meter_id",
        "generation",
        "segment_log_generation",
        "segment_first_slot",
        unique=True,
        sqlite_where=text("segment_first_slot IS NOT NULL"),
    ),
)

segment = table(
    "segment",  # the further segments of an uplink that crosses a month, pack or holder, or closes a gap
    primary(),
    whole("batch_id"),
    whole("uplink_id", ForeignKey("uplink.id")),
    blob("meter_id"),
    whole("generation"),
    *segment_columns(required=True),
    is_meter_id(),
    UniqueConstraint("meter_id", "generation", "segment_log_generation", "segment_first_slot"),
)

entry = table(
    "entry",  # a business event's transfers; reversed only by another entry
    primary(),
    whole("batch_id"),
    words("kind"),
    words("key", unique=True),  # the caller's idempotency key
    whole("effective_us"),  # value date: the provider's time of a payment, not ours
    words("memo"),
    blob("meter_id", required=False),
    whole("generation", required=False),
    whole("reverses", ForeignKey("entry.id"), required=False, unique=True),
    Index("ix_entry_meter_id", "meter_id"),
)

transfer = table(
    "transfer",  # one debit account, one credit account, one positive amount: it cannot be unbalanced
    primary(),
    whole("batch_id"),
    whole("entry_id", ForeignKey("entry.id")),
    whole("debit_account", ForeignKey("account.id")),
    whole("credit_account", ForeignKey("account.id")),
    whole("amount_mills"),
    CheckConstraint(f"amount_mills > 0 AND amount_mills <= {COUNTER_MAX}", name="amount_positive"),
    CheckConstraint("debit_account <> credit_account", name="two_accounts"),
    Index("ix_transfer_entry_id", "entry_id"),
)

# What C and D are made of (SEMANTICS A3).
CREDIT_PARTS = ("paid_mills", "moved_in_mills", "rating_credit_mills", "recovered_mills")
DEBIT_PARTS = ("reversed_mills", "rating_debit_mills", "moved_out_mills", "recovered_debit_mills")

statement = table(
    "statement",  # C and D with a number, and what they are made of; the highest number counts
    primary(),
    whole("batch_id"),
    blob("meter_id"),
    whole("generation"),
    whole("number", CheckConstraint("number >= 0", name="number_not_negative")),
    whole("credited_mills"),
    whole("debited_mills"),
    *(whole(name, CheckConstraint(f"{name} >= 0", name=name)) for name in CREDIT_PARTS + DEBIT_PARTS[:-1]),
    whole(
        "recovered_debit_mills",
        CheckConstraint("recovered_debit_mills >= 0", name="recovered_debit_mills"),
        info=LATER,
        server_default="0",
    ),
    whole("entry_id", ForeignKey("entry.id"), required=False, unique=True),
    is_meter_id(),
    CheckConstraint("credited_mills = " + " + ".join(CREDIT_PARTS), name="credited_is_the_sum"),
    CheckConstraint("debited_mills = " + " + ".join(DEBIT_PARTS), name="debited_is_the_sum"),
    CheckConstraint(f"credited_mills <= {COUNTER_MAX} AND debited_mills <= {COUNTER_MAX}", name="counters_53_bits"),
    UniqueConstraint("meter_id", "generation", "number"),
)

till_event = table(
    "till_event",  # a provider's message exactly as it came, stored before it is acted on
    primary(),
    whole("batch_id"),
    words("provider"),
    words("message_id"),
    whole("received_us"),
    blob("raw"),
    UniqueConstraint("provider", "message_id"),
)

payment = table(
    "payment",  # money from a provider: one row per provider transaction, for ever
    primary(),
    whole("batch_id"),
    words("provider"),
    words("provider_txn_id"),
    words("reference"),  # what the payer typed
    whole("amount_mills", CheckConstraint("amount_mills > 0", name="amount_positive")),
    words("currency"),
    whole("paid_at_us"),
    words("outcome"),
    blob("meter_id", required=False),
    whole("entry_id", ForeignKey("entry.id"), unique=True),
    whole("till_event_id", ForeignKey("till_event.id"), required=False),
    CheckConstraint("outcome IN ('credited', 'suspense')", name="outcome_known"),
    CheckConstraint("(outcome = 'credited') = (meter_id IS NOT NULL)", name="credited_names_a_meter"),
    UniqueConstraint("provider", "provider_txn_id"),
    Index("ix_payment_meter_id", "meter_id"),
)

meter_event = table(
    "meter_event",  # what a meter reports of itself: alarms, valve moves
    primary(),
    whole("batch_id"),
    blob("meter_id"),
    whole("generation"),
    whole("event_no"),
    whole("at_unix_s"),
    whole("code"),
    whole("argument"),
    whole("uplink_id", ForeignKey("uplink.id")),
    UniqueConstraint("meter_id", "generation", "event_no"),
)

BOOKS = (
    batch,
    account,
    role_account,
    tariff,
    pack,
    uplink,
    segment,
    entry,
    transfer,
    statement,
    till_event,
    payment,
    meter_event,
    lost_slots,
    tariff_terms,
    rating_notice,
    field_record,
    audit,
)

# ---- registry: who and where ---------------------------------------------------------------------------------------

utility = table(
    "utility",
    Column("id", Whole, CheckConstraint("id = 1", name="one_row"), primary_key=True),
    words("name"),
    words("currency"),
    whole("exponent", CheckConstraint("exponent BETWEEN 0 AND 3", name="exponent_range")),
    words("service_area", required=False),  # corners as [[lat_e6, lon_e6], …], JSON; NULL: anywhere (IW-35)
    whole("installation_grace_mills"),  # how far a meter without OPENING may go below zero
)

meter = table(
    "meter",
    Column("meter_id", Blob, primary_key=True, nullable=False),
    whole("generation"),
    whole("epoch"),
    whole("litres_per_pulse"),
    whole("first_index_l"),
    whole("first_slot"),
    words("state"),
    whole("added_us"),
    blob("replaces", required=False),  # the meter that a spare is prepared for, or that this one took the place of
    is_meter_id(),
    CheckConstraint("state IN ('spare', 'active', 'quarantined', 'retired')", name="state_known"),
)

meter_key = table(
    "meter_key",  # a meter's root key, wrapped; the key-encryption key is in no table
    Column("meter_id", Blob, ForeignKey("meter.meter_id"), primary_key=True, nullable=False),
    Column("generation", Whole, primary_key=True),
    words("kek_id"),
    blob("wrapped"),
)

customer = table(
    "customer",
    primary(),
    words("name"),
    words("phone", required=False),
    words("language"),
    CheckConstraint("language IN ('fr', 'en')", name="language_known"),
)

service_point = table(
    "service_point",
    primary(),
    words("label"),
    words("address", required=False),
    whole("lat_e6", required=False),  # millionths of a degree, as a technician measured them (IW-35)
    whole("lon_e6", required=False),
    whole("accuracy_m", required=False),
)

contract = table(
    "contract",  # a holder of a meter from a slot on, until the next one's start
    primary(),
    words("customer_number", unique=True),
    blob("meter_id"),
    whole("customer_id", ForeignKey("customer.id")),
    whole("service_point_id", ForeignKey("service_point.id")),
    whole("start_slot"),
    words("tariff_code"),
    whole("households", CheckConstraint("households BETWEEN 1 AND 255", name="households_range")),
    UniqueConstraint("meter_id", "start_slot"),
)

case_file = table(
    "case_file",  # a finding to be worked; `key` makes the same finding one case
    primary(),
    words("kind"),
    words("key", unique=True),
    blob("meter_id", required=False),
    whole("opened_us"),
    words("detail"),
    whole("closed_us", required=False),
    words("outcome", required=False),
    Index("ix_case_file_meter_id", "meter_id"),
)

api_key = table(
    "api_key",
    primary(),
    words("name", unique=True),
    blob("secret_hash", unique=True),
    words("scope"),
    whole("created_us"),
    whole("revoked_us", required=False),
)

provider = table(
    "provider",  # who brings money, and between which amounts
    primary(),
    words("name", unique=True),
    whole("minimum_minor", CheckConstraint("minimum_minor >= 1", name="minimum_positive")),
    whole("ceiling_minor", CheckConstraint("ceiling_minor >= minimum_minor", name="ceiling_above_minimum")),
    whole("created_us"),
)

provider_secret = table(
    "provider_secret",  # what a provider signs with, wrapped; two are good at once while one replaces the other
    primary(),
    whole("provider_id", ForeignKey("provider.id")),
    words("kek_id"),
    blob("wrapped"),
    whole("created_us"),
    whole("retired_us", required=False),
)

till_answer = table(
    "till_answer",  # what was answered to a provider's message; a message without one is worked on at the next start
    Column("till_event_id", Whole, ForeignKey("till_event.id"), primary_key=True),
    words("transaction_id", required=False),
    words("outcome"),
    words("reason", required=False),
    whole("payment_id", ForeignKey("payment.id"), required=False),
    whole("answered_us"),
    CheckConstraint("outcome IN ('credited', 'duplicate', 'suspense')", name="outcome_known"),
    Index("ix_till_answer_payment_id", "payment_id"),
    Index("ix_till_answer_transaction_id", "transaction_id"),
)

idempotency = table(
    "idempotency",  # the answer given to a REST money request, kept in the posting's own transaction
    words("key", primary_key=True),
    blob("request_hash"),
    whole("status"),
    blob("response"),
    whole("created_us"),
)

# ---- state: shadows of the books -----------------------------------------------------------------------------------

meter_state = table(
    "meter_state",  # where the posting of a meter's log stands; `guelta ledger rebuild` computes it again
    Column("meter_id", Blob, primary_key=True, nullable=False),
    whole("generation"),
    whole("log_generation"),
    whole("frontier_slot"),  # the first slot that is not posted
    whole("started"),  # 0 until the first log told which slot this log generation starts with
    whole("waiting"),  # 1 while logs are stored that cannot be posted yet (SEMANTICS F1)
    whole("unsure"),  # 1 when the last posted slot was under an unsure clock (SEMANTICS C2)
    whole("volume_l"),
    whole("spent_mills"),
    whole("collected_mills"),
    whole("instalments"),
    whole("pack_version"),
    *(whole(f"metered_{name}") for name in ("spent_mills", "remainder", "day", "month", "position_l")),
    *(whole(f"today_{name}") for name in ("spent_mills", "remainder", "day", "month", "position_l")),
    *(whole(f"carry_{role}") for role in ROLES[:-1]),  # below one mill, at scale 4
    whole("corrected_mills"),  # A: the signed sum of rating corrections (SEMANTICS B5)
    whole("anchor_slot"),  # of the newest ANCHOR that is still ahead of the frontier, and its R; 0 for none
    whole("anchor_collected_mills"),
)

meter_link = table(
    "meter_link",  # the conversation with a meter: counters, echoes, last address
    Column("meter_id", Blob, primary_key=True, nullable=False),
    whole("generation"),
    whole("epoch"),
    whole("up_highest"),
    blob("up_bitmap"),
    whole("down_next"),  # reserved in a commit before a frame is sealed (SEMANTICS D2); never goes down
    whole("bearer", required=False),
    words("address", required=False),
    whole("heard_us", required=False),
    whole("heard_counter", required=False),
    whole("status"),
    whole("statement_echo"),
    whole("tariff_echo"),
    whole("policy_echo"),
    whole("plan_echo"),
    whole("anchor_slot"),
    whole("unopened"),  # 1 when the meter said it holds no OPENING
    whole("battery_mv", required=False),
    whole("firmware_version", required=False),
    whole("boot_count", required=False),
    whole("balance_mills", required=False),  # the meter's own, derived at its last cut (SEMANTICS B8)
    whole("balance_slot", required=False),
    whole("next_epoch", required=False),  # the key epoch a REKEY asks for, until it is heard (SEMANTICS D4)
    whole("command_echo"),  # the number of the last COMMAND done
    whole("report_slots", required=False),
    whole("acked_echo"),  # the acked slot the meter told of, and the last one it was told
    whole("acked_told"),
    whole("time_told_us", required=False),
    whole("pack_turn"),  # rises with each part of a pack that is sent
)
