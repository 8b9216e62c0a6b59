"""Grants at a meter's service port: who may ask what, for how long, how often, and what guessing is worth (CT-33)."""

import random
from typing import Any

import pytest

from firmware import boot
from firmware.service_port import ServicePort
from protocol.console_client import Client
from protocol.wire import cbor, console, event_codes, grants
from protocol.wire.console_codes import (
    MAINTAINER,
    NOT_ALLOWED,
    OWNER,
    READER,
    RETIRER,
    TECHNICIAN,
    UNKNOWN_COMMAND,
)
from protocol.wire.grants import Grant, grant_key
from tests.firmware.rig import METER_ID
from tests.firmware.rig import ROOT as KEY
from tests.firmware.test_keepsake import TestBoard, World, booted, provisioned
from tests.firmware.test_service_port import READ, Bench, refused, values_of

HOUR_S = 3_600
NOW_S = World.now_s
HASH = bytes(range(32))
COMMANDS: dict[str, tuple[list[Any], tuple[int, ...]]] = {
    "read": (["read"], (OWNER, READER, TECHNICIAN, MAINTAINER, RETIRER)),
    "slots": (["slots", 0, 4], (OWNER, READER, TECHNICIAN, MAINTAINER, RETIRER)),
    "events": (["events"], (OWNER, READER, TECHNICIAN, MAINTAINER, RETIRER)),
    "update": (["update"], (OWNER, READER, TECHNICIAN, MAINTAINER, RETIRER)),
    "frame": (["frame", bytes(11)], (TECHNICIAN, MAINTAINER, RETIRER)),
    "report": (["report"], (TECHNICIAN, MAINTAINER, RETIRER)),
    "attest": (["attest", HASH], (TECHNICIAN, MAINTAINER, RETIRER)),
    "valve": (["valve", 1, 60, 5], (TECHNICIAN,)),
    "decommission": (["decommission", METER_ID], (RETIRER,)),
    "update-begin": (["update-begin", bytes(132)], (MAINTAINER,)),
    "update-data": (["update-data", 0, bytes(16)], (MAINTAINER,)),
    "update-end": (["update-end"], (MAINTAINER,)),
    "update-start": (["update-start"], (MAINTAINER,)),
    "provision": (["provision", b"x"], ()),
    "credit": (["credit", 1_000_000], ()),
    "write": (["write", "credited_mills", 1], ()),
}
ROLES = (OWNER, READER, TECHNICIAN, MAINTAINER, RETIRER)


@pytest.fixture(autouse=True)
def world_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(World, "now_s", NOW_S)


def grant(**changes: Any) -> Grant:
    return Grant(METER_ID, 1, 5, TECHNICIAN, 3, NOW_S - HOUR_S, NOW_S + HOUR_S)._replace(**changes)


class Visit(Bench):
    """A meter, its port, and somebody with a grant."""

    def __init__(self, application: Any = None) -> None:
        super().__init__(application)
        self.board.erase_flash = self.erased
        self.erasures = 0
        meter = self.application
        while meter.valve.motor_since_us is not None:
            meter.tick()  # the board's valve arrives at once
        meter.persist()
        meter.port = self.port

    def erased(self) -> bool:
        self.erasures += 1
        return True

    def begin(self, one: Grant | None, key: bytes = b"") -> Any:
        """The answer to HELLO_GRANT, or to HELLO without one."""
        self.client = Client(lambda *_: console.console_key(KEY, METER_ID, 1), random.Random(7).randbytes)
        if one is None:
            return self.say(self.client.hello())
        return self.say(self.client.hello_grant(one, key or grant_key(KEY, one)))

    def frozen(self) -> tuple[Any, ...]:
        """The state without the count of wrong tags, which is there to change."""
        state = self.application.state
        kept, state.wrong_tags = state.wrong_tags, 0
        try:
            return (state.encode(), self.erasures, list(self.board.sent), self.port.order)
        finally:
            state.wrong_tags = kept


def allowed(said: Any) -> bool:
    """Whether a command was taken: answered, or refused for another reason than who asks and what."""
    return isinstance(said, list) and said not in (["refused", NOT_ALLOWED], ["refused", UNKNOWN_COMMAND])


def is_taken(name: str, said: Any) -> bool:
    """Of updates it is asked here who may bring them alone; what becomes of them is told by their own tests."""
    return allowed(said) or (name.startswith("update") and said != ["refused", NOT_ALLOWED])


# All commands, all roles ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("role", ROLES)
def test_a_command_is_done_for_the_roles_of_the_table_and_refused_to_all_others(name: str, role: int) -> None:
    """What is refused changes nothing: the state's bytes, the memories, the air and the valve are as they were."""
    visit = Visit()
    question, roles = COMMANDS[name]
    assert visit.begin(None if role == OWNER else grant(role=role))[0] == "session"
    visit.ask("read")
    before, memories = visit.frozen(), visit.everything()
    said = visit.ask(*question)
    assert is_taken(name, said) == (role in roles), (name, role, said)
    if not is_taken(name, said):
        code = UNKNOWN_COMMAND if not roles else NOT_ALLOWED
        assert said == ["refused", code]
        assert (visit.frozen(), visit.everything()) == (before, memories)


