"""Adding meters: what is asked, and the answer that a meter is provisioned with."""

from typing import Annotated, Literal

from msgspec import Meta

from headend.api.endpoint import IMPORT_BYTES_MAX, PROVISION, Endpoint
from headend.api.local_time import utility_offsets
from headend.api.shapes import (
    Label,
    Language,
    Litres,
    MeterIdText,
    Phone,
    Request,
    Response,
)
from headend.api.valve_policy import ValvePolicy, record_of
from headend.meters.keyring import Keyring
from headend.meters.registry import NewMeter, Provisioning, add_meter, import_meters
from headend.storage.writer import Tx
from protocol.rules.calendar import Offsets, slot_of


class MeterToAdd(Request):
    """A meter to register, with its first holder. `start_at` decides the first slot the holder pays for."""

    meter_id: MeterIdText
    holder: Label
    service_point: Label
    tariff_code: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}(?![\s\S])")]
    litres_per_pulse: Literal[1, 10, 100] = 1
    first_index_l: Litres = 0
    households: Annotated[int, Meta(ge=1, le=255)] = 1
    phone: Phone | None = None
    language: Language = "fr"
    policy: ValvePolicy = ValvePolicy()


class FirstPack(Response):
    """A pack as it goes into the meter over the cable; the body in hex."""

    version: int
    from_slot: int
    body: str


class AddedMeter(Response):
    """What the meter is provisioned with, bytes in hex. It holds the root key: shown once, keep it safe."""

    meter_id: str
    customer_number: str
    generation: int
    epoch: int
    litres_per_pulse: int
    first_index_l: int
    root: str
    opening_frame: str
    tariff: FirstPack
    policy: FirstPack


class MetersToImport(Request):
    """Up to 1,000 meters, all or none."""

    meters: Annotated[list[MeterToAdd], Meta(min_length=1, max_length=1000)]


class ImportedMeters(Response):
    meters: list[AddedMeter]


def create_meter(tx: Tx, keyring: Keyring, body: MeterToAdd, now_unix_s: int) -> AddedMeter:
    """Register a meter with its first holder, and make its keys. The answer is what the meter is provisioned with."""
    return added(add_meter(tx, keyring, new_meter_of(body, now_unix_s, utility_offsets(tx.connection))))


def create_meters(tx: Tx, keyring: Keyring, body: MetersToImport, now_unix_s: int) -> ImportedMeters:
    """Register many meters in one commit: all of them, or none."""
    offsets = utility_offsets(tx.connection)
    meters = [new_meter_of(one, now_unix_s, offsets) for one in body.meters]
    return ImportedMeters([added(done) for done in import_meters(tx, keyring, meters)])


def new_meter_of(body: MeterToAdd, now_unix_s: int, offsets: Offsets) -> NewMeter:
    """The registry's words for it. Problem `policy` at the field that is outside its limit."""
    return NewMeter(
        meter_id=bytes.fromhex(body.meter_id),
        tariff_code=body.tariff_code,
        customer_name=body.holder,
        start_slot=slot_of(now_unix_s),
        first_index_l=body.first_index_l,
        litres_per_pulse=body.litres_per_pulse,
        households=body.households,
        phone=body.phone,
        language="en" if body.language == "en" else "fr",
        service_point=body.service_point,
        policy=record_of(body.policy, offsets),
    )


def added(made: Provisioning) -> AddedMeter:
    """What a meter is provisioned with, bytes in hex."""
    return AddedMeter(
        meter_id=made.meter_id.hex(),
        customer_number=made.customer_number,
        generation=made.generation,
        epoch=made.epoch,
        litres_per_pulse=made.litres_per_pulse,
        first_index_l=made.first_index_l,
        root=made.root.hex(),
        opening_frame=made.opening_frame.hex(),
        tariff=FirstPack(made.tariff.version, made.tariff.from_slot, made.tariff.body.hex()),
        policy=FirstPack(made.policy.version, made.policy.from_slot, made.policy.body.hex()),
    )


_ADDING = ("meter_id", "meter_exists", "litres_per_pulse", "first_index", "start_slot", "tariff_unknown")

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/meters",
        create_meter,
        "Add a meter",
        "Meters",
        PROVISION,
        writes=True,
        status=201,
        refusals=_ADDING,
    ),
    Endpoint(
        "POST",
        "/v1/meters:import",
        create_meters,
        "Add many meters, all or none",
        "Meters",
        PROVISION,
        writes=True,
        status=201,
        refusals=_ADDING,
        body_bytes_max=IMPORT_BYTES_MAX,
    ),
)
