"""A meter for another, and a meter's end: what goes along, in which order; nothing erased too soon (IW-23, M17)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fieldtool import decommission, frames, swap
from fieldtool.refusals import Refusal
from fieldtool.steps import INSTALLATION
from fieldtool.store import DONE, JOURNALS, OUTBOX
from fieldtool.work_order import choose
from firmware.factory import Factory
from firmware.provisioning import opening_frame
from protocol.rules.calendar import slot_of
from protocol.wire.console_codes import RETIRER, TECHNICIAN
from protocol.wire.envelope import UP, open_frame, read_header
from protocol.wire.keys import derive
from protocol.wire.messages import UP_ANCHOR, Opening
from protocol.wire.uplinks import decode_up
from tests.firmware.rig import MIDNIGHT_S

from .bench_meter import Bench
from .job_in_hand import JOB_ID, METER_ID, OLD_ID, OLD_ROOT, ROOT, Answers, Laptop, added, granted, job

USED_L = 3


def in_service(folder: Path) -> Bench:
    """An old meter: installed, opened by its office, and used."""
    bench = Bench()
    identity = {**added(OLD_ID, OLD_ROOT), "opening_frame": opening(OLD_ID, OLD_ROOT).hex()}
    claimed = {**job(), "identity": identity, "grants": [granted(OLD_ID, OLD_ROOT, TECHNICIAN)]}
    claimed["job"] = {**claimed["job"], "meter_id": OLD_ID, "job_id": "1"}
    laptop = Laptop(folder, claimed, bench)
    laptop.install(Answers(laptop, volume_test__waive="none", leak_by__waive="none"))
    bench.pass_us(60_000_000)
    bench.pour(USED_L)
    bench.pass_us(3_600_000_000)  # into a closed half-hour: those are what frames tell
    return bench


def opening(meter_id: str, root: bytes, number: int = 1) -> bytes:
    """An OPENING with credit."""
    told = Opening(1, 0, 0, 0, 0, slot_of(MIDNIGHT_S), 50_000_000, 0, number)
    return opening_frame(root, bytes.fromhex(meter_id), told, counter=number)


def is_blank(bench: Bench) -> bool:
    return isinstance(bench.machine.application, Factory)


def refused(act: Callable[[], Any]) -> Refusal:
    with pytest.raises(Refusal) as told:
        act()
    return told.value


def swapping_laptop(folder: Path) -> Laptop:
    """A swap in hand, the cable in the old meter."""
    claimed = job("swap")
    claimed["grants"] = [granted(METER_ID, ROOT, TECHNICIAN), granted(OLD_ID, OLD_ROOT, RETIRER, number=3)]
    return Laptop(folder / "swap", claimed, in_service(folder / "swapped"))


def retiring_laptop(folder: Path) -> Laptop:
    """A retirement in hand, the cable in the meter."""
    claimed = job("retire")
    claimed["grants"] = [granted(OLD_ID, OLD_ROOT, RETIRER, number=3)]
    return Laptop(folder / "retire", claimed, in_service(folder / "old"))


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return swapping_laptop(tmp_path)


@pytest.fixture
def retiring(tmp_path: Path) -> Laptop:
    return retiring_laptop(tmp_path)


def exchanged(laptop: Laptop, voice: Answers | None = None) -> dict[str, Any]:
    voice = voice or Answers(laptop)
    checklist = laptop.checklist(voice)
    tool = laptop.tool()
    tool._texts = {**tool._texts, **swap.TEXTS}
    document, _ = swap.exchange(checklist, tool, laptop.session(), laptop.clock, is_script=True)
    return document


def handed_over(laptop: Laptop) -> dict[str, Any]:
    tool = laptop.tool()
    tool._texts = {**tool._texts, **swap.TEXTS}
    return swap.hand_over(laptop.checklist(Answers(laptop)), tool, laptop.session())[0]


def ended(laptop: Laptop, erase_now: bool = False, without_opening: bool = False) -> dict[str, Any]:
    tool = laptop.tool()
    tool._texts = {**tool._texts, **decommission.TEXTS}
    checklist = laptop.checklist(Answers(laptop))
    return decommission.end(checklist, tool, laptop.session(), laptop.clock, erase_now, without_opening)


def whole_swap(laptop: Laptop) -> Bench:
    """Both meters done; the old one, taken out. The cable is in the new one."""
    assert refused(lambda: exchanged(laptop)).code == "plug_new"
    old, laptop.line.at = laptop.line.at, Bench()
    exchanged(laptop)
    return old


def test_the_record_carries_the_old_meters_words_and_the_new_ones_steps(laptop: Laptop) -> None:
    """IW-23: final index, frames by cable, then the whole checklist for the new one, under one job."""
    old = whole_swap(laptop)
    made = laptop.store.read(OUTBOX, JOB_ID)
    assert made is not None
    told = made["record"]
    assert (told["kind"], told["meter_id"], told["new_meter_id"]) == ("swap", OLD_ID, METER_ID)
    assert [step["name"] for step in told["steps"]] == ["final", *(step.name for step in INSTALLATION)]
    final = told["steps"][0]["values"]
    state = old.machine.application.state
    assert final["volume_l"] == state.volume_l == USED_L
    assert final["spent_mills"] == state.rating.spent_mills > 0 and final["collected_mills"] == 0
    carried = [bytes.fromhex(frame["frame"]) for frame in told["frames"] if frame["meter_id"] == OLD_ID]
    anchors = [
        decode_up(UP_ANCHOR, plaintext, 0)
        for frame in carried
        if read_header(frame).type == UP_ANCHOR
        for counter in range(200)
        if (plaintext := open_frame(derive(OLD_ROOT, bytes.fromhex(OLD_ID), 1, 0), UP, frame, counter)) is not None
    ]
    assert anchors and anchors[-1].volume_l == final["volume_l"], "what is sealed says the same as the record"
    assert any(frame["meter_id"] == METER_ID for frame in told["frames"])
    assert [one["meter_id"] for one in told["attestations"]] == [METER_ID]


def test_interrupted_between_the_two_meters_it_goes_on_with_the_new_one(laptop: Laptop) -> None:
    assert refused(lambda: exchanged(laptop)).exit_code == 7
    assert refused(lambda: exchanged(laptop)).code == "other_meter", "the cable is still in the old one"
    laptop.line.at = Bench()
    voice = Answers(laptop)
    assert exchanged(laptop, voice)["state"] == "recorded"
    assert any(line.startswith("[1/15]") and "passed" in line for line in voice.said)


def test_the_new_meter_first_is_refused_and_gets_nothing(laptop: Laptop) -> None:
    laptop.line.at = Bench()
    assert refused(lambda: exchanged(laptop)).code == "blank_meter"
    assert is_blank(laptop.line.at)


def test_an_old_meter_that_is_dead_is_swapped_with_a_reason(laptop: Laptop) -> None:
    """The office reads why there is no last word; the meter's own last uplink counts."""
    laptop.line.at.plugged = False
    told = refused(lambda: exchanged(laptop, Answers(laptop, final__waive="burnt by lightning")))
    assert told.code == "plug_new"
    laptop.line.at = Bench()
    exchanged(laptop)
    made = (laptop.store.read(OUTBOX, JOB_ID) or {})["record"]
    assert made["steps"][0]["outcome"] == "waived"
    assert made["steps"][0]["values"] == {"reason": "burnt by lightning"}
    assert {frame["meter_id"] for frame in made["frames"]} == {METER_ID}


