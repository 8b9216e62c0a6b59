"""Releases of firmware, and which of them a meter is meant to run."""

from typing import Annotated

from msgspec import Meta
from sqlalchemy import Connection

from headend.api.endpoint import ADMIN, OPERATE, Endpoint
from headend.api.field_jobs import NothingMore
from headend.api.meters import MeterPath, known_meter
from headend.api.problems import Problem
from headend.api.shapes import Request, Response, instant
from headend.releases import images, releases, updates
from headend.storage.writer import Tx
from protocol.wire import update_codes

Version = Annotated[int, Meta(ge=1, le=2**32 - 1, description="major × 10000 + minor × 100 + patch", examples=[10203])]
Hardware = Annotated[
    str, Meta(pattern=r"^[!-~]{1,16}(?![\s\S])", description="as the manifest names it", examples=["qemu-mps2"])
]

_STATES = {update_codes.TAKING: "taking", update_codes.VERIFIED: "verified", update_codes.TRIAL: "trial"}


class Release(Response):
    """A release. `size` is that of the image; `fragments` is how many frames carry it, manifest included.
    `image_kept` is false when the image is not beside the database: send the file again."""

    hardware: str
    version: int
    min_version: int
    size: int
    fragments: int
    sha256: str
    added_at: str
    image_kept: bool


class Releases(Response):
    items: list[Release]


class UpdateToWant(Request):
    """`hardware` is needed only where a version was released for several."""

    version: Version
    hardware: Hardware | None = None


class MeterUpdate(Response):
    """What a meter is meant to run. `state`: wanted (the meter has not told of it yet), taking, verified, trial; then
    done, refused (`outcome` is the meter's code, docs/SPEC.md), rejected (it fell back after its trial) or cancelled.
    `offset` of `size` bytes are there, by the meter's newest word at `told_at`."""

    meter_id: str
    hardware: str
    version: int
    state: str
    offset: int
    size: int
    outcome: int | None
    ordered_at: str
    told_at: str | None
    ended_at: str | None


def add_release(tx: Tx, release_key: bytes, body: bytes) -> Release:
    """Take an update as `guelta firmware release` wrote it, once its hash and its signature are right. The same file
    again answers the same, and brings back an image that is missing."""
    return _release(tx.connection, releases.add_release(tx, body, release_key))


def list_releases(connection: Connection) -> Releases:
    """All releases, the newest version first."""
    return Releases([_release(connection, one) for one in releases.listed(connection)])


def want_update(tx: Tx, path: MeterPath, body: UpdateToWant) -> MeterUpdate:
    """Have a meter run a release. It is asked where it stands when it is heard next, and then takes the image fragment
    by fragment, behind everything that a customer waits for."""
    wanted = updates.order(tx, bytes.fromhex(path.meter_id), body.version, body.hardware)
    return shown(tx.connection, wanted)


def cancel_update(tx: Tx, path: MeterPath, body: NothingMore) -> MeterUpdate:
    """Send no more of it. What the meter holds of it stays unused there."""
    return shown(tx.connection, updates.cancel(tx, bytes.fromhex(path.meter_id)))


def get_update(connection: Connection, path: MeterPath) -> MeterUpdate:
    """How far the update of a meter is, or how the last one ended."""
    found = updates.update_of(connection, known_meter(connection, path.meter_id))
    if found is None:
        raise Problem("no_update", meter_id=path.meter_id)
    return shown(connection, found)


def shown(connection: Connection, update: updates.Update) -> MeterUpdate:
    """An order with what the meter said of it since."""
    release = releases.find(connection, update.hardware, update.version)
    assert release is not None, "the database refuses an order without its release"
    told = updates.told_of(connection, update)
    state, offset = update.state, 0
    if told is not None and told.version == update.version:
        offset = min(told.next_offset, release.file_size)
        state = _STATES.get(told.state, state) if state == updates.WANTED else state
    return MeterUpdate(
        meter_id=update.meter_id.hex(),
        hardware=update.hardware,
        version=update.version,
        state=state,
        offset=release.file_size if update.state == updates.DONE else offset,
        size=release.file_size,
        outcome=update.outcome,
        ordered_at=instant(update.ordered_us // 1_000_000),
        told_at=None if told is None else instant(told.told_us // 1_000_000),
        ended_at=None if update.ended_us is None else instant(update.ended_us // 1_000_000),
    )


def _release(connection: Connection, release: releases.Release) -> Release:
    return Release(
        hardware=release.hardware,
        version=release.version,
        min_version=release.min_version,
        size=release.size,
        fragments=release.fragments,
        sha256=release.sha256.hex(),
        added_at=instant(release.added_us // 1_000_000),
        image_kept=images.has(images.folder_of(connection), release.sha256),
    )


_METER = ("meter_unknown", "meter_retired", "meter_spare")

ENDPOINTS = (
    Endpoint(
        "POST",
        "/v1/releases",
        add_release,
        "Take a release of firmware",
        "Firmware",
        ADMIN,
        writes=True,
        status=201,
        body_bytes_max=releases.UPDATE_BYTES_MAX,
        refusals=(
            "release_key_unset",
            "release_file",
            "release_too_large",
            "release_damaged",
            "release_signature",
            "release_exists",
        ),
        by_content=True,
    ),
    Endpoint("GET", "/v1/releases", list_releases, "List the releases", "Firmware"),
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/update",
        want_update,
        "Update a meter",
        "Firmware",
        OPERATE,
        writes=True,
        status=201,
        refusals=(*_METER, "release_unknown", "release_hardware", "update_not_newer", "update_step"),
    ),
    Endpoint(
        "GET",
        "/v1/meters/{meter_id}/update",
        get_update,
        "How far an update is",
        "Firmware",
        refusals=("unknown_meter", "no_update"),
    ),
    Endpoint(
        "POST",
        "/v1/meters/{meter_id}/update/cancel",
        cancel_update,
        "Cancel an update",
        "Firmware",
        OPERATE,
        writes=True,
        refusals=(*_METER, "update_unknown"),
    ),
)
