"""What a headend, or whatever answers in its place, says to the technician's tool: a document that is used, or one
of the tool's own refusals; nothing that was to be sent leaves the folder for nonsense (I25).

The first byte chooses the HTTP status and the request, the rest is the answer's body."""

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from fieldtool import claims, identity, outbox
from fieldtool.headend import Headend
from fieldtool.refusals import Refusal
from fieldtool.store import OUTBOX, Store
from tests.fuzz.a_meter import METER_ID

STATUSES = (200, 422, 503)
JOB = {"job_id": "j1", "kind": "install", "meter_id": METER_ID.hex(), "new_meter_id": None, "state": "open"}
RECORD = {"record": {"meter_id": METER_ID.hex(), "new_meter_id": None}, "signature": "", "fingerprint": ""}


class Office(Headend):
    """Answers everything alike."""

    def __init__(self, status: int, body: bytes) -> None:
        super().__init__("http://127.0.0.1:1", "", "en")
        self._said = status, body

    def _request(self, method: str, path: str, body: bytes | None, key: str = "") -> dict[str, Any]:
        (self.address + path).encode("ascii")  # as an address must be
        status, said = self._said
        if status != 200:
            raise self._problem(status, said)
        return self._document(said)


class NoTokens:
    """Everybody's token is the same."""

    def of(self, _job: dict[str, Any]) -> tuple[str, bool]:
        return "A" * 26, False


@cache
def home() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-"))


def seeds() -> list[bytes]:
    said = (
        {"items": [JOB], "next": None},
        {"job": JOB, "grants": [{"until_s": 9}], "identity": None, "items": [], "state": "open"},
        {"state": "recorded", "findings": ["seal_unknown"], "opening_frame": "00ff"},
        {"code": "unknown", "detail": "no", "errors": [{"pointer": "/a", "detail": "b"}]},
        {"errors": ["x"]},
        {"tariff": {"version": 1, "from_slot": 0, "body": "00"}, "policy": {"version": 1}},
        {"items": [JOB | {"job_id": "../x"}], "next": "é"},
    )
    texts = [json.dumps(one).encode() for one in said]
    return [bytes([number]) + text for number in range(9) for text in texts[number % 3 :: 3]] + [b"\x00[[", b"\x01\xff"]


def one(data: bytes) -> None:
    chosen = sum(data[:1])
    office, store = Office(STATUSES[chosen % 3], data[1:]), Store(home())
    store.keep(OUTBOX, "j7", RECORD)
    told: list[Any] = []
    try:
        if chosen // 3 % 3 == 0:
            claims.fetch(store, office, NoTokens(), told)  # type: ignore[arg-type]
        elif chosen // 3 % 3 == 1:
            outbox.send(store, office, told)
        else:
            _provision(office)
    except Refusal as refused:
        assert refused.sentence("en") and refused.sentence("fr")
        assert store.names(OUTBOX) == ["j7"]
    if chosen // 3 % 3 == 1 and STATUSES[chosen % 3] != 200:
        assert store.names(OUTBOX) == ["j7"]
    for one_told in told:
        json.dumps(one_told.as_json())
    for folder in ("jobs", "outbox", "done", "frames"):
        for name in store.names(folder):
            store.drop(folder, name)


def _provision(office: Office) -> None:
    try:
        identity.encode(office.get("/v1/meters"), 0)
    except identity.AnswerRefused as refused:
        assert refused.args[0]