FAULTS: dict[str, tuple[dict[str, Any], int]] = {
    "expired": ({"from_s": NOW_S - 2 * HOUR_S, "until_s": NOW_S}, console.GRANT_EXPIRED),
    "not yet": ({"from_s": NOW_S + HOUR_S, "until_s": NOW_S + 2 * HOUR_S}, console.GRANT_NOT_YET),
    "lower number": ({"number": 4}, console.GRANT_SPENT),
    "spent": ({"number": 5, "uses": 1}, console.GRANT_SPENT),
    "foreign meter": ({"meter_id": bytes(8)}, console.WRONG_TAG),
    "another generation": ({"generation": 2}, console.WRONG_TAG),
    "altered role": ({}, console.WRONG_TAG),
    "altered end": ({}, console.WRONG_TAG),
    "altered uses": ({}, console.WRONG_TAG),
    "replayed": ({}, console.WRONG_TAG),
}


def attempt(visit: Visit, fault: str, question: list[Any], role: int) -> Any:
    """The refusal of a question under a grant with this fault; the number 5 has had one session before."""
    text = cbor.encode_sequence([7, *question])
    good = grant(role=role, number=6)
    if fault == "replayed":
        visit.begin(good)
        recorded = visit.client.ask(text)
        hello = console.to_line(console.hello_grant(visit.client.random_bytes(8), grants.encode_terms(good)))
        visit.port.take(hello)
        return visit.say(recorded)
    one, _ = FAULTS[fault]
    asked = good._replace(**one)
    key = grant_key(KEY, asked)
    altered = {"altered role": {"role": 5 - role}, "altered end": {"until_s": good.until_s + 60}}
    altered["altered uses"] = {"uses": 100}
    asked = asked._replace(**altered.get(fault, {}))
    greeted = visit.begin(asked, key)
    return greeted if greeted[0] == "refused" else visit.say(visit.client.ask(text))


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("role", ROLES[1:])
def test_no_command_is_done_under_a_grant_with_a_fault(fault: str, role: int) -> None:
    visit = Visit()
    visit.begin(grant(role=role))
    visit.ask("read")
    before = visit.frozen()
    for name, (question, _) in COMMANDS.items():
        kind, (code, _) = attempt(visit, fault, question, role)
        assert (kind, code) == ("refused", FAULTS[fault][1]), name
        assert visit.frozen() == before, name
        visit.application.state.wrong_tags = 0  # the lock has its own test


# Terms, time and counting ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "terms",
    [
        "000000000203" + "6b49d1ff" + "6b49d201",
        "000000010003" + "6b49d1ff" + "6b49d201",
        "000000010503" + "6b49d1ff" + "6b49d201",
        "000000010200" + "6b49d1ff" + "6b49d201",
        "000000010265" + "6b49d1ff" + "6b49d201",
        "000000010203" + "6b45d201" + "6b49d202",
        "000000010203" + "6b49d201" + "6b49d201",
    ],
)
def test_terms_that_no_headend_gives_are_refused_before_any_key(terms: str) -> None:
    visit = Visit()
    before = visit.everything()
    message = console.hello_grant(bytes(8), bytes.fromhex(terms))
    visit.client.nonce = bytes(8)
    assert visit.say(console.to_line(message)) == refused(console.GRANT_TERMS)
    assert visit.everything() == before


def test_sessions_are_counted_on_flash_before_the_first_question_acts_and_over_reboots() -> None:
    visit = Visit()
    board = visit.board
    for used in (1, 2, 3):
        visit.begin(grant())
        visit.begin(grant())  # a session that asks nothing costs nothing
        values = dict(zip(range(60), visit.ask("read"), strict=False))
        visit.ask("read")
        assert values and (visit.application.state.grant, visit.application.state.grant_sessions) == (5, used)
        visit = Visit(booted(board))
        assert visit.application.state.grant_sessions == used
    assert visit.begin(grant()) == refused(console.GRANT_SPENT)
    assert visit.begin(grant(number=6))[0] == "session"
    visit.ask("read")
    assert (visit.application.state.grant, visit.application.state.grant_sessions) == (6, 1)
    assert visit.begin(grant(uses=100)) == refused(console.GRANT_SPENT)  # the number before, with any terms


def test_a_session_ends_with_its_grant() -> None:
    visit = Visit()
    visit.begin(grant(until_s=NOW_S + 250))
    visit.ask("read")
    visit.wait(249)
    assert isinstance(visit.ask("read"), list)
    visit.wait(1)
    assert visit.ask("read") == refused(console.GRANT_EXPIRED)
    assert visit.ask("read") == refused(console.NO_SESSION)


