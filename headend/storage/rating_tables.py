"""What of a tariff the meter need not know, the notices of corrections, and where rating again stands."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index

from headend.storage.columns import Blob, Whole, blob, is_meter_id, primary, table, whole, words

NOTICE_DAYS_MAX = 366

# ---- books: insert-only, chained -----------------------------------------------------------------------------------

tariff_terms = table(
    "tariff_terms",  # beside a tariff: the headend's own terms, and who published it
    primary(),
    whole("batch_id"),
    whole("tariff_id", ForeignKey("tariff.id"), unique=True),
    whole("notice_days"),  # how long a late rise is announced before the wallet bears it (SEMANTICS B6)
    whole("prorated"),  # 1: the holder's first month bears its share of the monthly charges (CT-09)
    words("published_by"),
    CheckConstraint(f"notice_days BETWEEN 0 AND {NOTICE_DAYS_MAX}", name="notice_days_range"),
    CheckConstraint("prorated IN (0, 1)", name="prorated_known"),
)

rating_notice = table(
    "rating_notice",  # what a correction tells the holder, and until when it may not touch the wallet (SEMANTICS B6)
    primary(),
    whole("batch_id"),
    blob("meter_id"),
    whole("generation"),
    whole("contract_id"),
    words("kind"),
    whole("amount_mills"),  # by how much more the holder is to bear than before; negative: given back
    whole("before_mills"),  # what all notices of this kind and holder before said together
    whole("due_us"),  # from when the wallet may bear a rise; else the time of the notice
    words("text_fr"),
    words("text_en"),
    is_meter_id(),
    CheckConstraint("kind IN ('wallet', 'debt')", name="kind_known"),
    CheckConstraint("amount_mills <> 0", name="amount_not_zero"),
    Index("ix_rating_notice_meter_id", "meter_id", "generation", "kind"),
)

# ---- state ---------------------------------------------------------------------------------------------------------

rating_work = table(
    "rating_work",  # meters to bring packs to and to rate again, each from an instant on; done work is deleted
    Column("meter_id", Blob, primary_key=True, nullable=False),
    Column("due_us", Whole, primary_key=True, nullable=False),
    is_meter_id(),
    Index("ix_rating_work_due_us", "due_us"),
)

rating_base = table(
    "rating_base",  # rating again up to a slot, summed, so that only later slots need be read (a shadow of the books)
    Column("meter_id", Blob, primary_key=True, nullable=False),
    whole("generation"),
    whole("tariff_id"),  # the newest tariff that was known
    words("contracts"),  # the holders that were known, JSON
    words("sums"),  # JSON, see headend/billing/rating_base.py
    is_meter_id(),
)
