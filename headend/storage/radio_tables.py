"""The radios that network servers know, and the meters they belong to."""

from sqlalchemy import CheckConstraint, Column, ForeignKey, UniqueConstraint

from headend.storage.columns import Blob, is_meter_id, table, whole

radio = table(
    "radio",  # a LoRaWAN device by its DevEUI, which is the radio's name; the meter id is ours
    Column("dev_eui", Blob, primary_key=True, nullable=False),
    Column("meter_id", Blob, ForeignKey("meter.meter_id"), nullable=False),
    whole("added_us"),
    is_meter_id(),
    CheckConstraint("length(dev_eui) = 8", name="dev_eui_8_bytes"),
    UniqueConstraint("meter_id"),
)
