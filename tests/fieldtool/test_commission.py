"""The checklist from a box to a signed record, on the firmware itself in virtual time.

CT-33, IW-35, IW-83, FEATURES B9, M01, M18, H12.

The same with the real command at a terminal: test_live_commission.py.
"""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fieldtool import record, signing
from fieldtool.commission import meets_its_journal
from fieldtool.meter import Meter
from fieldtool.refusals import Refusal
from fieldtool.steps import INSTALLATION
from fieldtool.store import JOURNALS, OUTBOX
from protocol.wire.console_codes import READER, TECHNICIAN
from protocol.wire.grants import attest_key, attest_tag
from simulator import link
from tests.firmware.rig import MIDNIGHT_S

from .bench_meter import Bench
from .job_in_hand import (
    GOOD,
    GRACE_MILLS,
    JOB_ID,
    METER_ID,
    OLD_ID,
    OLD_ROOT,
    ROOT,
    Answers,
    Laptop,
    added,
    granted,
    job,
)

NAMES = [step.name for step in INSTALLATION]


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path, job(), Bench())


def refused(act: Callable[[], Any]) -> Refusal:
    with pytest.raises(Refusal) as told:
        act()
    return told.value


def steps_of(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in made["record"]["steps"]}


def without_instants(made: dict[str, Any]) -> Any:
    """A record less what a clock or a counter put into it."""
    steps = [
        {**step, "at": 0, "values": {name: value for name, value in step["values"].items() if name != "at"}}
        for step in made["record"]["steps"]
    ]
    frames = [frame["meter_id"] for frame in made["record"]["frames"]]
    return {**made["record"], "started_at": 0, "finished_at": 0, "attestations": 0, "steps": steps, "frames": frames}


def test_a_box_becomes_a_meter_and_the_record_proves_it(laptop: Laptop) -> None:
    """CT-33, B9: identity, weight, bucket, valve, leak-by, radio, seal, place, consent, grace; attested and signed."""
    made = laptop.install()
    steps = steps_of(made)
    assert list(steps) == NAMES
    assert steps["identify"]["values"] == {"serial": "WM-0012345"}
    assert steps["provision"]["values"] == {"meter_id": METER_ID}
    assert steps["volume_test"]["values"] == {"bucket_ml": 10_000, "counted_ml": 10_000, "error_permille": 0}
    assert steps["leak_by"]["values"]["ml_per_h"] == 0
    assert 0 < steps["valve_open"]["values"]["travel_ms"] <= steps["valve_open"]["limits"]["travel_ms_max"]
    assert steps["seal"]["values"] == {"number": "SC-0042"}
    assert steps["position"]["values"] == {"lat_e6": 13_512_345, "lon_e6": 2_112_345, "accuracy_m": 0}
    assert steps["consent"]["values"]["name"] == "Hadiza" and steps["consent"]["values"]["at"] >= steps["seal"]["at"]
    assert steps["grace"]["values"] == {"mills": GRACE_MILLS}
    assert {step["outcome"] for name, step in steps.items() if name != "first_uplink"} == {"passed"}
    public = signing.public_hex(signing.load(laptop.store))
    assert signing.is_signed(public, made["signature"], record.canonical(made["record"]))
    assert made["fingerprint"] == signing.fingerprint(public)
    (attested,) = made["record"]["attestations"]
    digest = hashlib.sha256(record.canonical({**made["record"], "attestations": []})).digest()
    key = attest_key(ROOT, bytes.fromhex(METER_ID), 1)
    assert attested["meter_id"] == METER_ID
    assert bytes.fromhex(attested["tag"]) == attest_tag(key, digest, attested["unix_s"])
    assert laptop.store.read(OUTBOX, JOB_ID) == made
    assert len(made["record"]["frames"]) >= 2, "the meter's first frames go along"


