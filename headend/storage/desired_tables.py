"""What a person asked of a meter that its echoes do not show yet: commands, and slots to be sent again."""

from sqlalchemy import CheckConstraint, Column, ForeignKey

from headend.storage.columns import Blob, Whole, is_meter_id, table, whole, words

meter_command = table(
    "meter_command",  # a COMMAND until its RESULT; numbers rise by one per meter and never come again (SEMANTICS D1)
    Column("meter_id", Blob, ForeignKey("meter.meter_id"), primary_key=True, nullable=False),
    Column("number", Whole, primary_key=True),
    whole("code"),
    whole("argument"),
    whole("cap"),
    whole("expires_unix_s"),
    words("state"),
    whole("outcome", required=False),  # what the RESULT says (protocol/wire/command_codes.py)
    whole("done_unix_s", required=False),  # when, by the meter's clock
    whole("created_us"),
    whole("settled_us", required=False),
    is_meter_id(),
    CheckConstraint("number BETWEEN 1 AND 4294967295", name="number_range"),
    CheckConstraint("state IN ('wanted', 'done', 'refused', 'expired')", name="state_known"),
)

slot_request = table(
    "slot_request",  # slots a person asked to be sent again, acknowledged or not (SEMANTICS F3); gone when heard
    Column("meter_id", Blob, ForeignKey("meter.meter_id"), primary_key=True, nullable=False),
    Column("log_generation", Whole, primary_key=True),
    Column("first_slot", Whole, primary_key=True),
    whole("slots"),
    whole("until_us"),
    is_meter_id(),
    CheckConstraint("slots > 0", name="slots_positive"),
)
