"""What is known of each meter since a restore: what it may hold that the books forgot, and what it told since (A5)."""

from sqlalchemy import CheckConstraint, Column

from headend.storage.columns import Blob, Whole, blob, is_meter_id, table, whole, words

# What C and D were raised by and what is not explained yet, by the part that it was before the restore; the last of
# each side where only the meter told so, and nobody knows the part.
CREDIT_SHARES = ("paid_mills", "moved_in_mills", "rating_credit_mills", "credit_mills")
DEBIT_SHARES = ("reversed_mills", "rating_debit_mills", "debit_mills")
SHARES = CREDIT_SHARES + DEBIT_SHARES

recovery = table(
    "recovery",  # state: one row for each meter that lived on through the last restore
    Column("meter_id", Blob, primary_key=True, nullable=False),
    whole("generation"),  # wallet generation in the books; 0 for a meter that only the high-water file knows
    whole("restored_us"),
    whole("until_us"),  # a payment that was made later is none of those that were lost
    whole("backup_number"),  # the last statement in the backup
    whole("number"),  # the statement with which the restore began: numbers in between are never given
    *(whole(name, CheckConstraint(f"{name} >= 0", name=name)) for name in SHARES),
    whole("backup_command"),  # the last COMMAND in the backup
    whole("command_floor"),  # the numbers up to these may be on the meter with other content
    whole("policy_floor"),
    whole("plan_floor"),
    whole("tariff_floor"),
    whole("heard_us", required=False),  # first contact
    whole("device_counter", required=False),  # the frame of the newest DEVICE that echoes `number`, and of an ANCHOR
    whole("anchor_counter", required=False),
    whole("told_us", required=False),  # when it had told all that it holds
    words("found"),  # what differs, JSON; the names are those of the REST answer
    is_meter_id(),
)

recovery_pack = table(
    "recovery_pack",  # state: packs that the high-water file knows and the books do not: same content, same version
    Column("meter_id", Blob, primary_key=True, nullable=False),
    Column("kind", Whole, primary_key=True),
    Column("version", Whole, primary_key=True),
    blob("content_hash"),
    is_meter_id(),
)
