"""How a wallet generation begins, the slots of it that a meter lost for good, and how a meter ends."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, UniqueConstraint

from headend.storage.columns import Blob, Whole, blob, is_meter_id, primary, table, whole

opening = table(
    "opening",  # registry: what the OPENING of a wallet generation says (SEMANTICS A4)
    Column("meter_id", Blob, ForeignKey("meter.meter_id"), primary_key=True, nullable=False),
    Column("generation", Whole, primary_key=True),
    whole("batch_id"),  # the commit in which it was opened: plans given before it are not this generation's
    whole("first_index_l"),
    whole("first_slot"),  # the holder's first slot
    whole("position_l"),  # litres already counted in the blocks of the local month
    whole("month"),  # the last local month whose standing charges are paid, 0 for none
    whole("day"),
    whole("remainder"),  # of the wallets before it, below a mill, at scale 4: charged when it comes to a mill
    is_meter_id(),
)

retirement = table(
    "retirement",  # registry: a meter that was taken away, for good; `served` finds its contract by it
    Column("meter_id", Blob, ForeignKey("meter.meter_id"), primary_key=True, nullable=False),
    whole("contract_id", ForeignKey("contract.id"), required=False),  # none: a spare that was never used
    Column("next_meter_id", Blob, ForeignKey("meter.meter_id"), unique=True),  # none: nobody draws water there any more
    whole("at_slot"),  # the first slot that is not this meter's
    whole("final_index_l", required=False),  # read by eye, where its last report was not trusted to be its last word
    whole("retired_us"),
    is_meter_id(),
    CheckConstraint("next_meter_id IS NULL OR contract_id IS NOT NULL", name="a_swap_has_a_contract"),
    Index("ix_retirement_contract_id", "contract_id"),
)

lost_slots = table(
    "lost_slots",  # books: slots posted from a GAP, without detail (SEMANTICS C4)
    primary(),
    whole("batch_id"),
    blob("meter_id"),
    whole("generation"),
    whole("uplink_id", ForeignKey("uplink.id")),  # the uplink that let it be posted
    whole("log_generation"),
    whole("first_slot"),
    whole("slots"),
    whole("volume_l"),
    whole("spent_mills"),  # S of these slots
    whole("remainder"),  # of S below a mill, at their end
    whole("position_l"),  # block position at their end
    whole("tail_slots"),  # of these slots, those of the last local month, if one begins among them; else 0
    whole("sure"),
    is_meter_id(),
    CheckConstraint("slots > 0 AND volume_l >= 0 AND spent_mills >= 0", name="not_negative"),
    CheckConstraint("tail_slots BETWEEN 0 AND slots", name="tail_within"),
    UniqueConstraint("meter_id", "generation", "log_generation", "first_slot"),
)