def test_an_unsure_clock_cannot_say_not_yet_and_says_expired_on_its_best_knowledge() -> None:
    visit = Visit()
    visit.application.state.sure = 0
    assert visit.begin(grant(from_s=NOW_S + HOUR_S, until_s=NOW_S + 2 * HOUR_S))[0] == "session"
    assert isinstance(visit.ask("read"), list)
    assert visit.begin(grant(from_s=NOW_S - HOUR_S, until_s=NOW_S - 1, number=9)) == refused(console.GRANT_EXPIRED)
    before = visit.frozen()
    visit.begin(grant(number=10))
    assert visit.ask("valve", 2, 60, 0) == ["refused", 5]  # CLOCK_UNSURE: nobody could tell when it ends
    assert visit.frozen()[1:] == before[1:]


# Guesses --------------------------------------------------------------------------------------------------------------
def guess(visit: Visit) -> Any:
    """One try at a technician's key."""
    now_s = visit.application.unix_s()
    greeted = visit.begin(grant(number=7, from_s=now_s - 1, until_s=now_s + HOUR_S), bytes(16))
    return greeted if greeted[0] == "refused" else visit.say(visit.client.ask(READ))


def test_ten_thousand_guesses_as_fast_as_they_go_are_locked_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Five a second: of 10,000 the port looks at ten. The rest meets a lock, which each guess but four makes longer."""
    visit = Visit()
    looked = 0
    for number in range(10_000):
        if number % 5 == 0:
            visit.wait(1)
        before = visit.application.state.wrong_tags
        assert guess(visit)[0] == "refused"
        looked += visit.application.state.wrong_tags - before
    with capsys.disabled():
        print(f"\n10,000 guesses in 2,000 s: the port looked at {looked}")
    assert looked == 10 and guess(visit)[1][0] == console.LOCKED
    codes = [entry.code for entry, _ in visit.application.events.waiting]
    assert event_codes.CONSOLE_LOCKED in codes


def test_a_patient_guesser_needs_more_than_a_year_for_ten_thousand(capsys: pytest.CaptureFixture[str]) -> None:
    """Who waits for each lock to end gets one guess an hour; each of them is told."""
    visit = Visit()
    open_s = began_s = visit.board.home.now_s
    for _ in range(10_000):
        kind, (code, wait_s) = guess(visit)
        assert kind == "refused" and code in (console.WRONG_TAG, console.LOCKED)
        visit.wait(wait_s)
    lasted_s = visit.board.home.now_s - began_s
    with capsys.disabled():
        print(f"\n10,000 patient guesses: {lasted_s // 86_400} days, one of 2^64 tags each")
    assert open_s and lasted_s > 365 * 86_400 and visit.application.state.wrong_tags == 10_000


def test_a_power_cut_between_guesses_wins_nothing() -> None:
    """The count is on flash before the guess is answered; from the fifth on a boot begins locked, and tells it."""
    board, _ = provisioned()
    waits = []
    for number in range(1, 9):
        visit = Visit(booted(board))
        _, (code, wait_s) = guess(visit)
        if number <= 5:
            assert code == (console.LOCKED if number == 5 else console.WRONG_TAG)
        else:
            assert code == console.LOCKED and visit.application.state.wrong_tags == 5
            assert visit.begin(grant())[0] == "refused"  # the right key waits too
        waits.append(wait_s)
        World.now_s = visit.board.home.now_s + 1
    assert waits[4:] == [60, 61, 61, 61]
    World.now_s += 1_000
    board = TestBoard(board.files, board.eeprom)
    again = booted(board)
    assert again.port is not None and event_codes.CONSOLE_LOCKED in {
        entry.code for entry, _ in again.events.waiting
    } | {entry.code for entry in again.events.told}
    board.home.now_s += 61
    visit = Visit(again)
    visit.port.locked_until_us = 0
    assert visit.begin(grant())[0] == "session" and isinstance(visit.ask("read"), list)
    assert visit.application.state.wrong_tags == 0 and boot.boot(board).state.wrong_tags == 0


def test_hellos_without_a_proof_cost_no_write() -> None:
    """Who only knocks wears no flash: not by HELLO, not by grants of any terms."""
    visit = Visit()
    before = visit.everything()
    for number in range(50):
        visit.begin(None)
        visit.begin(grant(number=number + 1))
        visit.begin(grant(until_s=NOW_S - 1, from_s=NOW_S - 2))
    assert visit.everything() == before and not visit.application.must_persist


def test_a_safe_mode_takes_grants_and_reads_under_them() -> None:
    board, _ = provisioned()
    meter = booted(TestBoard(None, board.eeprom))
    bench = Bench(meter)
    bench.port = ServicePort(meter)
    one = grant(role=TECHNICIAN)
    bench.client = Client(lambda *_: grant_key(KEY, one), random.Random(7).randbytes)
    assert bench.say(bench.client.hello_grant(one))[0] == "session"
    _, said = bench.say(bench.client.ask(READ))
    assert values_of(said)["safe_mode"] == 2
    for question in (["valve", 1, 5, 5], ["report"], ["decommission", METER_ID], ["attest", HASH], ["frame", b""]):
        assert bench.ask(*question) == ["refused", UNKNOWN_COMMAND]
    assert bench.ask("update-begin", bytes(132)) == ["refused", NOT_ALLOWED]
