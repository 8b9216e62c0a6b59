"""What `sync` and `enrol` make of a bad network and of a headend that says no: nothing lost, nothing sent twice."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from fieldtool import exit_codes, frames
from fieldtool.headend import Headend, checked_address
from fieldtool.refusals import Refusal
from fieldtool.store import DONE, JOBS, OUTBOX, Store
from guelta.cli import main

from .scripted_office import Heard, Reply, Script, ScriptedOffice

METER = "00000000000000a1"
TOKEN = "0123-4567-89ab-cdef"
JOB = {"job_id": "j1", "kind": "install", "meter_id": METER, "new_meter_id": None, "state": "open",
       "expires_at": "2026-11-23T00:00:00Z", "first_uplink_at": None}  # fmt: skip
CLAIMED = {"job": {**JOB, "state": "claimed"}, "identity": {"root": "ab" * 16}, "grants": [],
           "installation_grace_mills": 0}  # fmt: skip
ANSWER = {"record_id": "r1", "job_id": "j1", "state": "recorded", "opening_frame": None, "first_uplink_at": None,
          "findings": []}  # fmt: skip
NO_JOBS = Reply(200, {"items": [], "next": None})

Opens = Callable[[Script], ScriptedOffice]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("GUELTA_FIELD_HOME", str(tmp_path / "home"))
    return Store()


@pytest.fixture
def opens(store: Store) -> Iterator[Opens]:
    """opens(script): an office that this laptop is enrolled with."""
    made = []

    def open_(script: Script) -> ScriptedOffice:
        made.append(ScriptedOffice(script))
        store.keep_config(headend=made[-1].url, api_key="key-of-a-technician", technician="Fati")
        return made[-1]

    yield open_
    for office in made:
        office.close()


def sync(*words: str) -> Result:
    return CliRunner().invoke(main, ["field", "sync", "--json", "--lang", "en", *words])


def record(store: Store, name: str = "j1", **more: Any) -> dict[str, Any]:
    document = {
        "record": {"format": 1, "job_id": name, "meter_id": METER, "new_meter_id": None, **more},
        "signature": "00" * 64,
        "fingerprint": "00" * 8,
    }
    store.keep(OUTBOX, name, document)
    return document


def problem(code: str, status: int = 409) -> Reply:
    errors = [{"pointer": "/record/steps/3", "detail": "a value is missing"}]
    return Reply(status, {"code": code, "title": code, "detail": "Ask the office.", "errors": errors})


# Records --------------------------------------------------------------------------------------------------------------
def test_a_record_leaves_the_outbox_when_the_headend_has_answered(store: Store, opens: Opens) -> None:
    office = opens(lambda heard: NO_JOBS if heard.method == "GET" else Reply(201, ANSWER))
    sent = record(store)
    done = sync()
    assert done.exit_code == 0, done.output
    assert [heard.body for heard in office.heard if heard.method == "POST"] == [sent]
    assert store.names(OUTBOX) == [] and store.read(DONE, "j1") == {**sent, "answer": ANSWER}
    assert json.loads(done.stdout)["records"] == [{"job_id": "j1", "state": "recorded", "findings": []}]
    assert sync().exit_code == 0 and len([heard for heard in office.heard if heard.method == "POST"]) == 1


@pytest.mark.parametrize("loss", [Reply(201, ANSWER, lost=True), Reply(500, b"oops"), Reply(503, {}), Reply(429, {})])
def test_a_record_whose_answer_is_lost_is_kept_and_sent_as_the_same_request(
    store: Store, opens: Opens, loss: Reply
) -> None:
    replies = [loss, Reply(201, ANSWER)]
    office = opens(lambda heard: NO_JOBS if heard.method == "GET" else replies.pop(0))
    record(store)
    cut = sync()
    assert cut.exit_code == exit_codes.INCOMPLETE and store.names(OUTBOX) == ["j1"]
    assert json.loads(cut.stdout)["refused"]["code"] in ("headend_unreachable", "headend_failed")
    assert sync().exit_code == 0 and store.names(OUTBOX) == []
    first, second = (heard for heard in office.heard if heard.method == "POST")
    assert (first.body, first.headers["Idempotency-Key"]) == (second.body, second.headers["Idempotency-Key"])


def test_a_cut_after_the_answer_and_before_the_outbox_is_empty_sends_once_more(store: Store, opens: Opens) -> None:
    """Both copies are there: the record is sent again, which the headend answers alike."""
    opens(lambda heard: NO_JOBS if heard.method == "GET" else Reply(201, ANSWER))
    document = record(store)
    store.keep(DONE, "j1", {**document, "answer": ANSWER})
    assert sync().exit_code == 0 and store.names(OUTBOX) == [] and store.names(DONE) == ["j1"]


def test_a_refused_record_stays_and_does_not_hold_up_the_others(store: Store, opens: Opens) -> None:
    def script(heard: Heard) -> Reply:
        if heard.method == "GET":
            return NO_JOBS
        return problem("record_signature") if heard.body["record"]["job_id"] == "j1" else Reply(201, ANSWER)

    opens(script)
    record(store, "j1")
    record(store, "j2")
    done = sync()
    assert done.exit_code == exit_codes.HEADEND_REFUSED
    assert store.names(OUTBOX) == ["j1"] and store.names(DONE) == ["j2"]
    assert [told.get("refused") for told in json.loads(done.stdout)["records"]] == ["headend_refused", None]
    told = CliRunner().invoke(main, ["field", "sync", "--lang", "fr"])
    assert "record_signature" in told.stdout and "/record/steps/3: a value is missing" in told.stdout


def test_an_opening_is_kept_for_the_meter_it_is_for_and_the_root_is_forgotten(store: Store, opens: Opens) -> None:
    answer = {**ANSWER, "opening_frame": "78000011", "findings": ["seal_unknown"]}
    opens(lambda heard: NO_JOBS if heard.path == "/v1/field/jobs" else Reply(200, CLAIMED["job"])
          if heard.method == "GET" else Reply(201, answer))  # fmt: skip
    store.keep(JOBS, "j1", {**CLAIMED, "state": "claimed", "claim": "00" * 32})
    record(store, new_meter_id="00000000000000b2")
    done = sync()
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)["records"][0]
    assert told["frame_for"] == "00000000000000b2" and told["findings"] == ["seal_unknown"]
    assert frames.waiting(store, bytes.fromhex("00000000000000b2")) == [bytes.fromhex("78000011")]
    kept = store.read(JOBS, "j1")
    assert kept is not None and kept["identity"] is None


# Jobs -----------------------------------------------------------------------------------------------------------------
def test_a_claim_is_kept_before_it_is_used_and_asked_again_with_the_same_words(
    store: Store, opens: Opens, tmp_path: Path
) -> None:
    replies = [Reply(200, CLAIMED, lost=True), Reply(200, CLAIMED)]
    listed = Reply(200, {"items": [JOB], "next": None})
    seen: list[Any] = []

    def script(heard: Heard) -> Reply:
        if heard.method == "GET":
            return listed
        seen.append(store.read(JOBS, "j1"))
        return replies.pop(0)

    office = opens(script)
    (tmp_path / "token").write_text(TOKEN + "\n")
    assert sync("--token-file", str(tmp_path / "token")).exit_code == exit_codes.INCOMPLETE
    assert seen[0] is not None and seen[0]["state"] == "claiming"
    assert sync().exit_code == 0
    first, second = (heard.body for heard in office.heard if heard.method == "POST")
    assert first == second and first["token"] == TOKEN and len(bytes.fromhex(first["claim"])) == 32
    kept = store.read(JOBS, "j1")
    assert kept is not None and kept["state"] == "claimed" and TOKEN not in json.dumps(kept)


@pytest.mark.parametrize(("lang", "word"), [("en", "done; its grants hold"), ("fr", "(pose, compteur")])
def test_a_job_that_is_done_is_not_told_as_ready(store: Store, opens: Opens, lang: str, word: str) -> None:
    """Its grants may still carry a statement; nobody should think that there is work left."""
    grant = {"until_s": 4_000_000_000}
    store.keep(JOBS, "j1", {**CLAIMED, "grants": [grant], "state": "claimed", "claim": "c"})
    done = {**JOB, "state": "done"}
    opens(lambda heard: Reply(200, done) if heard.path.endswith("/j1") else NO_JOBS)
    told = CliRunner().invoke(main, ["field", "sync", "--lang", lang]).stdout
    assert word in told and "ready until" not in told and "prête" not in told


def test_all_pages_of_jobs_are_read(store: Store, opens: Opens) -> None:
    pages = {
        "/v1/field/jobs": {"items": [JOB], "next": "abc"},
        "/v1/field/jobs?cursor=abc": {"items": [{**JOB, "job_id": "j2"}], "next": None},
    }
    opens(lambda heard: Reply(200, pages[heard.path]))
    done = sync()
    assert done.exit_code == exit_codes.INCOMPLETE
    assert [job["job_id"] for job in json.loads(done.stdout)["jobs"]] == ["j1", "j2"]


def test_a_job_name_from_the_headend_is_no_path(store: Store, opens: Opens, tmp_path: Path) -> None:
    opens(lambda heard: Reply(200, {"items": [{**JOB, "job_id": "../../evil"}], "next": None}))
    (tmp_path / "token").write_text(TOKEN)
    done = sync("--token-file", str(tmp_path / "token"))
    assert done.exit_code == exit_codes.FAILED and json.loads(done.stdout)["refused"]["code"] == "bad_name"
    assert not list(tmp_path.rglob("evil*"))


@pytest.mark.parametrize("content", ["a b c", f"{TOKEN}\n{TOKEN}", "j1 a\nb"])
def test_a_token_file_of_another_form_is_refused_without_its_content(
    store: Store, opens: Opens, tmp_path: Path, content: str
) -> None:
    opens(lambda heard: NO_JOBS)
    (tmp_path / "token").write_text(content)
    done = sync("--token-file", str(tmp_path / "token"))
    assert done.exit_code == exit_codes.USAGE and json.loads(done.stdout)["refused"]["code"] == "token_file"
    assert TOKEN not in done.output


@pytest.mark.parametrize(("token", "code"), [("é" * 16, "token_form"), ("", None)])
def test_a_token_that_can_be_none_is_never_sent(
    store: Store, opens: Opens, tmp_path: Path, token: str, code: str | None
) -> None:
    office = opens(lambda heard: Reply(200, {"items": [JOB], "next": None}))
    (tmp_path / "token").write_text(token)
    done = sync("--token-file", str(tmp_path / "token"))
    assert done.exit_code == (exit_codes.HEADEND_REFUSED if code else exit_codes.INCOMPLETE)
    assert json.loads(done.stdout)["jobs"][0].get("refused") == code
    assert all(heard.method == "GET" for heard in office.heard)


def test_dry_run_asks_nobody_and_writes_nothing(store: Store, opens: Opens) -> None:
    office = opens(lambda heard: NO_JOBS)
    record(store)
    before = {path: path.read_bytes() for path in store.home.rglob("*.json")}
    done = sync("--dry-run")
    assert done.exit_code == 0 and json.loads(done.stdout) == {"dry_run": True, "records": ["j1"]}
    assert office.heard == [] and {path: path.read_bytes() for path in store.home.rglob("*.json")} == before


# The headend ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("reply", "code", "ends"),
    [
        (Reply(200, b"<html>"), "headend_nonsense", exit_codes.FAILED),
        (Reply(200, [1]), "headend_nonsense", exit_codes.FAILED),
        (Reply(200, {}), "headend_nonsense", exit_codes.FAILED),
        (Reply(404, b"not found"), "headend_nonsense", exit_codes.FAILED),
        (Reply(200, b"[" * 100_000), "headend_nonsense", exit_codes.FAILED),
        (problem("wrong_key", 401), "headend_refused", exit_codes.HEADEND_REFUSED),
        (Reply(200, None, lost=True), "headend_unreachable", exit_codes.INCOMPLETE),
        (Reply(502, b""), "headend_failed", exit_codes.INCOMPLETE),
    ],
)
def test_an_answer_that_is_none_is_named(store: Store, opens: Opens, reply: Reply, code: str, ends: int) -> None:
    opens(lambda heard: reply)
    done = sync()
    assert (done.exit_code, json.loads(done.stdout)["refused"]["code"]) == (ends, code)


def test_a_redirect_is_not_followed_with_the_key(store: Store, opens: Opens) -> None:
    thief = ScriptedOffice(lambda heard: NO_JOBS)
    opens(lambda heard: Reply(302, b"", location=thief.url + heard.path))
    assert sync().exit_code == exit_codes.FAILED
    assert thief.heard == []
    thief.close()


def test_nobody_at_the_address(store: Store) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    store.keep_config(headend=f"http://127.0.0.1:{port}", api_key="key-of-a-technician")
    done = sync()
    assert done.exit_code == exit_codes.INCOMPLETE
    assert json.loads(done.stdout)["refused"]["code"] == "headend_unreachable"


def test_no_proxy_is_asked_for_this_machine(store: Store, opens: Opens, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = ScriptedOffice(lambda heard: NO_JOBS)
    monkeypatch.setenv("http_proxy", proxy.url)
    monkeypatch.delenv("no_proxy", raising=False)
    opens(lambda heard: NO_JOBS)
    assert sync().exit_code == 0 and proxy.heard == []
    proxy.close()


@pytest.mark.parametrize(
    "address",
    ["", "office.example", "http://office.example", "ftp://office.example", "https://", "https://u:geheim@o.example",
     "https://o.example/?a=1", "https://o.example:99999", "http://127.0.0.1.evil.example", "https://["],
)  # fmt: skip
def test_an_address_that_would_show_the_key_is_refused(address: str) -> None:
    with pytest.raises(Refusal) as caught:
        Headend(address, "key", "en")
    assert caught.value.code == "headend_address" and caught.value.exit_code == exit_codes.USAGE
    assert "geheim" not in caught.value.sentence("en")


@pytest.mark.parametrize(
    "address", ["https://o.example", "http://localhost:8080", "http://[::1]:8080/", "http://127.0.0.9"]
)
def test_https_anywhere_and_http_on_this_machine(address: str) -> None:
    assert checked_address(address) == address.rstrip("/")


# Enrolment ------------------------------------------------------------------------------------------------------------
def enrol(*words: str) -> Result:
    return CliRunner().invoke(main, ["field", "enrol", "--json", "--lang", "en", *words])


def test_a_laptop_that_is_not_enrolled_says_how(store: Store) -> None:
    for done in (sync(), enrol()):
        assert done.exit_code == exit_codes.USAGE
        assert json.loads(done.stdout)["refused"]["code"] == "not_enrolled"


def test_enrolling_without_a_terminal_names_the_option(store: Store) -> None:
    done = enrol("--headend", "https://office.example")
    assert done.exit_code == exit_codes.USAGE
    assert json.loads(done.stdout)["refused"]["code"] == "no_terminal" and "--api-key-file" in done.stderr
    assert not store.home.exists()


@pytest.mark.parametrize("content", [b"", b"two words", b"caf\xc3\xa9", b"\xff"])
def test_an_api_key_that_can_be_none_is_refused_unshown(store: Store, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key").write_bytes(content)
    done = enrol("--headend", "https://office.example", "--api-key-file", str(tmp_path / "key"))
    assert done.exit_code == exit_codes.USAGE
    assert json.loads(done.stdout)["refused"]["code"] in ("api_key_form", "file_unreadable")
    assert "two words" not in done.output


def test_a_file_that_is_not_there_is_named(store: Store, tmp_path: Path) -> None:
    done = enrol("--headend", "https://office.example", "--api-key-file", str(tmp_path / "none"))
    assert done.exit_code == exit_codes.USAGE and "--api-key-file" in done.stderr


def test_a_headend_that_knows_another_key_is_not_believed(store: Store, opens: Opens, tmp_path: Path) -> None:
    office = opens(lambda heard: Reply(201, {"technician": "Fati", "fingerprint": "00" * 8}))
    (tmp_path / "key").write_text("key-of-a-technician")
    done = enrol("--headend", office.url, "--api-key-file", str(tmp_path / "key"))
    assert done.exit_code == exit_codes.FAILED
    assert json.loads(done.stdout)["refused"]["code"] == "headend_nonsense"


def test_a_key_that_others_can_read_signs_nothing(store: Store, opens: Opens, tmp_path: Path) -> None:
    office = opens(lambda heard: Reply(500))
    (tmp_path / "key").write_text("key-of-a-technician")
    words = ("--headend", office.url, "--api-key-file", str(tmp_path / "key"))
    assert enrol(*words).exit_code == exit_codes.INCOMPLETE
    (store.home / "tool.key").chmod(0o644)
    done = enrol(*words)
    assert done.exit_code == exit_codes.FAILED and json.loads(done.stdout)["refused"]["code"] == "tool_key_open"
    (store.home / "tool.key").chmod(0o600)
    (store.home / "tool.key").write_bytes(b"short")
    assert json.loads(enrol(*words).stdout)["refused"]["code"] == "store_damaged"


def test_enrolling_with_dry_run_makes_no_key(store: Store) -> None:
    done = enrol("--headend", "https://office.example", "--dry-run")
    assert done.exit_code == 0 and json.loads(done.stdout)["dry_run"] and not store.home.exists()
