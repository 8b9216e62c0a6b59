"""Field work: technicians' tools, jobs, grants, records of what was done on site, seals, and first uplinks."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index

from headend.storage.columns import ERASABLE, Blob, Whole, blob, is_meter_id, primary, table, whole, words

# ---- registry ------------------------------------------------------------------------------------------------------

field_tool = table(
    "field_tool",  # what a technician signs records with; the technician is the API key of that name
    Column("public_key", Blob, primary_key=True, nullable=False),
    words("technician"),
    words("fingerprint", unique=True),
    words("tool"),
    whole("enrolled_us"),
    CheckConstraint("length(public_key) = 32", name="public_key_32_bytes"),
)

field_job = table(
    "field_job",  # work at one meter for one technician, opened with a one-time token
    primary(),
    words("kind"),
    words("technician"),
    blob("meter_id"),
    blob("new_meter_id", required=False),  # of a swap
    whole("litres_per_pulse"),  # of the meter that is commissioned
    whole("first_index_l", required=False),  # of a swap: on the new meter's register
    whole("role"),  # of the grants of a visit (protocol/wire/grants.py)
    words("note"),
    words("state"),
    blob("token_hash"),
    whole("attempts"),  # wrong tokens so far
    blob("claim_hash", required=False),
    whole("created_us"),
    whole("not_before_us"),
    whole("expires_us"),
    whole("claimed_us", required=False),
    whole("ended_us", required=False),  # recorded or cancelled
    is_meter_id(),
    CheckConstraint("kind IN ('install', 'swap', 'retire', 'visit')", name="kind_known"),
    CheckConstraint("state IN ('open', 'claimed', 'recorded', 'done', 'cancelled')", name="state_known"),
    CheckConstraint("(kind = 'swap') = (new_meter_id IS NOT NULL)", name="swap_has_two_meters"),
    CheckConstraint("(state IN ('claimed', 'recorded', 'done')) <= (claim_hash IS NOT NULL)", name="claimed_by_one"),
    CheckConstraint("not_before_us < expires_us", name="some_time"),
    Index("ix_field_job_technician", "technician", "state"),
    Index("ix_field_job_meter_id", "meter_id"),
    Index("ix_field_job_new_meter_id", "new_meter_id"),
)

field_identity = table(
    "field_identity",  # what the meter of a job is to be provisioned with, its root key included; gone once it is heard
    Column("job_id", Whole, ForeignKey("field_job.id"), primary_key=True),
    words("kek_id"),
    blob("wrapped"),
)

field_grant = table(
    "field_grant",  # terms under which a technician may use a meter's service port; numbers rise per meter for ever
    Column("meter_id", Blob, ForeignKey("meter.meter_id"), primary_key=True, nullable=False),
    Column("number", Whole, primary_key=True),
    whole("generation"),
    whole("role"),
    whole("uses"),
    whole("from_s"),
    whole("until_s"),
    words("technician"),
    whole("job_id", ForeignKey("field_job.id"), required=False),
    whole("issued_us"),
    is_meter_id(),
    CheckConstraint("number BETWEEN 1 AND 4294967295", name="number_range"),
    CheckConstraint("role BETWEEN 1 AND 4 AND uses BETWEEN 1 AND 100", name="terms_known"),
    CheckConstraint("until_s > from_s AND until_s - from_s <= 259200", name="at_most_72_h"),
)

seal = table(
    "seal",  # a numbered seal from its delivery on (IW-83)
    words("number", primary_key=True),
    words("state"),
    Column("meter_id", Blob, ForeignKey("meter.meter_id")),  # where it is, or was when it was broken
    words("technician", required=False),
    whole("imported_us"),
    whole("placed_us", required=False),
    whole("read_us", required=False),
    whole("broken_us", required=False),
    CheckConstraint("state IN ('stock', 'placed', 'broken')", name="state_known"),
    CheckConstraint("(state = 'stock') = (meter_id IS NULL)", name="placed_somewhere"),
    Index("ix_seal_meter_id", "meter_id"),
    Index("ix_seal_state", "state"),
)

# ---- books ---------------------------------------------------------------------------------------------------------

field_record = table(
    "field_record",  # what was done on site, as the technician's tool signed it: one per job
    primary(),
    whole("batch_id"),
    whole("job_id", ForeignKey("field_job.id"), unique=True),
    blob("meter_id"),
    words("technician"),
    words("fingerprint"),
    blob("record_hash"),  # SHA-256 of the canonical record: the chain holds this
    blob("signature"),  # Ed25519 over the canonical record
    words("record", required=False, info=ERASABLE),  # it names people and places
    words("findings"),  # JSON, codes
    blob("opening_frame", required=False),  # of a swap: what starts the new meter's wallet
    is_meter_id(),
    CheckConstraint("length(record_hash) = 32 AND length(signature) = 64", name="proof_lengths"),
    Index("ix_field_record_meter_id", "meter_id"),
)

# ---- state ---------------------------------------------------------------------------------------------------------

first_uplink = table(
    "first_uplink",  # the first authentic frame of a wallet generation, and the first that no hand carried
    Column("meter_id", Blob, primary_key=True, nullable=False),
    Column("generation", Whole, primary_key=True),
    whole("heard_us"),
    whole("bearer"),
    whole("rssi_dbm", required=False),  # at the gateway that heard it best; none over IP
    whole("snr_tenths_db", required=False),
    whole("margin_tenths_db", required=False),
    is_meter_id(),
)
