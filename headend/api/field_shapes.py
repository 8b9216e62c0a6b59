"""Types that endpoints of field work share."""

from typing import Annotated

from msgspec import Meta

from headend.api.new_meters import AddedMeter
from headend.api.shapes import MeterIdText, Request, Response, instant
from headend.field import jobs
from headend.field.job_facts import JobFacts

MICRO = 1_000_000

JobIdText = Annotated[
    str,
    Meta(pattern=r"^j[1-9][0-9]{0,8}(?![\s\S])", description='a job: "j" and its number', examples=["j1"]),
]
Technician = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}(?![\s\S])", description="the name of an API key", examples=["test"]
    ),
]
Fingerprint = Annotated[str, Meta(pattern=r"^[0-9a-f]{16}(?![\s\S])", description="of a tool's public key")]
Hex16 = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}(?![\s\S])", description="16 bytes as 32 lower-case hex digits")]
Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}(?![\s\S])", description="32 bytes as 64 lower-case hex digits")]
Hex64 = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}(?![\s\S])", description="64 bytes as 128 lower-case hex digits")]
Tool = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f-\x9f]{1,64}(?![\s\S])",
        description="1 to 64 characters, no control characters",
        examples=["guelta 0.1.0"],
    ),
]
Note = Annotated[
    str,
    Meta(
        pattern=r"^[^\x00-\x1f\x7f-\x9f]{0,200}(?![\s\S])",
        description="up to 200 characters, no control characters",
        examples=["behind the school"],
    ),
]
SealNumber = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]{1,20}(?![\s\S])", description="a seal's number", examples=["NE000123"])
]


class JobPath(Request):
    job_id: JobIdText


class Radio(Response):
    """How the first uplink came: udp, http, lorawan or hand. Decibels are rounded down; over IP there are none.
    `margin_db` is what the signal-to-noise ratio had above what its spreading factor needs."""

    bearer: str
    rssi_dbm: int | None
    snr_db: int | None
    margin_db: int | None


class Job(Response):
    """A job. `first_uplink_at`: when the commissioned meter was first heard; `holder` is null once nobody holds it."""

    job_id: str
    kind: str
    technician: str
    meter_id: MeterIdText
    new_meter_id: MeterIdText | None
    customer_number: str | None
    holder: str | None
    service_point: str | None
    litres_per_pulse: int
    currency: str
    exponent: int
    state: str
    expires_at: str
    note: str
    first_uplink_at: str | None
    radio: Radio | None


class GrantWithKey(Response):
    """The terms of a grant and the key that proves them, in hex: whoever holds it may use the meter's service port."""

    meter_id: str
    generation: int
    number: int
    role: int
    uses: int
    from_s: int
    until_s: int
    key: str


class ClaimedJob(Response):
    """What the tool needs on site. `identity` holds the meter's root key and is null where nothing is provisioned."""

    job: Job
    identity: AddedMeter | None
    grants: list[GrantWithKey]
    installation_grace_mills: int


def job_of(facts: JobFacts) -> Job:
    """A job as REST tells it."""
    radio = facts.radio
    return Job(
        job_id=jobs.job_id(facts.number),
        kind=facts.kind,
        technician=facts.technician,
        meter_id=facts.meter_id.hex(),
        new_meter_id=None if facts.new_meter_id is None else facts.new_meter_id.hex(),
        customer_number=facts.customer_number,
        holder=facts.holder,
        service_point=facts.service_point,
        litres_per_pulse=facts.litres_per_pulse,
        currency=facts.currency,
        exponent=facts.exponent,
        state=facts.state,
        expires_at=instant(facts.expires_us // MICRO),
        note=facts.note,
        first_uplink_at=None if facts.heard_us is None else instant(facts.heard_us // MICRO),
        radio=None if radio is None else Radio(radio.bearer, radio.rssi_dbm, radio.snr_db, radio.margin_db),
    )