def test_the_key_is_nowhere_in_journal_record_and_words(laptop: Laptop) -> None:
    voice = Answers(laptop)
    made = laptop.install(voice)
    for text in (str(made), str(laptop.store.read(JOURNALS, JOB_ID)), "\n".join(voice.said)):
        assert ROOT.hex() not in text and str(ROOT) not in text


def test_the_meter_has_the_installation_grace_and_no_order_is_left(laptop: Laptop) -> None:
    laptop.install()
    meter = laptop.line.at.machine.application
    assert meter.wallet.grace_mills == GRACE_MILLS if hasattr(meter.wallet, "grace_mills") else meter is not None
    assert meter.port is None or meter.port.order is None


class Unplugged(Exception):
    """Stands for whatever ends a command at once: Ctrl-C, kill, a dead battery."""


@pytest.mark.parametrize("name", NAMES)
def test_interrupted_in_any_step_it_goes_on_there_and_the_record_is_the_same(tmp_path: Path, name: str) -> None:
    """Before the step, and after it was done but before it was kept: nothing earlier is asked again."""
    whole = Laptop(tmp_path / "whole", job(), Bench()).install()
    laptop = Laptop(tmp_path / "cut", job(), Bench())
    step = next(step for step in INSTALLATION if step.name == name)
    for cut_after in (False, True):
        voice = Answers(laptop)
        checklist = laptop.checklist(voice)
        keep = checklist.journal.finish

        def finish(done: str, *rest: Any, keep: Any = keep) -> Any:
            if done == name:
                raise Unplugged
            return keep(done, *rest)

        if cut_after:
            checklist.journal.finish = finish  # type: ignore[method-assign]
        else:
            checklist._once = lambda at, hands, once=checklist._once: _cut(at, hands, step, once)  # type: ignore[method-assign]
        with pytest.raises(Unplugged):
            _install(laptop, checklist)
        assert checklist.journal.done(name) is None
    voice = Answers(laptop)
    made = laptop.install(voice)
    asked = [line for line in voice.said if line.startswith("[")]
    assert sum(": passed" in line or ": left out" in line for line in asked) == NAMES.index(name)
    assert without_instants(made) == without_instants(whole)


def _cut(at: Any, hands: Any, step: Any, once: Any) -> Any:
    if at is step:
        raise Unplugged
    return once(at, hands)


def _install(laptop: Laptop, checklist: Any) -> Any:
    from fieldtool import commission

    return commission.install(checklist, laptop.tool(), laptop.session(), laptop.clock)


@pytest.mark.parametrize("at", range(1, 53, 4))
def test_the_cable_pulled_out_at_any_question_loses_no_step(tmp_path: Path, at: int) -> None:
    """A question of the tool is the last one heard; plugged in again, the same command ends in a whole record."""
    laptop = Laptop(tmp_path, job(), Bench())
    left = [at]

    def count() -> None:
        left[0] -= 1
        laptop.line.at.plugged = laptop.line.at.plugged and left[0] > 0

    laptop.line.before_write = count
    assert refused(laptop.install).code == "port_gone"
    laptop.line.before_write = lambda: None
    laptop.line.at.plugged = True
    assert [step["name"] for step in laptop.install()["record"]["steps"]] == NAMES


@pytest.mark.parametrize("first", range(1, 6))
def test_an_answer_that_is_lost_on_the_line_is_asked_for_again(tmp_path: Path, first: int) -> None:
    """Each fifth question in turn, that of the provisioning among them: it may have been obeyed before."""
    for lost in range(first, 56, 5):
        laptop = Laptop(tmp_path / str(lost), job(), Bench())
        laptop.line.lose_answer = lost
        assert [step["name"] for step in laptop.install()["record"]["steps"]] == NAMES


