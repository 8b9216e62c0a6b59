"""What the searches found, each once and by name: the input that broke a rule, and what becomes of it now (I25)."""

import json
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fieldtool import claims, fields, log, position, work_order
from fieldtool.access import Meter as Met
from fieldtool.headend import Headend
from fieldtool.journal import Journal
from fieldtool.refusals import Refusal
from fieldtool.store import JOBS, JOURNALS, Store
from firmware import identity, state
from headend import configuration
from headend.api import strict_json
from headend.api.dispatch import from_text
from headend.api.problems import Problem
from headend.api.shapes import PageQuery
from headend.api.tariffs import TariffToPublish
from headend.bearers.chirpstack import read_up
from headend.bearers.http import BodyRefused
from headend.settings import SettingsRefused
from protocol import errors
from protocol.wire import cbor
from tests.fuzz.a_meter import AMeter
from tests.fuzz.targets import identities, meter_downlinks, network_server, tool_folder

NACK_OF_LONG_AGO = bytes.fromhex("0209 01821a0001d4c01830")


def test_true_and_null_are_no_keys_of_a_map() -> None:
    """{1: 0, true: 0} was taken, and was one pair in Python: it did not encode back to the same bytes (A9)."""
    for item in ("a20100f500", "a1f500", "a1f600"):
        with pytest.raises(errors.WireRefused) as refused:
            cbor.decode(bytes.fromhex(item))
        assert refused.value.code == errors.CBOR_UNSUPPORTED


def test_the_format_of_an_identity_is_one_and_not_true() -> None:
    """An array that begins with true was taken for format 1: two byte strings were one identity."""
    good = identities.made()[0]
    with pytest.raises(identity.IdentityRefused):
        identity.decode(good[:1] + b"\xf5" + good[2:])


def test_a_state_that_was_cut_is_no_state() -> None:
    """Behind a right CRC a record that ends early read as one of zeros (M1): each shorter one is refused now."""
    whole = state.State().encode()
    assert state.decode(whole) is not None
    assert [length for length in range(len(whole)) if state.decode(whole[:length]) is not None] == []


def test_a_nack_of_slots_of_long_ago_costs_one_look_at_the_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    """One authentic NACK of slots before a meter's first had it search 120,000 slots one by one, 240,000 looks at its
    flash, while no pulse was counted and no valve was closed (I9, I25; SEMANTICS C4, F3)."""
    meter = AMeter(uses=5)
    monkeypatch.setattr(meter_downlinks, "meters", lambda: meter)
    files = meter.old().files
    looks = []
    read = files.parts
    monkeypatch.setattr(files, "parts", lambda path, size: looks.append(path) or read(path, size))
    meter_downlinks.one(NACK_OF_LONG_AGO)
    assert 0 < len(looks) < 1_000


def test_base64_that_is_no_ascii_is_refused() -> None:
    """A network server's `data` with an é in it ended in an internal error (A9)."""
    event = json.loads(network_server.seeds()[0]) | {"data": "é="}
    with pytest.raises(BodyRefused) as refused:
        read_up(json.dumps(event).encode())
    assert (refused.value.status, refused.value.code) == (400, "data")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_half_a_surrogate_pair_is_told_and_does_not_end_the_telling(language: str) -> None:
    """A key of half a pair came back in the refusal's pointer, which then could not be written: an internal error."""
    with pytest.raises(Problem) as refused:
        strict_json.decode(rb'{"\ud800": 1, "\ud800": 2}', TariffToPublish)
    written = msgspec.json.encode(refused.value.document(language, "0" * 16))
    assert msgspec.json.decode(written)["errors"][0]["pointer"] == "/?"


@pytest.mark.parametrize("fields", [{"lim\udce9t": "1"}, {"cursor": "\ud800"}])
def test_bytes_in_an_address_that_are_no_text_are_refused(fields: dict[str, str]) -> None:
    """They ended in an internal error, where a server hands them on at all."""
    with pytest.raises(Problem) as refused:
        from_text(fields, PageQuery, "invalid_query")
    detail = refused.value.document("fr", "0" * 16).errors[0].detail
    assert (refused.value.code, detail) == ("invalid_query", "Attendu : un texte en UTF-8")


def test_the_key_that_stands_twice_is_found_in_time() -> None:
    """20,000 keys, the last of them twice, took 200,000,000 comparisons (A9, A11)."""
    raw = ("{" + "".join(f'"{number}":0,' for number in range(20_000)) + '"19999":0}').encode()
    started = time.process_time()
    with pytest.raises(Problem) as refused:
        strict_json.decode(raw, TariffToPublish)
    assert refused.value.errors[0][0] == "/19999" and time.process_time() - started < 1


