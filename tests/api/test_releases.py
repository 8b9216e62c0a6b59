"""Releases and updates over REST and on the command line: taken, wanted, seen, cancelled, refused by name (CT-33)."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from guelta.cli import main
from headend.api.aftermath import KEYRING
from headend.api.store import STORE
from headend.billing.tariffs import Terms, publish_tariff
from headend.clock import SystemClock
from headend.ledger.books import open_books
from headend.meters.keyring import Keyring
from headend.meters.registry import NewMeter, add_meter
from headend.storage import migrate
from headend.storage.writer import Writer
from protocol.rules.calendar import slot_of
from protocol.wire import cbor, manifest, update_codes
from protocol.wire.messages import Device, Fragment, Progress
from tests.api.conftest import METER, NOW_UNIX_S, House, Reply
from tests.headend.signed import PUBLIC_KEY, update
from tests.headend.virtual_meter import VirtualMeter

NEW = 10_203
UPDATE = f"/v1/meters/{METER}/update"
BYTES = "application/octet-stream"


async def add(house: House, data: bytes, **headers: str) -> Reply:
    usual = {"authorization": f"Bearer {house.api_key}", "content_type": BYTES}
    return await house.ask("POST", "/v1/releases", data, **{**usual, **headers})


async def test_a_release_is_taken_and_listed(house: House) -> None:
    """What it costs to carry is told with it: one fragment per 32 bytes of manifest and image."""
    made = await add(house, update(NEW))
    assert made.status == 201
    assert {name: made.json[name] for name in ("hardware", "version", "min_version", "size", "image_kept")} == {
        "hardware": "unix", "version": NEW, "min_version": 0, "size": 1000, "image_kept": True,
    }  # fmt: skip
    assert made.json["fragments"] == -(-(132 + 1000) // 32) == 36
    assert (await add(house, update(NEW))).json == made.json
    listed = await house.get("/v1/releases")
    assert listed.json == {"items": [made.json]}


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"\x7fELF" + bytes(200), 400, "release_file"),
        (b"", 400, "release_file"),
        (update(NEW)[:-1], 400, "release_damaged"),
        (update(NEW, told_size=manifest.IMAGE_MAX + 1), 400, "release_too_large"),
        (update(NEW, stranger=True), 403, "release_signature"),
        (bytes(manifest.LENGTH + manifest.IMAGE_MAX + 1), 413, "body_too_large"),
    ],
    ids=["other", "empty", "cut", "slot", "stranger", "long"],
)
async def test_what_is_no_release_of_this_utility_is_refused(house: House, data: bytes, status: int, code: str) -> None:
    refused = [await add(house, data, accept_language=language) for language in ("en", "fr")]
    assert [(one.status, one.code) for one in refused] == [(status, code)] * 2
    assert refused[0].json["detail"] != refused[1].json["detail"]
    assert (await house.get("/v1/releases")).json == {"items": []}


async def test_a_version_means_one_image_for_ever(house: House) -> None:
    await add(house, update(NEW))
    refused = await add(house, update(NEW, size=999))
    assert (refused.status, refused.code) == (409, "release_exists")


async def test_only_an_administrator_adds_a_release(house: House) -> None:
    key = (await house.post("/v1/keys", {"name": "desk", "scopes": ["read", "operate"]})).json["key"]
    refused = await add(house, update(NEW), authorization=f"Bearer {key}")
    assert (refused.status, refused.code) == (403, "scope_missing")


@pytest.mark.parametrize("release_key", [b""])
async def test_without_a_key_in_the_settings_no_release_is_taken(house: House) -> None:
    refused = await add(house, update(NEW))
    assert (refused.status, refused.code) == (409, "release_key_unset")
    assert "release_key" in refused.json["detail"]


async def meter_of(house: House) -> VirtualMeter:
    """One meter of the house, as it was provisioned."""
    assert (await add(house, update(NEW))).status == 201
    await house.settle_in()
    keyring = house.started.app[KEYRING]

    def job(tx: Any) -> Any:
        new = NewMeter(bytes(7) + b"\x02", "niger", "Two", slot_of(NOW_UNIX_S) - 48)
        return add_meter(tx, keyring, new)

    meter = VirtualMeter(await house.started.app[STORE].write(job))
    meter.use([5] * 48)
    return meter


async def tell(house: House, meter: VirtualMeter, message: Any) -> list[Any]:
    """The messages of the answer to one uplink over HTTP."""
    body = cbor.encode([[meter.meter_id, meter.seal(message)]])
    answered = await house.session.post(
        f"{house.url}/v1/uplinks", data=body, headers={"content-type": "application/cbor"}
    )
    frames = cbor.decode(await answered.read(), bytes_max=2**16)
    return [meter.hear_frame(frame) for _, frame in frames]


async def test_an_update_is_seen_from_the_order_to_its_end(house: House) -> None:
    meter = await meter_of(house)
    path = f"/v1/meters/{meter.meter_id.hex()}/update"
    assert (await house.get(path)).code == "no_update"
    wanted = await house.post(path, {"version": NEW})
    assert (wanted.status, wanted.json["state"], wanted.json["offset"], wanted.json["size"]) == (201, "wanted", 0, 1132)
    for state, offset, shown in (
        (update_codes.IDLE, 0, "wanted"),
        (update_codes.TAKING, 256, "taking"),
        (update_codes.VERIFIED, 1132, "verified"),
        (update_codes.TRIAL, 0, "trial"),
    ):
        answers = await tell(house, meter, Progress(NEW, offset, state, 0))
        fragments = [one for one in answers if isinstance(one, Fragment)]
        assert [one.offset for one in fragments[:1]] == ([] if shown == "trial" else [offset])
        found = (await house.get(path)).json
        assert (found["state"], found["offset"], found["outcome"]) == (shown, offset, None)
    device = Device(0, 0, 0, meter.log[0].slot, 1, 1, 0, 1, 0, 3600, NEW, 0, 48, 0)
    await tell(house, meter, device)
    found = (await house.get(path)).json
    assert (found["state"], found["offset"], found["ended_at"]) == ("done", 1132, "2026-02-21T19:00:00Z")
    again = await house.post(path, {"version": NEW})
    assert (again.status, again.code) == (409, "update_not_newer")


async def test_a_refusal_of_the_meter_is_shown_and_is_a_case(house: House) -> None:
    """The person who sees it closes it by hand."""
    meter = await meter_of(house)
    path = f"/v1/meters/{meter.meter_id.hex()}/update"
    await house.post(path, {"version": NEW, "hardware": "unix"})
    await tell(house, meter, Progress(NEW, 0, update_codes.IDLE, update_codes.HARDWARE))
    found = (await house.get(path)).json
    assert (found["state"], found["outcome"]) == ("refused", update_codes.HARDWARE)
    [case] = (await house.get("/v1/cases")).json["items"]
    assert (case["kind"], case["detail"]["code"]) == ("firmware-rejected", update_codes.HARDWARE)
    closed = await house.post(f"/v1/cases/{case['case']}/close", {"outcome": "accepted", "note": "another board"})
    assert closed.status == 200, closed.text


async def test_an_order_is_cancelled(house: House) -> None:
    await house.settle_in()
    refused = await house.post(UPDATE + "/cancel", {})
    assert (refused.status, refused.code) == (409, "update_unknown")
    await add(house, update(NEW))
    await house.post(UPDATE, {"version": NEW})
    cancelled = await house.post(UPDATE + "/cancel", {})
    assert (cancelled.status, cancelled.json["state"]) == (200, "cancelled")


async def test_orders_that_cannot_be_are_refused(house: House) -> None:
    await house.settle_in()
    for body, status, code in (
        ({"version": NEW}, 404, "release_unknown"),
        ({"version": NEW, "hardware": "unix"}, 404, "release_unknown"),
    ):
        refused = await house.post(UPDATE, body)
        assert (refused.status, refused.code) == (status, code)
    await add(house, update(NEW))
    await add(house, update(NEW, hardware="qemu-mps2"))
    refused = await house.post(UPDATE, {"version": NEW})
    assert (refused.status, refused.code) == (409, "release_hardware")
    assert "qemu-mps2, unix" in refused.json["detail"]
    assert (await house.post(UPDATE.replace(METER, "00000000000000ff"), {"version": NEW})).code == "meter_unknown"
    assert (await house.get(UPDATE)).code == "no_update"


# ---- the command line ----------------------------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Path:
    """A folder with a database of one meter, and an update."""
    database = tmp_path / "a.db"
    migrate.upgrade(database)
    writer = Writer(database, SystemClock())
    keyring = Keyring(tmp_path / "a.db.kek", bytes)
    printed = {"blocks": [[0, 127]], "utc_offset_minutes": 60}
    writer.run(lambda tx: open_books(tx, "Test", "XOF", 0))
    writer.run(lambda tx: publish_tariff(tx, "niger", "Niger", printed, 0, Terms("waive"), "first"))
    writer.run(lambda tx: add_meter(tx, keyring, NewMeter(bytes.fromhex(METER), "niger", "A", 0)))
    writer.close()
    (tmp_path / "file.update").write_bytes(update(NEW))
    return tmp_path


def run(desk: Path, words: str, **environment: str) -> Result:
    return CliRunner().invoke(main, [*words.split(), "--db", str(desk / "a.db")], env=environment)


def test_a_release_and_an_order_by_command(desk: Path) -> None:
    file = desk / "file.update"
    settings = desk / "guelta.toml"
    settings.write_text(f'release_key = "{PUBLIC_KEY.hex()}"\n')
    added = run(desk, f"release add {file}", GUELTA_CONFIG=str(settings))
    assert added.output == "unix 1.2.3: 1000 bytes, 36 fragments\n"
    assert run(desk, "release list").output.split("\t")[:3] == ["unix", "1.2.3", "1000"]
    next((desk / "a.db.releases").iterdir()).unlink()
    assert run(desk, "release list").output.rstrip().endswith("image missing: add the file again")
    assert run(desk, f"release add {file} --release-key {PUBLIC_KEY.hex()}").exit_code == 0
    assert json.loads(run(desk, "release list --json").output)["image_kept"] is True
    wanted = run(desk, f"meter update {METER} --version 1.2.3")
    assert json.loads(wanted.output)["state"] == "wanted"
    assert json.loads(run(desk, f"meter update {METER} --cancel").output)["state"] == "cancelled"


@pytest.mark.parametrize(
    ("words", "exit_code", "said"),
    [
        ("release add FILE", 2, "--release-key"),
        ("release add FILE --release-key 12", 2, "128 hex digits"),
        (f"release add FILE --release-key {PUBLIC_KEY[::-1].hex()}", 1, "384 release-signature"),
        (f"meter update {METER}", 2, "give --version, or --cancel"),
        (f"meter update {METER} --version 1.2.3 --cancel", 2, "give --version, or --cancel"),
        (f"meter update {METER} --version 1.2", 2, "give a version as 1.2.3"),
        (f"meter update {METER} --version 1.100.3", 2, "give a version as 1.2.3"),
        (f"meter update {METER} --version 1.2.3", 1, "386 release-unknown"),
        (f"meter update {METER} --cancel", 1, "390 update-unknown"),
    ],
)
def test_commands_that_cannot_be_are_refused(desk: Path, words: str, exit_code: int, said: str) -> None:
    done = run(desk, words.replace("FILE", str(desk / "file.update")))
    assert (done.exit_code, said in done.output) == (exit_code, True), done.output