def test_an_index_that_moves_is_not_final(laptop: Laptop) -> None:
    bench = laptop.line.at
    bench.pipe.valve.stick()
    laptop.clock.on_sleep = lambda: bench.pour(1)
    refusal = refused(lambda: exchanged(laptop))
    assert (refusal.code, refusal.facts["reason"]) == ("step_failed", "runs")
    laptop.clock.on_sleep = lambda: None
    assert refused(lambda: exchanged(laptop)).code == "plug_new"


def test_the_old_one_keeps_its_keys_until_the_new_one_has_its_opening(laptop: Laptop) -> None:
    """M17: it is the proof of the balance till then; an explicit choice may end it sooner."""
    old = whole_swap(laptop)
    new, laptop.line.at = laptop.line.at, old
    early = refused(lambda: ended(laptop))
    assert (early.code, early.exit_code) == ("opening_missing", 7)
    laptop.line.at = new
    assert handed_over(laptop) == {"job_id": JOB_ID, "meter_id": METER_ID, "handed_over": 0, "opened": False}
    frames.keep(laptop.store, bytes.fromhex(METER_ID), opening(METER_ID, ROOT))
    assert handed_over(laptop)["opened"] is True
    assert new.machine.application.state.balance_mills > 0
    laptop.line.at = old
    assert ended(laptop)["state"] == "erased"
    assert is_blank(old), "a blank board"
    assert OLD_ROOT not in bytes(old.machine.eeprom.content)
    assert ended(laptop)["state"] == "erased", "again is harmless"


