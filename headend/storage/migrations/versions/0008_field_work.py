"""Field work: tools, jobs, grants, records, seals, first uplinks; where a utility serves and where its meters are.

Revision 0008.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WHOLE = sa.Integer().with_variant(sa.BigInteger(), "postgresql")
GRACE_MILLS = "500000"

_INSERT_ONLY = """
CREATE TRIGGER field_record_no_{verb} BEFORE {verb} ON field_record
BEGIN SELECT RAISE(ABORT, 'field_record is insert-only: correct it with another row'); END
"""


def upgrade() -> None:
    _places()
    _tools_and_jobs()
    _grants_and_seals()
    _records()


def _whole(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, WHOLE, nullable=nullable) for name in names]


def _words(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=nullable) for name in names]


def _bytes(*names: str, nullable: bool = False) -> list[sa.Column[bytes]]:
    return [sa.Column(name, sa.LargeBinary(), nullable=nullable) for name in names]


def _meter_id(table: str) -> sa.CheckConstraint:
    return sa.CheckConstraint("length(meter_id) = 8", name=op.f(f"ck_{table}_meter_id_8_bytes"))


def _places() -> None:
    op.add_column("utility", sa.Column("service_area", sa.Text(), nullable=True))
    grace = sa.Column("installation_grace_mills", WHOLE, nullable=False, server_default=GRACE_MILLS)
    op.add_column("utility", grace)
    for name in ("lat_e6", "lon_e6", "accuracy_m"):
        op.add_column("service_point", sa.Column(name, WHOLE, nullable=True))


def _tools_and_jobs() -> None:
    op.create_table(
        "field_tool",
        *_bytes("public_key"),
        *_words("technician", "fingerprint", "tool"),
        *_whole("enrolled_us"),
        sa.CheckConstraint("length(public_key) = 32", name=op.f("ck_field_tool_public_key_32_bytes")),
        sa.PrimaryKeyConstraint("public_key", name=op.f("pk_field_tool")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_field_tool_fingerprint")),
        sqlite_strict=True,
    )
    op.create_table(
        "field_job",
        sa.Column("id", WHOLE, primary_key=True),
        *_words("kind", "technician"),
        *_bytes("meter_id"),
        *_bytes("new_meter_id", nullable=True),
        *_whole("litres_per_pulse"),
        *_whole("first_index_l", nullable=True),
        *_whole("role"),
        *_words("note", "state"),
        *_bytes("token_hash"),
        *_whole("attempts"),
        *_bytes("claim_hash", nullable=True),
        *_whole("created_us", "not_before_us", "expires_us"),
        *_whole("claimed_us", "ended_us", nullable=True),
        _meter_id("field_job"),
        sa.CheckConstraint("kind IN ('install', 'swap', 'retire', 'visit')", name=op.f("ck_field_job_kind_known")),
        sa.CheckConstraint(
            "state IN ('open', 'claimed', 'recorded', 'done', 'cancelled')", name=op.f("ck_field_job_state_known")
        ),
        sa.CheckConstraint(
            "(kind = 'swap') = (new_meter_id IS NOT NULL)", name=op.f("ck_field_job_swap_has_two_meters")
        ),
        sa.CheckConstraint(
            "(state IN ('claimed', 'recorded', 'done')) <= (claim_hash IS NOT NULL)",
            name=op.f("ck_field_job_claimed_by_one"),
        ),
        sa.CheckConstraint("not_before_us < expires_us", name=op.f("ck_field_job_some_time")),
        sqlite_strict=True,
    )
    op.create_index("ix_field_job_technician", "field_job", ["technician", "state"])
    op.create_index("ix_field_job_meter_id", "field_job", ["meter_id"])
    op.create_index("ix_field_job_new_meter_id", "field_job", ["new_meter_id"])
    op.create_table(
        "field_identity",
        sa.Column("job_id", WHOLE, primary_key=True),
        *_words("kek_id"),
        *_bytes("wrapped"),
        sa.ForeignKeyConstraint(["job_id"], ["field_job.id"], name=op.f("fk_field_identity_job_id")),
        sqlite_strict=True,
    )


def _grants_and_seals() -> None:
    op.create_table(
        "field_grant",
        *_bytes("meter_id"),
        *_whole("number", "generation", "role", "uses", "from_s", "until_s"),
        *_words("technician"),
        *_whole("job_id", nullable=True),
        *_whole("issued_us"),
        _meter_id("field_grant"),
        sa.CheckConstraint("number BETWEEN 1 AND 4294967295", name=op.f("ck_field_grant_number_range")),
        sa.CheckConstraint("role BETWEEN 1 AND 4 AND uses BETWEEN 1 AND 100", name=op.f("ck_field_grant_terms_known")),
        sa.CheckConstraint("until_s > from_s AND until_s - from_s <= 259200", name=op.f("ck_field_grant_at_most_72_h")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.meter_id"], name=op.f("fk_field_grant_meter_id")),
        sa.ForeignKeyConstraint(["job_id"], ["field_job.id"], name=op.f("fk_field_grant_job_id")),
        sa.PrimaryKeyConstraint("meter_id", "number", name=op.f("pk_field_grant")),
        sqlite_strict=True,
    )
    op.create_table(
        "seal",
        *_words("number", "state"),
        *_bytes("meter_id", nullable=True),
        *_words("technician", nullable=True),
        *_whole("imported_us"),
        *_whole("placed_us", "read_us", "broken_us", nullable=True),
        sa.CheckConstraint("state IN ('stock', 'placed', 'broken')", name=op.f("ck_seal_state_known")),
        sa.CheckConstraint("(state = 'stock') = (meter_id IS NULL)", name=op.f("ck_seal_placed_somewhere")),
        sa.ForeignKeyConstraint(["meter_id"], ["meter.meter_id"], name=op.f("fk_seal_meter_id")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_seal")),
        sqlite_strict=True,
    )
    op.create_index("ix_seal_meter_id", "seal", ["meter_id"])
    op.create_index("ix_seal_state", "seal", ["state"])


def _records() -> None:
    op.create_table(
        "field_record",
        sa.Column("id", WHOLE, primary_key=True),
        *_whole("batch_id", "job_id"),
        *_bytes("meter_id"),
        *_words("technician", "fingerprint"),
        *_bytes("record_hash", "signature"),
        *_words("record", nullable=True),
        *_words("findings"),
        *_bytes("opening_frame", nullable=True),
        _meter_id("field_record"),
        sa.CheckConstraint(
            "length(record_hash) = 32 AND length(signature) = 64", name=op.f("ck_field_record_proof_lengths")
        ),
        sa.ForeignKeyConstraint(["job_id"], ["field_job.id"], name=op.f("fk_field_record_job_id")),
        sa.UniqueConstraint("job_id", name=op.f("uq_field_record_job_id")),
        sqlite_strict=True,
    )
    op.create_index("ix_field_record_meter_id", "field_record", ["meter_id"])
    for verb in ("UPDATE", "DELETE"):
        op.execute(_INSERT_ONLY.format(verb=verb))
    op.create_table(
        "first_uplink",
        *_bytes("meter_id"),
        *_whole("generation", "heard_us", "bearer"),
        *_whole("rssi_dbm", "snr_tenths_db", "margin_tenths_db", nullable=True),
        _meter_id("first_uplink"),
        sa.PrimaryKeyConstraint("meter_id", "generation", name=op.f("pk_first_uplink")),
        sqlite_strict=True,
    )


def downgrade() -> None:
    for name in ("first_uplink", "field_record", "seal", "field_grant", "field_identity", "field_job", "field_tool"):
        op.drop_table(name)
