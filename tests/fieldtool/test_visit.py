"""A visit to a meter in service: what it did is recorded, the seal as it was found; no more changes (IW-83)."""

from pathlib import Path
from typing import Any

import pytest

from fieldtool import visit
from fieldtool.refusals import Refusal
from fieldtool.steps import VISITING
from fieldtool.work_order import choose
from protocol.wire.console_codes import TECHNICIAN

from .bench_meter import Bench
from .job_in_hand import OLD_ID, OLD_ROOT, Answers, Laptop, granted, job
from .test_swap import in_service

NAMES = [step.name for step in VISITING]


def visiting(folder: Path, bench: Bench) -> Laptop:
    claimed = job("visit", grants=[granted(OLD_ID, OLD_ROOT, TECHNICIAN, number=2)])
    return Laptop(folder, claimed, bench)


def looks_after(laptop: Laptop, **answers: Any) -> dict[str, Any]:
    checklist = visit.Checklist(
        Answers(laptop, **answers), laptop.store, choose(laptop.store, "", ("visit",)), laptop.clock
    )
    made = visit.look_after(checklist, laptop.store, laptop.session(), laptop.clock)
    return {step["name"]: step for step in made["record"]["steps"]}


def test_a_visit_records_what_it_found_and_did(tmp_path: Path) -> None:
    bench = in_service(tmp_path / "old")
    before = bench.machine.application.state.credited_mills
    steps = looks_after(visiting(tmp_path / "visit", bench), seal__number="SC-7")
    assert list(steps) == NAMES and len(NAMES) == len(set(NAMES))
    assert steps["seal"]["values"] == {"number": "SC-7"} and steps["seal"]["outcome"] == "passed"
    assert steps["volume_test"]["values"]["counted_ml"] == 10_000
    assert bench.machine.application.state.credited_mills == before
    assert bench.machine.application.port.order is None


def test_each_step_of_a_visit_may_be_left_out_and_the_office_reads_why(tmp_path: Path) -> None:
    left = {f"{name}__waive": "not what I came for" for name in NAMES}
    steps = looks_after(visiting(tmp_path / "visit", in_service(tmp_path / "old")), **left)
    assert {step["outcome"] for step in steps.values()} == {"waived"}
    assert steps["seal"]["values"] == {"reason": "not what I came for"}


def test_a_blank_box_and_another_meter_are_not_visited(tmp_path: Path) -> None:
    laptop = visiting(tmp_path / "visit", Bench())
    with pytest.raises(Refusal) as told:
        looks_after(laptop)
    assert told.value.code == "blank_meter"
    other = Laptop(tmp_path / "other", job(), laptop.line.at)
    other.install()
    with pytest.raises(Refusal) as told:
        looks_after(laptop)
    assert told.value.code == "other_meter"
