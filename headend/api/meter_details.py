"""What is written of a meter's holder and place: correcting it, and how it stood at an instant (IW-15)."""

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import Connection, text

from headend.api.endpoint import OPERATE, Endpoint
from headend.api.meters import MeterDetail, MeterPath, get_meter, known_meter
from headend.api.problems import Problem
from headend.api.shapes import Instant, Label, Language, Phone, Request, Response, instant, unix_s_of
from headend.api.tariffs import Tariff, tariff_as_known
from headend.meters.details import edit_details
from headend.storage.audit import Image
from headend.storage.history import row_as_of
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of


class DetailsToCorrect(Request, omit_defaults=True):
    """Give what is to be corrected; all else stays. `null` takes a phone or an address away."""

    holder: Label | UnsetType = UNSET
    phone: Phone | UnsetType | None = UNSET
    language: Language | UnsetType = UNSET
    service_point: Label | UnsetType = UNSET
    address: Label | UnsetType | None = UNSET


class AsOfQuery(Request):
    """`at`: the instant to look back to."""

    at: Instant


class MeterAsOf(Response):
    """What the headend knew and did at that instant; null where it knew nothing yet. `tariff` is the one in force then,
    as it was published then. `policy_version` and `plan_version` are those the meter was meant to hold."""

    meter_id: str
    at: str
    state: str | None
    generation: int | None
    customer_number: str | None
    holder: str | None
    language: str | None
    service_point: str | None
    address: str | None
    households: int | None
    tariff_code: str | None
    tariff: Tariff | None
    policy_version: int
    plan_version: int


def correct_details(tx: Tx, path: MeterPath, body: DetailsToCorrect) -> MeterDetail:
    """Correct the holder's name, phone or language, or the name or address of the place."""
    changes = {name: value for name in body.__struct_fields__ if (value := getattr(body, name)) is not UNSET}
    if not changes:
        raise Problem("invalid_body", (("", "Expected at least one field to correct"),))
    edit_details(tx, bytes.fromhex(path.meter_id), changes)
    return get_meter(tx.connection, path, tx.now_us // 1_000_000)


def get_meter_as_of(connection: Connection, path: MeterPath, query: AsOfQuery) -> MeterAsOf:
    """A meter, its holder, its place and its tariff as they were known at an instant."""
    meter_id = known_meter(connection, path.meter_id)
    at_unix_s = unix_s_of(query.at, "?at", "invalid_query")
    at_us = at_unix_s * 1_000_000 + 999_999
    meter = row_as_of(connection, "meter", path.meter_id, at_us)
    contract = _contract_as_of(connection, meter_id, slot_of(at_unix_s), at_us)
    customer, place, tariff = None, None, None
    if contract is not None:
        customer = row_as_of(connection, "customer", str(contract["customer_id"]), at_us)
        place = row_as_of(connection, "service_point", str(contract["service_point_id"]), at_us)
        tariff = tariff_as_known(connection, str(contract["tariff_code"]), slot_of(at_unix_s), at_us)
    found = {
        "state": _field(meter, "state"),
        "generation": _field(meter, "generation"),
        "customer_number": _field(contract, "customer_number"),
        "holder": _field(customer, "name"),
        "language": _field(customer, "language"),
        "service_point": _field(place, "label"),
        "address": _field(place, "address"),
        "households": _field(contract, "households"),
        "tariff_code": _field(contract, "tariff_code"),
        "policy_version": _pack_version(connection, meter_id, _POLICY, at_us),
        "plan_version": _pack_version(connection, meter_id, _PLAN, at_us),
    }
    at = {"meter_id": path.meter_id, "at": instant(at_unix_s), "tariff": tariff}
    return msgspec.convert({**found, **at}, MeterAsOf, from_attributes=True)


_POLICY, _PLAN = 4, 6


def _contract_as_of(connection: Connection, meter_id: bytes, slot: int, at_us: int) -> Image | None:
    """The contract in force at a slot, as far as it was known at `at_us`; before the first one, that one. Before
    a swap, and after it, a contract is with another meter."""
    ids = connection.execute(
        text(
            "SELECT contract_id FROM served WHERE meter_id = :id "
            "ORDER BY start_slot <= :slot DESC, abs(start_slot - :slot)"
        ),
        {"id": meter_id, "slot": slot},
    ).scalars()
    known = (row_as_of(connection, "contract", str(row_id), at_us) for row_id in ids)
    return next((contract for contract in known if contract and contract["meter_id"] == meter_id.hex()), None)


def _pack_version(connection: Connection, meter_id: bytes, kind: int, at_us: int) -> int:
    query = text(
        "SELECT coalesce(max(p.version), 0) FROM pack p JOIN batch b ON b.id = p.batch_id "
        "WHERE p.meter_id = :id AND p.kind = :kind AND b.committed_us <= :at_us"
    )
    version: int = connection.execute(query, {"id": meter_id, "kind": kind, "at_us": at_us}).scalar_one()
    return version


def _field(image: Image | None, name: str) -> str | int | None:
    return None if image is None else image[name]


ENDPOINTS = (
    Endpoint(
        "PATCH",
        "/v1/meters/{meter_id}",
        correct_details,
        "Correct the holder or the place",
        "Meters",
        OPERATE,
        writes=True,
        refusals=("meter_unknown", "meter_spare", "name", "language"),
    ),
    Endpoint(
        "GET",
        "/v1/meters/{meter_id}/as-of",
        get_meter_as_of,
        "A meter as it was known at an instant",
        "Meters",
        refusals=("unknown_meter",),
    ),
)
