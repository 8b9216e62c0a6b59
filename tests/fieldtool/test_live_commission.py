"""The real command at real meters that are not as they must be (CT-33, IW-35). A seized valve takes the firmware's own
retries to be sure of, so it is shown in virtual time (test_commission.py)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from fieldtool import exit_codes

from .conftest import MakeMeter
from .office import Office
from .table_meter import TableMeter
from .tool import FieldTool
from .visit import holds, installer


def visits(tool: FieldTool, box: TableMeter, bucket_l: int) -> str:
    """A technician who does everything right and stops where the checklist fails; what was said."""
    talk = tool.talks("commission", "--port", box.port)
    said = holds(talk, {**installer(box, bucket_l), "epeat the step": "s"})
    assert talk.exitstatus == exit_codes.NOT_VERIFIED, said
    assert not list(tool.home.glob("outbox/*")), "nothing is recorded of a meter that is wrong"
    return said


@pytest.mark.slow
def test_a_wrong_pulse_weight_and_a_leaking_valve_are_caught(
    make_meter: MakeMeter, headend: Office, tmp_path: Path
) -> None:
    """Plate and office say one litre and each pulse is ten: the bucket of 20 litres shows it. And a litre in twenty
    seconds through the closed valve, of which nobody saw a drop: the counter shows it (M01, M08)."""
    boxes = make_meter("heavy", weight_l=10), make_meter("leaking")
    boxes[1].leak(180_000)
    tools = FieldTool(tmp_path / "one"), FieldTool(tmp_path / "other")
    for tool in tools:
        tool.enrols(headend)
        tool.takes(headend.job(technician=tool.technician))
    with ThreadPoolExecutor(len(boxes)) as both:
        heavy, leaking = both.map(visits, tools, boxes, (20, 10))
    assert "One pulse of this meter is 10 L; it is set to 1 L" in heavy
    assert "mL an hour run through" in leaking
    failed = [tool.read_json(f"journals/{tool.job_ids()[0]}.json")["steps"][-1] for tool in tools]
    assert [(step["name"], step["outcome"]) for step in failed] == [("volume_test", "failed"), ("leak_by", "failed")]
    assert failed[0]["values"]["counted_ml"] == 2000 and failed[0]["values"]["fits_ml"] == 10_000
    assert failed[1]["values"]["ml_per_h"] in (120_000, 180_000, 240_000)