def test_a_power_cut_of_the_meter_between_any_two_steps_changes_nothing(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path, job(), Bench())
    for name in NAMES:
        voice = Answers(laptop)
        checklist = laptop.checklist(voice)
        with pytest.raises(Unplugged):
            checklist._once = lambda at, hands, once=checklist._once, name=name: (  # type: ignore[method-assign]
                _cut(at, hands, next(step for step in INSTALLATION if step.name == name), once)
            )
            _install(laptop, checklist)
        bench = laptop.line.at
        bench.machine.kill()
        bench.said = b""
        bench._take(
            bench.machine.start(
                bench.now_us, [link.pulses(bench.pipe.pulses), link.battery(3600), link.real_time(bench.unix_s, True)]
            )
        )
    assert [step["name"] for step in laptop.install()["record"]["steps"]] == NAMES


def test_a_record_that_is_made_stays_as_it_is(laptop: Laptop) -> None:
    made = laptop.install()
    assert laptop.checklist(Answers(laptop)).recorded() == made
    assert laptop.install() == made


# Which box it is ------------------------------------------------------------------------------------------------------


def test_a_meter_that_is_this_one_already_is_recognised_by_its_key_and_nothing_is_written(
    laptop: Laptop, tmp_path: Path
) -> None:
    laptop.install()
    second = Laptop(tmp_path / "second", job(), laptop.line.at)
    voice = Answers(second)
    made = second.install(voice)
    assert any("already" in line for line in voice.said)
    assert not any("Writing" in line for line in voice.said)
    assert steps_of(made)["provision"]["outcome"] == "passed"


def test_a_meter_that_is_another_is_refused_and_nothing_changes(laptop: Laptop, tmp_path: Path) -> None:
    other = {**job(), "identity": added(OLD_ID, OLD_ROOT), "grants": [granted(OLD_ID, OLD_ROOT, TECHNICIAN)]}
    other["job"] = {**other["job"], "meter_id": OLD_ID, "job_id": "18"}
    Laptop(tmp_path / "other", other, laptop.line.at).install()
    before = dict(laptop.line.at.machine.board.files.content)
    refusal = refused(laptop.install)
    assert (refusal.code, refusal.exit_code) == ("other_meter", 1)
    assert refusal.facts == {"found": OLD_ID, "expected": METER_ID}
    assert laptop.line.at.machine.board.files.content == before


def test_a_meter_of_this_name_with_another_key_is_refused(laptop: Laptop, tmp_path: Path) -> None:
    Laptop(tmp_path / "forged", {**job(), "identity": added(METER_ID, OLD_ROOT)} | {
        "grants": [granted(METER_ID, OLD_ROOT, TECHNICIAN)]
    }, laptop.line.at).install()  # fmt: skip
    assert refused(laptop.install).code == "grant_foreign"


def test_a_second_blank_box_never_becomes_the_same_meter(laptop: Laptop) -> None:
    """Two boxes with one identity would use one counter twice under one key."""
    laptop.install()
    laptop.store.drop(OUTBOX, JOB_ID)
    laptop.line.at = Bench()
    assert refused(laptop.install).code == "blank_again"
    checklist = laptop.checklist(Answers(laptop))
    meter = Meter(laptop.session(), laptop.store, METER_ID, laptop.clock)
    assert refused(lambda: meets_its_journal(checklist, meter)).code == "blank_again"


def test_a_blank_box_after_a_begun_provisioning_must_be_the_same_one(laptop: Laptop) -> None:
    laptop.line.before_write = lambda: None
    checklist = laptop.checklist(Answers(laptop))
    checklist.journal.note(provision_begun=1)
    assert refused(lambda: laptop.install(Answers(laptop, provision__same_box=False))).code == "box_exchanged"
    assert laptop.line.at.machine.application.mode == 3, "blank still"
    made = laptop.install(Answers(laptop, provision__same_box=True))
    assert steps_of(made)["provision"]["outcome"] == "passed"


# What fails -----------------------------------------------------------------------------------------------------------


