"""Firmware: releases of the utility, which version a meter is meant to run, and how far it said it is."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, ForeignKeyConstraint

from headend.storage.columns import Blob, Whole, blob, is_meter_id, table, whole, words

release = table(
    "release",  # a signed update as it was taken; its image is a file beside the database (headend/releases/images.py)
    words("hardware", primary_key=True),
    Column("version", Whole, primary_key=True),
    whole("min_version"),
    whole("size"),  # of the image
    blob("sha256"),  # of the image
    blob("manifest"),  # as it was signed
    whole("added_us"),
    CheckConstraint("length(manifest) = 132 AND length(sha256) = 32", name="manifest_lengths"),
    CheckConstraint("version BETWEEN 1 AND 4294967295", name="version_range"),
    CheckConstraint("size BETWEEN 1 AND 520192", name="size_range"),
)

meter_update = table(
    "meter_update",  # the version that somebody wants a meter to run, until the meter tells how that ended
    Column("meter_id", Blob, ForeignKey("meter.meter_id"), primary_key=True, nullable=False),
    words("hardware"),
    whole("version"),
    words("state"),
    whole("outcome", required=False),  # why the meter refused it (protocol/wire/update_codes.py)
    whole("ordered_us"),
    whole("ended_us", required=False),
    is_meter_id(),
    ForeignKeyConstraint(["hardware", "version"], ["release.hardware", "release.version"]),
    CheckConstraint("state IN ('wanted', 'done', 'refused', 'rejected', 'cancelled')", name="state_known"),
    CheckConstraint("(state = 'wanted') = (ended_us IS NULL)", name="ended_once"),
    CheckConstraint("(state = 'refused') = (outcome IS NOT NULL)", name="refused_with_a_code"),
)

# ---- state ---------------------------------------------------------------------------------------------------------

update_progress = table(
    "update_progress",  # the newest PROGRESS of a meter
    Column("meter_id", Blob, primary_key=True, nullable=False),
    whole("version"),
    whole("next_offset"),  # in the update's file: manifest and image
    whole("state"),
    whole("outcome"),
    whole("told_us"),
    is_meter_id(),
)
