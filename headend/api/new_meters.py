"""Adding meters: what is asked, and the answer that a meter is provisioned with."""

from typing import Annotated, Literal

from msgspec import Meta

from headend.api.endpoint import IMPORT_BYTES_MAX, PROVISION, Endpoint
from headend.api.shapes import (
    Instant,
    Label,
    Language,
    Litres,
    MeterIdText,
    Phone,
    Request,
    Response,
    unix_s_of,
)
from headend.meters.keyring import Keyring
from headend.meters.registry import NewMeter, Provisioning, add_meter, import_meters
from headend.storage.writer import Tx
from protocol.rules.calendar import slot_of
from protocol.rules.policy import NEVER_CLOSE_LOCK, NEW, WINDOW_NEEDS_CREDIT, Policy

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

Weekday = Annotated[str, Meta(pattern=r"^(mon|tue|wed|thu|fri|sat|sun)(?![\s\S])")]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](?![\s\S])", description="local, as 17:30")]
Mills = Annotated[int, Meta(ge=0, le=10**12)]


class FriendlyHours(Request):
    """Local hours in which an empty balance closes nothing; `days` as mon,tue,… on which they begin."""

    days: Annotated[list[Weekday], Meta(min_length=1, max_length=7)]
    begins: TimeOfDay
    ends: TimeOfDay


class ValvePolicy(Request):
    """What the valve does at an empty balance; all amounts in mills. Every relaxing rule has an end (SEMANTICS E1)."""

    never_close: bool = False
    emergency_mills: Mills = 0
    emergency_unsure_mills: Mills = 0
    lifeline_l_per_day: Annotated[int, Meta(ge=0, le=65_535)] = 0
    low_credit_mills: Mills = 500_000
    friendly_hours: Annotated[list[FriendlyHours], Meta(max_length=4)] = []
    friendly_cap_l: Annotated[int, Meta(ge=0, le=65_535)] = 0
    friendly_needs_credit: bool = False
    friendly_until: Instant | None = None
    grace_s: Annotated[int, Meta(ge=0, le=14_400)] = 0
    jitter_s: Annotated[int, Meta(ge=0, le=14_400)] = 0


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
    return added(add_meter(tx, keyring, _new_meter(body, now_unix_s)))


def create_meters(tx: Tx, keyring: Keyring, body: MetersToImport, now_unix_s: int) -> ImportedMeters:
    """Register many meters in one commit: all of them, or none."""
    meters = [_new_meter(one, now_unix_s) for one in body.meters]
    return ImportedMeters([added(done) for done in import_meters(tx, keyring, meters)])


def _new_meter(body: MeterToAdd, now_unix_s: int) -> NewMeter:
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
        policy=_policy(body.policy),
    )


def _policy(given: ValvePolicy) -> Policy:
    flags = NEVER_CLOSE_LOCK * given.never_close | WINDOW_NEEDS_CREDIT * given.friendly_needs_credit
    until = None if given.friendly_until is None else unix_s_of(given.friendly_until, "/policy/friendly_until")
    return NEW._replace(
        flags=flags,
        emergency_mills=given.emergency_mills,
        emergency_unsure_mills=given.emergency_unsure_mills,
        lifeline_l_per_day=given.lifeline_l_per_day,
        low_credit_mills=given.low_credit_mills,
        windows=tuple(
            (_mask(hours.days), _minute(hours.begins), _minute(hours.ends)) for hours in given.friendly_hours
        ),
        window_cap_l=given.friendly_cap_l,
        until_slot=0 if until is None else slot_of(until),
        grace_s=given.grace_s,
        jitter_s=given.jitter_s,
    )


def _mask(days: list[str]) -> int:
    return sum(1 << WEEKDAYS.index(day) for day in set(days))


def _minute(time: str) -> int:
    return 60 * int(time[:2]) + int(time[3:])


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
