"""A technician for tests: a laptop with its own key, and what an office asks for."""

import hashlib
import json
import os
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from headend.api import keys
from headend.api.store import STORE
from headend.ledger.cases import CaseKind, open_case
from headend.meters.registry import InitialPack, Provisioning
from headend.storage.writer import Tx
from protocol.wire import cbor
from protocol.wire.envelope import UP, seal
from protocol.wire.grants import attest_key, attest_tag
from protocol.wire.keys import derive
from protocol.wire.messages import Poll
from protocol.wire.uplinks import encode_up
from tests.api.conftest import METER, NOW_UNIX_S, House, Reply
from tests.headend.virtual_meter import VirtualMeter

NEW = "00000000000000aa"
SPARE = "00000000000000bb"
CLAIM = "c1" * 32
POLL = Poll()
INSTALL = {
    "kind": "install",
    "technician": "test",
    "hours": 24,
    "meter": {"meter_id": NEW, "holder": "B", "service_point": "C", "tariff_code": "niger"},
}
SWAP = {
    "kind": "swap",
    "technician": "test",
    "hours": 24,
    "meter_id": METER,
    "new_meter_id": SPARE,
    "litres_per_pulse": 10,
    "first_index_l": 20,
}
VISIT = {"kind": "visit", "technician": "test", "hours": 24, "meter_id": METER, "role": 2}
NIAMEY = [
    {"lat_e6": 13_400_000, "lon_e6": 2_000_000},
    {"lat_e6": 13_400_000, "lon_e6": 2_300_000},
    {"lat_e6": 13_650_000, "lon_e6": 2_300_000},
    {"lat_e6": 13_650_000, "lon_e6": 2_000_000},
]
RETIRE = {"kind": "retire", "technician": "test", "hours": 24, "meter_id": METER}


def canonical(record: dict[str, Any]) -> bytes:
    return json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


class Laptop:
    """A tool with an Ed25519 key, for the API key that is given."""

    def __init__(self, house: House, api_key: str | None = None, seed: bytes = bytes(31) + b"\x01") -> None:
        self.house = house
        self.headers = {"authorization": f"Bearer {api_key or house.api_key}"}
        self.key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.fingerprint = hashlib.sha256(self.public).hexdigest()[:16]

    async def enrol(self) -> Reply:
        body = {"public_key": self.public.hex(), "tool": "test 1"}
        return await self.house.post("/v1/field/enrolments", body, **self.headers)

    async def claim(self, job_id: str, token: str, claim: str = CLAIM) -> Reply:
        return await self.house.post(f"/v1/field/jobs/{job_id}/claim", {"token": token, "claim": claim}, **self.headers)

    async def send(self, record: dict[str, Any], **changes: str) -> Reply:
        return await self.house.post("/v1/field/records", {**self.signed(record), **changes}, **self.headers)

    async def take(self, body: dict[str, Any]) -> tuple[Any, Any]:
        """A job that this laptop claimed: (the job with its token, what the claim answered)."""
        made = await made_job(self.house, body)
        claimed = await self.claim(made["job_id"], made["token"])
        assert claimed.status == 200, claimed.text
        return made, claimed.json

    def signed(self, record: dict[str, Any]) -> dict[str, Any]:
        """The body of a record."""
        signature = self.key.sign(canonical(record)).hex()
        return {"record": record, "signature": signature, "fingerprint": self.fingerprint}


async def made_job(house: House, body: dict[str, Any]) -> Any:
    """A job, with its token."""
    made = await house.post("/v1/field/jobs", body)
    assert made.status == 201, made.text
    return made.json


def step(name: str, outcome: str = "passed", /, **values: int | str) -> dict[str, Any]:
    return {"name": name, "at": NOW_UNIX_S + 60, "outcome": outcome, "values": values, "limits": {}}


CHECKLIST = (
    step("identify", serial="A1"),
    step("provision", meter_id=NEW),
    step("pulse_weight", litres_per_pulse=1),
    step("volume_test", bucket_ml=10_000, counted_ml=10_000, error_permille=0),
    step("valve_open", travel_ms=900),
    step("valve_close", travel_ms=900),
    step("leak_by", ml_per_h=0, minutes=2),
    step("radio", bearer="lorawan", margin_db=12),
    step("seal", number="NE0100"),
    step("orientation", ok=1),
    step("position", lat_e6=13_512_345, lon_e6=2_112_345, accuracy_m=5),
    step("consent", name="B", at=NOW_UNIX_S),
    step("grace", mills=500_000),
    step("first_uplink", "waived", at=0, reason="not_yet"),
)
FINAL = step("final", volume_l=40, spent_mills=5_080, collected_mills=0)


