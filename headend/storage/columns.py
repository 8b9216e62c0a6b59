"""What tables are made of: column kinds, STRICT tables, and the columns of a segment, which two tables share."""

from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite's INTEGER has 64 bits; PostgreSQL must be told.
Whole = Integer().with_variant(BigInteger(), "postgresql")
Blob = LargeBinary()

# Counters stay below 2^53 (SEMANTICS A1), so a sum of many still fits 64 bits.
COUNTER_MAX = 2**53 - 1

# Wallet = the sum of these, in this order, everywhere (SEMANTICS F2). The first six are roles of S; debt is R.
ROLES = ("water", "sewer", "fixed", "levy", "tax1", "tax2", "debt")

# Marks a column that may be erased at the end of its retention: the chain holds its hash in another column (F4).
ERASABLE = {"erasable": True}

# Marks what says only by which way a frame came: the books are the same whatever carried it (CT-22).
CARRIAGE = {"carriage": True}

# Marks a column that came after rows were chained: a digest covers it, by its name, where it is not 0.
LATER = {"later": True}


def whole(name: str, *extra: Any, required: bool = True, **options: Any) -> Column[int]:
    return Column(name, Whole, *extra, nullable=not required, **options)


def blob(name: str, required: bool = True, **options: Any) -> Column[bytes]:
    return Column(name, Blob, nullable=not required, **options)


def words(name: str, required: bool = True, **options: Any) -> Column[str]:
    return Column(name, Text, nullable=not required, **options)


def table(name: str, *parts: Any) -> Table:
    return Table(name, metadata, *parts, sqlite_strict=True)


def primary() -> Column[int]:
    return Column("id", Whole, primary_key=True)


def is_meter_id(column: str = "meter_id") -> CheckConstraint:
    return CheckConstraint(f"length({column}) = 8", name=f"{column}_8_bytes")


def segment_columns(required: bool) -> list[Any]:
    """A segment: what a run of slots within one local month, pack and holder took from a wallet (SEMANTICS F1, F2)."""
    names = [
        "segment_log_generation",
        "segment_first_slot",
        "segment_slots",
        "segment_volume_l",
        "contract_id",
        "pack_version",
        "role_map",
        "wallet_mills",
        *(f"{role}_mills" for role in ROLES),
        "spent_mills",
        "collected_mills",
    ]
    blanks = " + ".join(f"({name} IS NULL)" for name in names)
    total = " + ".join(f"{role}_mills" for role in ROLES)
    parts = " AND ".join(f"{role}_mills >= 0" for role in ROLES)
    return [
        *(whole(name, required=required) for name in names),
        CheckConstraint(f"wallet_mills = {total}", name="wallet_is_the_sum"),
        CheckConstraint(parts, name="roles_not_negative"),
        CheckConstraint("segment_slots > 0 AND segment_volume_l >= 0", name="segment_not_empty"),
        # A CHECK over a NULL passes, so a segment stored with a frame is there whole or not at all.
        CheckConstraint(f"{blanks} IN (0, {len(names)})", name="segment_whole"),
    ]