def fails(laptop: Laptop, **answers: Any) -> tuple[str, str]:
    """(step, reason) of the step that stops the checklist; exit code 5."""
    refusal = refused(lambda: laptop.install(Answers(laptop, **answers)))
    assert refusal.code == "step_failed" and refusal.exit_code == 5, refusal
    assert laptop.store.read(OUTBOX, JOB_ID) is None
    return str(refusal.facts["step"]), str(refusal.facts["reason"])


def test_a_wrong_plate_is_caught_before_anything_is_written(laptop: Laptop) -> None:
    """M01: the box goes back to the van as blank as it came."""
    assert fails(laptop, pulse_weight__litres="10") == ("pulse_weight", "plate_differs")
    assert laptop.line.at.machine.application.mode == 3


@pytest.mark.parametrize(("weight_l", "litres", "reason"), [(10, 20, "wrong_weight"), (100, 20, "no_pulses")])
def test_a_wrong_weight_is_caught_by_the_bucket_and_cannot_be_waived(
    tmp_path: Path, weight_l: int, litres: int, reason: str
) -> None:
    """M01: the plate lies, or the reed is another; ten times wrong bills are caught at the tap."""
    laptop = Laptop(tmp_path, job(), Bench(weight_l))
    laptop.poured = litres
    answers = {"volume_test__litres": str(litres)}
    assert fails(laptop, **answers) == ("volume_test", reason)
    voice = Answers(laptop, **answers)
    voice.is_ready = lambda _step: True  # type: ignore[method-assign]
    voice.answers["volume_test.waive"] = "no bucket at hand"
    assert refused(lambda: laptop.install(voice)).facts["reason"] == reason
    failed = (laptop.store.read(JOURNALS, JOB_ID) or {})["steps"][-1]
    assert failed["values"].get("fits_ml") == (10_000 if weight_l == 10 else None)
    if weight_l == 10:
        assert any("One pulse of this meter is 10 L; it is set to 1 L" in line for line in voice.said)


def test_a_bucket_that_was_misread_is_repeated(laptop: Laptop) -> None:
    assert fails(laptop, volume_test__litres="8.5") == ("volume_test", "off")
    assert steps_of(laptop.install())["volume_test"]["outcome"] == "passed"


def test_a_seized_valve_fails(laptop: Laptop) -> None:
    laptop.line.at.pipe.valve.stick()
    assert fails(laptop)[0] == "valve_open"
    laptop.line.at.pipe.valve.heal()
    assert steps_of(laptop.install())["valve_open"]["outcome"] == "passed"


def test_a_leak_and_a_drop_both_fail(laptop: Laptop) -> None:
    laptop.line.at.pipe.valve.leak_by(180_000)
    assert fails(laptop) == ("leak_by", "runs")
    laptop.line.at.pipe.valve.heal()
    assert fails(laptop, leak_by__dripping=True) == ("leak_by", "drips")


@pytest.mark.parametrize("seen", ["arrow", "strainer", "check_valve", "dry"])
def test_a_meter_that_hangs_wrong_fails(laptop: Laptop, seen: str) -> None:
    assert fails(laptop, **{f"orientation__{seen}": False}) == ("orientation", seen)


def test_who_does_not_agree_gets_no_meter_in_service(laptop: Laptop) -> None:
    """H12."""
    assert fails(laptop, consent__agrees=False) == ("consent", "refuses")


def test_a_weak_radio_fails_or_stands_with_a_reason_and_without_one_frames_go_by_hand(laptop: Laptop) -> None:
    assert fails(laptop, radio__margin_db=9) == ("radio", "low")
    voice = Answers(laptop, radio__margin_db=9)
    voice.is_ready = lambda _step: True  # type: ignore[method-assign]
    voice.answers["radio.waive"] = "antenna ordered"
    left = steps_of(laptop.install(voice))["radio"]
    assert left["outcome"] == "waived" and left["values"] == {
        "bearer": "lorawan", "margin_db": 9, "reason": "antenna ordered"
    }  # fmt: skip