@pytest.mark.parametrize("value", ["9" * 5_000, "0x" + "f" * 5_000, "[" * 5_000, "{b = " * 3_000])
def test_settings_beyond_all_measure_are_refused_by_their_place(value: str, tmp_path: Path) -> None:
    """A number of 5,000 digits, and brackets without end, ended in a traceback."""
    file = tmp_path / "guelta.toml"
    file.write_text(f"ledger_check_s = {value}")
    with pytest.raises(SettingsRefused) as refused:
        configuration.effective(file, {})
    assert str(file) in str(refused.value)


@pytest.mark.parametrize("text", ["$GP\udcff*00", "$GPGGA*\x1c0B", "$\ud800*zz"])
def test_a_sentence_that_is_no_ascii_is_a_damaged_one(text: str) -> None:
    """Bytes of a terminal that are no UTF-8, and blanks that only `strip` knows, ended in a traceback."""
    with pytest.raises(position.PositionRefused) as refused:
        position.parse(text)
    assert refused.value.args[0] in (position.CHECKSUM, position.FORM)


@pytest.mark.parametrize(
    "changed", [{"installation_grace_mills": float("inf")}, {"installation_grace_mills": "x"}, {"job": {}}]
)
def test_a_job_file_of_other_kinds_is_damaged(changed: dict[str, Any], tmp_path: Path) -> None:
    """Edited or rotten, it ended in a traceback."""
    store = Store(tmp_path)
    store.keep(JOBS, "j1", {**tool_folder.CLAIMED_JOB, **changed})
    with pytest.raises(Refusal) as refused:
        work_order.choose(store, "", tool_folder.KINDS)
    assert refused.value.code == "store_damaged"


def test_a_journal_without_a_time_is_damaged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.keep(JOURNALS, "j1", tool_folder.JOURNAL | {"started_at": float("inf"), "facts": {}})
    with pytest.raises(Refusal) as refused:
        Journal.open(store, tool_folder.JOB, 9)
    assert refused.value.code == "store_damaged"


class Answers(Headend):
    """Says the same to everything."""

    def __init__(self, answer: dict[str, Any]) -> None:
        super().__init__("http://127.0.0.1:1", "", "en")
        self.answer, self.paths = answer, []

    def _request(self, method: str, path: str, body: bytes | None, key: str = "") -> dict[str, Any]:
        self.paths.append(path)
        return self.answer


def test_what_a_headend_says_of_jobs_is_looked_at(tmp_path: Path) -> None:
    """A page's mark went into an address as it was; a job of another number took the place of the one that is here;
    text of half a surrogate pair could not be kept."""
    store = Store(tmp_path)
    office = Answers({"items": [], "next": "é?&"})
    claims.fetch(store, office, None, [])  # type: ignore[arg-type]
    assert set(office.paths[1:]) == {"/v1/field/jobs?cursor=%C3%A9%3F%26"}
    store.keep(JOBS, "j1", {**tool_folder.CLAIMED_JOB, "note": "\ud800"})
    assert store.read(JOBS, "j1")["note"] == "\ud800"  # type: ignore[index]
    with pytest.raises(Refusal) as refused:
        claims.fetch(store, Answers({"items": [], "job_id": "j2", "state": "cancelled"}), None, [])  # type: ignore[arg-type]
    assert refused.value.code == "headend_nonsense" and store.names(JOBS) == ["j1"]


def test_errors_that_are_no_objects_are_passed_over() -> None:
    """A list of sentences in `errors` ended in a traceback instead of the headend's own words."""
    told = Answers({})._problem(422, b'{"code": "unknown", "detail": "no", "errors": ["x", {"pointer": "/a"}]}')
    assert told.code == "headend_refused" and "/a" in told.sentence("en")


class Says:
    """A session that answers alike."""

    def __init__(self, answer: list[Any]) -> None:
        self.ask = lambda _question, _patience_s=None: answer


@pytest.mark.parametrize(
    "given", [[[2**60, 0, 0, 0, 0]], [[16, 0, 0, 0, 0]], ["slots"], [[1, 2]], [5], [[1, 2, 3, 4, "x"]]]
)
def test_half_hours_that_were_not_asked_for_are_nonsense(given: list[Any]) -> None:
    """A slot of 2^60 ended in a traceback where its time was to be written."""
    met = Met(Says(given), bytes(8), None, {})  # type: ignore[arg-type]
    with pytest.raises(Refusal) as refused:
        log.slots_of(met, 0, 16)
    assert refused.value.code == "nonsense"


def test_a_reading_of_other_kinds_or_without_what_is_needed_is_nonsense() -> None:
    """A text where litres stand, or an answer that ends too early for who needs the rest, ended in a traceback."""
    for broken in (lambda: fields.values_of(["litres"]), lambda: fields.values_of([1])["valve"]):
        with pytest.raises(Refusal) as refused:
            broken()
        assert refused.value.code == "nonsense"
    assert fields.values_of([1, 2])["credited_mills"] == 2 and "valve" not in fields.values_of([1])
