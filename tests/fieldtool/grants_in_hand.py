"""Jobs with grants on a laptop, as claims leave them, for meters whose root a test knows."""

from __future__ import annotations

import json
import time
from typing import Any

from protocol.wire.grants import Grant, grant_key

from .tool import FieldTool

READER, TECHNICIAN, MAINTAINER = 1, 2, 3


def has_grant(tool: FieldTool, added: dict[str, Any], number: int = 1, **terms: int) -> None:
    """One claimed job with one grant, under the root that `added` names: the meter's own, or not."""
    now = int(time.time())
    given = {"role": READER, "uses": 20, "from_s": now - 3600, "until_s": now + 3600, **terms}
    meter_id, root = bytes.fromhex(added["meter_id"]), bytes.fromhex(added["root"])
    grant = Grant(meter_id, added["generation"], number, **given)
    document = {
        "state": "claimed",
        "job": {"job_id": f"j{number}", "kind": "visit", "meter_id": added["meter_id"], "state": "claimed"},
        "grants": [{**grant._asdict(), "meter_id": added["meter_id"], "key": grant_key(root, grant).hex()}],
        "identity": None,
    }
    jobs = tool.home / "jobs"
    jobs.mkdir(mode=0o700, parents=True, exist_ok=True)
    (jobs / f"j{number}.json").write_text(json.dumps(document))