def record_of(job: dict[str, Any], *steps: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A record without attestations."""
    usual = {
        "format": 1,
        "job_id": job["job_id"],
        "kind": job["kind"],
        "technician": "test",
        "tool": "test 1",
        "started_at": NOW_UNIX_S,
        "finished_at": NOW_UNIX_S,
        "meter_id": job["meter_id"],
        "new_meter_id": job["new_meter_id"],
        "firmware_version": 500,
        "hardware": "unix",
        "steps": list(steps),
        "frames": [],
        "attestations": [],
    }
    return {**usual, **changes}


def attested(record: dict[str, Any], root: str, meter_id: str, generation: int = 1) -> dict[str, Any]:
    """The record as this meter attests it."""
    digest = hashlib.sha256(canonical({**record, "attestations": []})).digest()
    key = attest_key(bytes.fromhex(root), bytes.fromhex(meter_id), generation)
    tag = attest_tag(key, digest, NOW_UNIX_S).hex()
    one = {"meter_id": meter_id, "unix_s": NOW_UNIX_S, "tag": tag}
    return {**record, "attestations": [*record["attestations"], one]}


def frame_of(identity: dict[str, Any], counter: int = 0, message: Any = POLL) -> str:
    """An uplink that a meter with this identity seals."""
    keys = derive(bytes.fromhex(identity["root"]), bytes.fromhex(identity["meter_id"]), identity["generation"], 0)
    kind, plaintext = encode_up(message)
    return seal(keys, UP, kind, counter, plaintext).hex()


async def hear(house: House, identity: dict[str, Any], counter: int = 0, message: Any = POLL) -> None:
    """Let the headend hear the meter over IP."""
    pair = [bytes.fromhex(identity["meter_id"]), bytes.fromhex(frame_of(identity, counter, message))]
    headers = {"Content-Type": "application/cbor"}
    async with house.session.post(house.url + "/v1/uplinks", data=cbor.encode([pair]), headers=headers) as done:
        assert done.status == 200


async def key_for(house: House, name: str, *scopes: str) -> str:
    """An API key with these scopes."""
    return await house.started.app[STORE].write(lambda tx: keys.create(tx, name, scopes, os.urandom))


async def rows(house: House, query: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the database says."""
    return await house.started.app[STORE].read(lambda c: [tuple(row) for row in c.exec_driver_sql(query, values)])


def without(name: str, *others: Any) -> tuple[Any, ...]:
    """The checklist with another step of that name, or none."""
    return tuple(one for one in CHECKLIST if one["name"] != name) + others


def meter_of(identity: dict[str, Any]) -> VirtualMeter:
    """The meter that was provisioned with it."""
    packs = {
        name: InitialPack(pack["version"], pack["from_slot"], bytes.fromhex(pack["body"]))
        for name, pack in ((name, identity[name]) for name in ("tariff", "policy"))
    }
    given = {name: bytes.fromhex(identity[name]) for name in ("meter_id", "root", "opening_frame")}
    return VirtualMeter(Provisioning(**{**identity, **given, **packs}))


async def cases(house: House) -> dict[str, Any]:
    return {one["kind"]: one["detail"] for one in (await house.get("/v1/cases")).json["items"]}


async def refused(laptop: Laptop, body: Any, status: int, code: str) -> str:
    """The refusal's pointer; nothing is changed by it."""
    query = (
        "SELECT (SELECT count(*) FROM field_record), (SELECT count(*) FROM uplink), (SELECT count(*) FROM case_file)"
    )
    before = await rows(laptop.house, query)
    answer = await laptop.house.post("/v1/field/records", body, **laptop.headers)
    assert (answer.status, answer.code) == (status, code), answer.text
    french = await laptop.house.post("/v1/field/records", body, **laptop.headers, accept_language="fr")
    assert french.json["title"] != answer.json["title"]
    assert await rows(laptop.house, query) == before
    pointer: str = answer.json["errors"][0]["pointer"]
    return pointer


async def _claimable(house: House) -> dict[str, Any]:
    made = await made_job(house, INSTALL)
    return {"token": made["token"], "claim": CLAIM}


async def _cancellable(house: House) -> dict[str, Any]:
    await made_job(house, VISIT)
    return {}


async def _recordable(house: House) -> dict[str, Any]:
    laptop = Laptop(house)
    assert (await laptop.enrol()).status == 201
    made = await made_job(house, VISIT)
    assert (await laptop.claim(made["job_id"], made["token"])).status == 200
    return laptop.signed(record_of(made))


async def open_case_on_site(house: House, kind: CaseKind = CaseKind.VALVE, meter_id: str = METER) -> int:
    """A case that a person has to see to; its number."""

    def job(tx: Tx) -> int:
        open_case(tx, kind, f"{meter_id}:1", bytes.fromhex(meter_id), code=3)
        return int(tx.cursor.execute("SELECT max(id) FROM case_file").fetchone()[0])

    return await house.started.app[STORE].write(job)


async def _closable(house: House) -> dict[str, Any]:
    # What waited in suspense opened no case, so this is the first.
    assert await open_case_on_site(house) == 1
    return {"outcome": "repaired", "note": "a stone in the seat"}


# What an operation needs to be there before; each returns the body that means something then.
PREPARED = {
    "POST /v1/field/jobs/{job_id}/claim": _claimable,
    "POST /v1/field/jobs/{job_id}/cancel": _cancellable,
    "POST /v1/field/records": _recordable,
    "POST /v1/cases/{case}/close": _closable,
}
