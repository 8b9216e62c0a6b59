"""The audit: who changed what, when, and what stood there before (IW-15)."""

from sqlalchemy import CheckConstraint, Index

from headend.storage.columns import blob, primary, table, whole, words

audit = table(
    "audit",  # a row of the registry changed, or a book written by command; made by the writer itself (audit.py)
    primary(),
    whole("batch_id"),
    whole("at_us"),
    words("actor_kind"),
    words("actor"),  # the API key's name, the user of the machine, the provider, or 'headend'
    words("command"),  # 'POST /v1/meters', 'guelta key create'; empty for what the headend did by itself
    words("what"),  # the table
    words("row_key"),  # its primary key as text, the parts of a composite one joined by '/'
    blob("meter_id", required=False),
    words("before", required=False),  # the row as JSON, NULL for a new one; secrets are never in it
    words("after", required=False),  # NULL for a removed one
    CheckConstraint("actor_kind IN ('key', 'cli', 'provider', 'system')", name="actor_kind_known"),
    CheckConstraint("before IS NOT NULL OR after IS NOT NULL", name="says_something"),
    Index("ix_audit_meter_id", "meter_id"),
    Index("ix_audit_what_row_key", "what", "row_key"),
)
