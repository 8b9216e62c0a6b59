"""Journal, record and signature: kept whole, of one job and device, canonical, and proven (FEATURES B9)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtool import identity, record, signing
from fieldtool.journal import Journal
from fieldtool.outcome import FAILED, PASSED, WAIVED, Outcome
from fieldtool.refusals import Refusal
from fieldtool.store import JOURNALS, TOOL_KEY, Store
from firmware.provisioning import identity_from_answer

from .job_in_hand import GRACE_MILLS, JOB_ID, added, job

JOB: dict[str, Any] = job()["job"]


def refused(code: str, act: Any) -> None:
    with pytest.raises(Refusal) as told:
        act()
    assert told.value.code == code


def test_a_journal_is_on_disk_when_a_step_is_finished_and_a_failed_step_is_not_done(tmp_path: Path) -> None:
    store = Store(tmp_path)
    journal = Journal.open(store, JOB, 5)
    assert store.read(JOURNALS, JOB_ID) is None, "nothing was done yet"
    journal.finish("seal", 7, Outcome(FAILED, {"number": "A-1"}, {}, "torn"))
    again = Journal.open(store, JOB, 99)
    assert again.done("seal") is None and again.started_at == 5
    again.finish("seal", 8, Outcome(PASSED, {"number": "A-2"}), [{"meter_id": JOB["meter_id"], "frame": "0102"}])
    third = Journal.open(store, JOB, 100)
    done = third.done("seal")
    assert done is not None and (done.at, dict(done.result.values)) == (8, {"number": "A-2"})
    assert len(third.steps) == 1 and third.frames == [{"meter_id": JOB["meter_id"], "frame": "0102"}]
    with pytest.raises(TypeError):
        done.result.values["number"] = "A-3"  # type: ignore[index]


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"job_id": "18"}, "journal_other_job"),
        ({"kind": "swap"}, "journal_other_job"),
        ({"meter_id": "ff" * 8}, "journal_other_device"),
        ({"new_meter_id": "ff" * 8}, "journal_other_device"),
        ({"format": 2}, "store_damaged"),
        ({"steps": [{"name": "seal"}]}, "store_damaged"),
    ],
)
def test_a_journal_of_another_job_or_device_is_refused_and_stays(
    tmp_path: Path, changed: dict[str, Any], code: str
) -> None:
    store = Store(tmp_path)
    Journal.open(store, JOB, 5).finish("seal", 7, Outcome(PASSED, {"number": "A-1"}))
    altered = {**(store.read(JOURNALS, JOB_ID) or {}), **changed}
    store.keep(JOURNALS, JOB_ID, altered)
    refused(code, lambda: Journal.open(store, JOB, 6))
    assert store.read(JOURNALS, JOB_ID) == altered


@given(
    st.sampled_from((PASSED, FAILED, WAIVED)),
    st.dictionaries(st.text(min_size=1).filter(lambda name: name != "reason"), st.integers() | st.text()),
)
def test_a_step_comes_back_from_its_json_as_it_was(outcome: str, values: dict[str, int | str]) -> None:
    from fieldtool.outcome import Done, from_json

    step = Done("seal", 5, Outcome(outcome, values, {"most": 1}, "" if outcome == PASSED else "why"))
    assert from_json(json.loads(json.dumps(step.as_json()))) == step


def test_the_canonical_form_has_one_order_and_its_letters_as_they_are() -> None:
    one, other = {"b": 1, "a": ["é", {"z": 1, "y": 2}]}, {"a": ["é", {"y": 2, "z": 1}], "b": 1}
    assert record.canonical(one) == record.canonical(other) == '{"a":["é",{"y":2,"z":1}],"b":1}'.encode()
    attested = record.with_attestation({**one, "attestations": []}, "00" * 8, 7, bytes(16))
    assert record.attested_hash(attested) == record.attested_hash({**one, "attestations": []})


def test_the_tools_key_is_made_once_private_and_refused_when_it_is_not(tmp_path: Path) -> None:
    store = Store(tmp_path)
    refused("not_enrolled", lambda: signing.load(store))
    key = signing.load_or_make(store)
    public = signing.public_hex(key)
    assert public == signing.public_hex(signing.load_or_make(store)) and len(signing.fingerprint(public)) == 16
    assert (tmp_path / TOOL_KEY).stat().st_mode & 0o777 == 0o600
    signature = signing.sign(key, b"record")
    assert signing.is_signed(public, signature, b"record")
    assert not signing.is_signed(public, signature, b"recorD")
    assert not signing.is_signed(public, "zz", b"record")
    (tmp_path / TOOL_KEY).chmod(0o640)
    refused("tool_key_open", lambda: signing.load(store))
    store.write_bytes(TOOL_KEY, b"short")
    refused("store_damaged", lambda: signing.load(store))


@pytest.mark.parametrize("litres", [1, 10, 100])
def test_the_identity_is_the_one_that_the_meters_own_code_makes(litres: int) -> None:
    from firmware.identity import decode

    given = added(litres_per_pulse=litres)
    assert identity.encode(given, 0) == identity_from_answer(given)
    assert decode(identity.encode(given, GRACE_MILLS)).installation_grace_mills == GRACE_MILLS


@pytest.mark.parametrize("name", ["meter_id", "root", "generation", "litres_per_pulse", "opening_frame", "tariff"])
def test_an_answer_that_lacks_a_field_is_named(name: str) -> None:
    for wrong in (None, True, [], "zz"):
        if name == "meter_id" and wrong == "zz":
            continue
        given = {**added(), name: wrong}
        with pytest.raises(identity.AnswerRefused) as told:
            identity.encode(given, 0)
        assert told.value.args == (name,)
