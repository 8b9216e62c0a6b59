"""The real command `guelta field` at the production image: in a process of its own, over a terminal, against a real
headend, as a technician sits before it (CT-33, IW-35, FEATURES B9)."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pexpect
import pytest

from hil_tests.field_rig import image_meter
from tests.fieldtool.office import Office
from tests.fieldtool.table_meter import TableMeter
from tests.fieldtool.tool import FieldTool
from tests.fieldtool.visit import PROMPT, holds, installer, reply_to

pytestmark = pytest.mark.image_only

STEPS = (
    "identify", "pulse_weight", "orientation", "provision", "valve_open", "volume_test", "valve_close", "leak_by",
    "radio", "seal", "position", "consent", "grace", "first_uplink",
)  # fmt: skip
ASK_NOTHING = ("provision", "first_uplink")
MakeImage = Callable[[str], TableMeter]


@pytest.fixture
def make_image(image: Path, field_office: Office, tmp_path: Path) -> Iterator[MakeImage]:
    """make_image(name): a blank image with power and its cable in."""
    made: list[TableMeter] = []

    def make(name: str) -> TableMeter:
        meter = image_meter(image, tmp_path / f"{name}.flash", field_office)
        meter.power_on()
        made.append(meter)
        return meter

    yield make
    for meter in made:
        meter.power_off()


def laptop(folder: Path, office: Office) -> FieldTool:
    """A technician's laptop that knows the office."""
    tool = FieldTool(folder)
    tool.enrols(office)
    return tool


def without_interruption(tool: FieldTool, meter: TableMeter) -> None:
    talk = tool.talks("commission", "--port", meter.port)
    said = holds(talk, installer(meter))
    assert talk.exitstatus == 0, said


def interrupted_at_each_step(tool: FieldTool, meter: TableMeter) -> None:
    """Ctrl-C at the first question of each odd step; the process of each even one is killed when it is at work."""
    answers = installer(meter)
    for at in range(1, len(STEPS) + 1):
        talk = tool.talks("commission", "--port", meter.port)
        holds(talk, answers, until=rf"\[{at}/{len(STEPS)}\] [^\r\n]*\r")
        asks = STEPS[at - 1] not in ASK_NOTHING
        if asks:
            talk.expect(PROMPT)
        if at % 2:
            talk.sendintr()
            talk.expect_exact("the same command goes on")
            talk.expect(pexpect.EOF)
            talk.close()
            assert talk.exitstatus == 130
        else:
            if asks:
                talk.sendline(reply_to(talk, answers))
            time.sleep(0.2)
            talk.kill(signal.SIGKILL)
            talk.close(force=True)
    without_interruption(tool, meter)


def what_it_proves(record: dict[str, Any]) -> dict[str, Any]:
    """A record without what differs between two meters and two moments."""
    measured = {"travel_ms", "at"}
    steps = [
        {
            **step,
            "at": 0,
            "values": {
                name: value for name, value in step["values"].items() if name not in measured and name != "meter_id"
            },
        }
        for step in record["steps"]
    ]
    same = ("format", "kind", "tool", "firmware_version", "hardware", "new_meter_id")
    return {**{name: record[name] for name in same}, "steps": steps}


@pytest.mark.timeout(280)
def test_interrupted_at_each_step_it_ends_in_the_record_of_one_go(
    make_image: MakeImage, field_office: Office, tmp_path: Path
) -> None:
    """IW-23, IW-83: two boxes, two laptops; one is left in peace, the other is cut off fourteen times."""
    meters = [make_image(name) for name in ("peaceful", "troubled")]
    tools = [laptop(tmp_path / name, field_office) for name in ("peaceful", "troubled")]
    jobs = [field_office.job(technician=tool.technician) for tool in tools]
    for tool, job in zip(tools, jobs, strict=True):
        tool.takes(job)
    with ThreadPoolExecutor(1) as beside:
        peaceful = beside.submit(without_interruption, tools[0], meters[0])
        interrupted_at_each_step(tools[1], meters[1])
        peaceful.result()
    records = []
    for tool, job, meter in zip(tools, jobs, meters, strict=True):
        record = tool.read_json(f"outbox/{job['job_id']}.json")["record"]
        assert [step["name"] for step in record["steps"]] == list(STEPS)
        records.append(record)
        meter.waits_for(lambda job=job: field_office.meter(job["meter_id"])["last_seen"])
        sent = tool.does("sync")
        assert sent["records"][0]["state"] == "done", sent
        found = sent["records"][0]["findings"]
        assert found and all(one.startswith("seal_") for one in found), (
            "nobody gave these seals out, and all else is well"
        )
        told = field_office.get(f"/v1/field/jobs/{job['job_id']}")
        assert told["state"] == "done" and told["first_uplink_at"]
        assert record["frames"] and record["attestations"][0]["meter_id"] == job["meter_id"]
    assert what_it_proves(records[0]) == what_it_proves(records[1])
