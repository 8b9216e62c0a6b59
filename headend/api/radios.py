"""The radio of a meter: the DevEUI by which a LoRaWAN network server knows it."""

from typing import Annotated

from msgspec import Meta

from headend.api.endpoint import PROVISION, Endpoint
from headend.api.shapes import MeterIdText, Request, Response
from headend.meters.radio import set_radio
from headend.storage.writer import Tx

DevEuiText = Annotated[str, Meta(pattern=r"^[0-9a-fA-F]{16}(?![\s\S])", description="16 hexadecimal digits")]


class RadioPath(Request):
    meter_id: MeterIdText


class RadioToSet(Request):
    """The radio that is in the meter now."""

    dev_eui: DevEuiText


class Radio(Response):
    meter_id: str
    dev_eui: str


def set_meter_radio(tx: Tx, path: RadioPath, body: RadioToSet) -> Radio:
    """Name the radio of a meter, in the place of the one it had."""
    dev_eui = bytes.fromhex(body.dev_eui)
    set_radio(tx, bytes.fromhex(path.meter_id), dev_eui)
    return Radio(path.meter_id.lower(), dev_eui.hex())


ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/radio",
        set_meter_radio,
        "Name the radio of a meter",
        "Meters",
        PROVISION,
        writes=True,
        refusals=("meter_unknown", "meter_retired", "radio_taken"),
    ),
)
