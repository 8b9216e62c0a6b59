"""What a utility says of its field work: where it serves, and how far a meter may go before its OPENING."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection

from headend.api.endpoint import PROVISION, READ, Endpoint
from headend.api.shapes import Request, Response
from headend.field.service_area import CORNERS_MAX, CORNERS_MIN, LAT_E6_MAX, LON_E6_MAX, Place, area_of, set_area
from headend.storage.writer import Tx

GRACE_MILLS_MAX = 10**9


class Corner(Request):
    """Millionths of a degree, north and east positive."""

    lat_e6: Annotated[int, Meta(ge=-LAT_E6_MAX, le=LAT_E6_MAX)]
    lon_e6: Annotated[int, Meta(ge=-LON_E6_MAX, le=LON_E6_MAX)]


class FieldSettings(Request):
    """`service_area`: the corners of a polygon, in order around it; null: anywhere. `installation_grace_mills`: how far
    below zero a meter may go that holds no OPENING yet; no credit, for the OPENING brings what was used."""

    service_area: Annotated[list[Corner], Meta(min_length=CORNERS_MIN, max_length=CORNERS_MAX)] | None
    installation_grace_mills: Annotated[int, Meta(ge=0, le=GRACE_MILLS_MAX)]


class KeptSettings(Response):
    service_area: list[Corner] | None
    installation_grace_mills: int


def get_field_settings(connection: Connection) -> KeptSettings:
    """Where the utility serves, and its installation grace."""
    return _kept(Tx(connection, 0, 0))


def set_field_settings(tx: Tx, body: FieldSettings) -> KeptSettings:
    """Set both. A position outside the service area is then a finding of the record that tells it."""
    corners = body.service_area
    set_area(tx, None if corners is None else [Place(corner.lat_e6, corner.lon_e6) for corner in corners])
    tx.cursor.execute("UPDATE utility SET installation_grace_mills = ?", (body.installation_grace_mills,))
    return _kept(tx)


def _kept(tx: Tx) -> KeptSettings:
    corners = area_of(tx)
    (grace_mills,) = tx.cursor.execute("SELECT installation_grace_mills FROM utility").fetchone()
    return KeptSettings(None if corners is None else [Corner(*corner) for corner in corners], int(grace_mills))


ENDPOINTS = (
    Endpoint("GET", "/v1/field/settings", get_field_settings, "Show the settings of field work", "Field work", READ),
    Endpoint(
        "POST",
        "/v1/field/settings",
        set_field_settings,
        "Set service area and installation grace",
        "Field work",
        PROVISION,
        writes=True,
        refusals=("service_area",),
    ),
)