def test_an_explicit_choice_erases_without_an_opening(laptop: Laptop) -> None:
    laptop.line.at = whole_swap(laptop)
    assert ended(laptop, without_opening=True)["state"] == "erased"


def test_the_wrong_meter_is_never_erased(laptop: Laptop) -> None:
    whole_swap(laptop)
    told = refused(lambda: ended(laptop, without_opening=True))
    assert told.code == "other_meter" and not is_blank(laptop.line.at)
    laptop.line.at = Bench()
    assert refused(lambda: ended(laptop, without_opening=True)).code == "blank_meter"


def test_a_swap_that_is_not_recorded_ends_nothing(laptop: Laptop) -> None:
    assert refused(lambda: ended(laptop, without_opening=True)).code == "no_record"


# Retirement -----------------------------------------------------------------------------------------------------------


def test_a_retired_meter_is_recorded_first_and_erased_when_the_headend_has_it(retiring: Laptop) -> None:
    early = refused(lambda: ended(retiring))
    assert (early.code, early.exit_code) == ("not_synced", 7)
    made = retiring.store.read(OUTBOX, JOB_ID)
    assert made is not None and [step["name"] for step in made["record"]["steps"]] == ["final"]
    assert [one["meter_id"] for one in made["record"]["attestations"]] == [OLD_ID]
    retiring.store.keep(DONE, JOB_ID, {**made, "answer": {"state": "done"}})
    retiring.store.drop(OUTBOX, JOB_ID)
    assert ended(retiring)["state"] == "erased"
    assert is_blank(retiring.line.at)


def test_a_meter_that_is_dead_is_retired_without_its_word_and_not_called_erased(retiring: Laptop) -> None:
    retiring.line.at.plugged = False
    tool = retiring.tool()
    checklist = retiring.checklist(Answers(retiring, final__waive="drowned"))
    document = decommission.end(checklist, tool, retiring.session(), retiring.clock, False, False)
    assert document["state"] == "recorded"
    made = (retiring.store.read(OUTBOX, JOB_ID) or {})["record"]
    assert made["attestations"] == [] and made["steps"][0]["values"] == {"reason": "drowned"}


def test_an_explicit_choice_erases_at_once_and_the_record_waits(retiring: Laptop) -> None:
    assert ended(retiring, erase_now=True)["state"] == "erased"
    assert retiring.store.read(OUTBOX, JOB_ID) is not None
    assert "erase_begun" in (retiring.store.read(JOURNALS, JOB_ID) or {})["facts"]


def test_erasing_asks_and_no_terminal_is_no_yes(retiring: Laptop) -> None:
    tool = retiring.tool(yes=False)
    tool._texts = {**tool._texts, **decommission.TEXTS}
    checklist = retiring.checklist(Answers(retiring))
    told = refused(lambda: decommission.end(checklist, tool, retiring.session(), retiring.clock, True, False))
    assert told.code in ("no_terminal", "not_confirmed")
    assert not is_blank(retiring.line.at)


def test_a_job_of_another_kind_names_its_verb(retiring: Laptop, laptop: Laptop) -> None:
    assert refused(lambda: choose(retiring.store, JOB_ID, ("install",))).facts["verb"] == "decommission"
    assert refused(lambda: choose(laptop.store, JOB_ID, ("install",))).facts["verb"] == "swap"
    assert refused(lambda: choose(laptop.store, "99", ("install",))).code == "job_unknown"
    assert refused(lambda: choose(laptop.store, "", ("install",))).code == "no_job"
    laptop.store.keep("jobs", "19", {**job("swap"), "job": {**job("swap")["job"], "job_id": "19"}})
    assert refused(lambda: choose(laptop.store, "", ("swap",))).code == "several_jobs"
    laptop.store.keep("jobs", "20", {"state": "claiming", "job": {"job_id": "20", "kind": "swap"}})
    assert refused(lambda: choose(laptop.store, "20", ("swap",))).code == "job_not_claimed"