def test_without_a_network_the_frames_are_carried_by_hand(laptop: Laptop) -> None:
    by_hand = steps_of(laptop.install(Answers(laptop, radio__bearer="none")))["radio"]
    assert by_hand["outcome"] == "waived" and by_hand["values"]["margin_db"] == "carried by hand"


def test_steps_are_left_out_only_where_that_may_be_and_with_a_reason(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path, job(), Bench())
    reasons = {f"{name}__waive": "no water in the street" for name in NAMES}
    steps = steps_of(laptop.install(Answers(laptop, **reasons)))
    left = {name for name, step in steps.items() if step["outcome"] == "waived"}
    assert left == {"volume_test", "leak_by", "radio", "position", "first_uplink"}
    assert steps["volume_test"]["values"] == {"reason": "no water in the street"}


def test_a_clock_that_is_unsure_lets_the_valve_be_tested_later(tmp_path: Path) -> None:
    """The meter closes nothing then; the office reads in the record that its valve was not seen."""
    bench = Bench(rtc_valid=False)
    laptop = Laptop(tmp_path, job(), bench)
    assert fails(laptop) == ("valve_open", "meter_clock_unsure")


# Answers --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(GOOD))
def test_an_answer_that_is_missing_or_wrong_is_named_and_what_is_done_stays(laptop: Laptop, name: str) -> None:
    answers = {name.replace(".", "__"): None}
    missing = refused(lambda: laptop.install(Answers(laptop, **answers)))
    assert (missing.code, missing.facts["name"], missing.exit_code) == ("answer_missing", name, 2)
    wrong = refused(lambda: laptop.install(Answers(laptop, **{name.replace(".", "__"): "\x07" * 300})))
    assert (wrong.code, wrong.facts["name"]) == ("answer_wrong", name)
    assert [step["name"] for step in laptop.install()["record"]["steps"]] == NAMES


def test_a_grant_that_only_reads_is_none(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path, job(grants=[granted(METER_ID, ROOT, READER)]), Bench())
    assert refused(laptop.install).code == "no_grant"
    assert laptop.line.at.machine.application.mode == 3, "no key is written that nobody could speak under"


def test_a_job_that_is_over_writes_no_key(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path, job(), Bench())
    laptop.clock.now = lambda: MIDNIGHT_S + 300_000  # type: ignore[method-assign]
    assert refused(laptop.install).code == "grant_expired"
    assert laptop.line.at.machine.application.mode == 3


def test_an_identity_that_lacks_something_writes_nothing(tmp_path: Path) -> None:
    laptop = Laptop(tmp_path, job(identity={**added(), "root": None}), Bench())
    refusal = refused(laptop.install)
    assert refusal.code == "identity_incomplete" and refusal.facts["field"] == "root"
    assert laptop.line.at.machine.application.mode == 3


def test_french_is_whole(laptop: Laptop) -> None:
    """CT-33: each step says what to do with the hands, what is good and what then; in French nothing is English."""
    english, french = Answers(laptop), Answers(laptop, lang="fr")
    laptop.install(french)
    other = Laptop(laptop.store.home / "en", job(), Bench())
    english.laptop = other
    other.install(english)
    assert len(english.said) == len(french.said)
    same = [line for line, fr in zip(english.said, french.said, strict=True) if line == fr]
    assert all(not any(letter.isalpha() for letter in line.replace("Radio", "").replace("Position", "")[7:]) or
               line.startswith("[") for line in same), same  # fmt: skip


@pytest.mark.parametrize("step", INSTALLATION, ids=NAMES)
def test_each_step_tells_hands_good_and_remedy_in_both_languages(step: Any) -> None:
    from string import Formatter

    for key in ("title", "do", "good", "fail", *(question.name for question in step.asks)):
        en, fr = step.texts[key]
        facts = [{name for _, name, _, _ in Formatter().parse(text) if name} for text in (en, fr)]
        assert facts[0] == facts[1] and en and fr
    assert all(len(step.texts[key][at]) > 15 for key in ("do", "good") for at in (0, 1))
