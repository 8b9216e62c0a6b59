"""What stands in the technician's folder: a file that was cut, edited or rotten is refused by name, in both languages,
and stays as it is (I25). The first byte chooses the file."""

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from fieldtool import access, frames, work_order
from fieldtool.claims import CLAIMED
from fieldtool.journal import Journal
from fieldtool.refusals import Refusal
from fieldtool.store import JOBS, JOURNALS, Store
from tests.fuzz.a_meter import METER_ID

KINDS = (work_order.INSTALL, work_order.SWAP, work_order.RETIRE, work_order.VISIT)
JOB = {"job_id": "j1", "kind": "install", "meter_id": METER_ID.hex(), "new_meter_id": None, "state": "claimed"}
GRANT = {"meter_id": METER_ID.hex(), "generation": 1, "number": 1, "role": 2, "uses": 3, "from_s": 0, "until_s": 9}
CLAIMED_JOB = {"state": CLAIMED, "job": JOB, "identity": {}, "grants": [GRANT | {"key": "00" * 16}]}
STEP = {"name": "seal", "at": 7, "outcome": "waived", "values": {"reason": "none"}, "limits": {}}
JOURNAL = {"format": 1, **JOB, "started_at": 5, "steps": [STEP], "frames": [{"meter_id": "00", "frame": "11"}]}


@cache
def store() -> Store:
    return Store(Path(tempfile.mkdtemp(prefix="fuzz-")))


def seeds() -> list[bytes]:
    job = CLAIMED_JOB | {"installation_grace_mills": 5_000_000, "claim": "00"}
    frame = {"frames": ["00ff"]}
    journal = JOURNAL | {"facts": {"tool": "guelta"}}
    good = [
        bytes([number]) + json.dumps(one).encode() for number, one in enumerate((job, journal, frame, {"lang": "fr"}))
    ]
    wrong = (job | {"installation_grace_mills": float("inf")}, job | {"job": {}}, job | {"grants": [1]})
    odd = (journal | {"started_at": float("nan")}, journal | {"steps": [{}]}, journal | {"facts": [1]})
    return [
        *good,
        *(b"\x00" + json.dumps(one).encode() for one in wrong),
        *(b"\x01" + json.dumps(one).encode() for one in odd),
        b"\x02[[[",
        b"\x03\xff",
    ]


def one(data: bytes) -> None:
    place, use = _PLACES[sum(data[:1]) % len(_PLACES)]
    file = store().home / place
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data[1:])
    try:
        use()
    except Refusal as refused:
        assert refused.sentence("en") and refused.sentence("fr")
    assert file.read_bytes() == data[1:]
    file.unlink()


def _job() -> None:
    list(access.grants_of(store()))
    order = work_order.choose(store(), "", KINDS)
    assert order.job_id and order.kind and order.installs and order.removes
    assert work_order.choose(store(), "j1", (order.kind,)) == order


def _journal() -> None:
    kept: Any = Journal.open(store(), JOB, 9)
    assert all(kept.done(step.name) or step.result.outcome == "failed" for step in kept.steps)
    json.dumps({"facts": kept.facts, "frames": kept.frames, "steps": [step.as_json() for step in kept.steps]})


_PLACES = (
    (f"{JOBS}/j1.json", _job),
    (f"{JOURNALS}/j1.json", _journal),
    (f"frames/{METER_ID.hex()}.json", lambda: frames.waiting(store(), METER_ID)),
    ("config.json", lambda: store().config()),
)
