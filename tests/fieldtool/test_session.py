"""A conversation over a bad line with the meter's own service port: lost, damaged and late answers, ended sessions,
strange ones. What was asked is answered rightly or refused; never is an answer taken for that to another question."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldtool import session as sessions
from fieldtool.refusals import Refusal
from fieldtool.session import Session
from firmware import boot
from firmware.console_fields import FIELDS
from firmware.service_port import ServicePort
from protocol.wire import cbor, console
from protocol.wire.console_codes import READER, RETIRER
from protocol.wire.grants import Grant, grant_key
from simulator.meter_in_memory import MemoryEeprom
from tests.firmware.rig import METER_ID, ROOT
from tests.firmware.test_keepsake import TestBoard, World, booted, provisioned

PATIENCE_S = 0.02


class BadLine:
    """A line to a service port. `fate(data)` is what becomes of each answer: whole, in pieces, spoilt or gone."""

    path = "line"

    def __init__(self, port: Any, fate: Callable[[bytes], list[bytes]] = lambda data: [data]) -> None:
        self.port, self.fate = port, fate
        self.coming: list[bytes] = []
        self.said: list[bytes] = []

    def write(self, data: bytes) -> None:
        self.said.append(data)
        self.coming += self.fate(self.port.take(data))

    def read(self, timeout_s: float) -> bytes:
        if not self.coming:
            time.sleep(min(timeout_s, PATIENCE_S))
            return b""
        return self.coming.pop(0)


@pytest.fixture(autouse=True)
def world_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(World, "now_s", World.now_s)
    yield


def meter_port() -> Any:
    board, _ = provisioned()
    return ServicePort(booted(board))


def blank_port() -> Any:
    return ServicePort(boot.boot(TestBoard(None, MemoryEeprom(), blank=True)))


def grant_for(port: Any, number: int = 1, **terms: Any) -> tuple[Grant, bytes]:
    now_s = port.application.clock.unix_s(port.application.board.now_us())
    given = {"meter_id": METER_ID, "generation": 1, "number": number, "role": READER, "uses": 9,
             "from_s": now_s - 60, "until_s": now_s + 3600}  # fmt: skip
    grant = Grant(**{**given, **terms})
    return grant, grant_key(ROOT, grant)


def begun(line: BadLine) -> Session:
    session = Session(line, PATIENCE_S)  # type: ignore[arg-type]
    session.begin(*grant_for(line.port))
    return session


def refusal_of(act: Callable[[], Any]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value


# A good line ----------------------------------------------------------------------------------------------------------
def test_who_is_there_is_known_without_a_key() -> None:
    assert Session(BadLine(meter_port()), PATIENCE_S).hello() == (METER_ID, 1)  # type: ignore[arg-type]
    assert Session(BadLine(blank_port()), PATIENCE_S).hello() == (None, 0)  # type: ignore[arg-type]


def test_under_a_grant_a_meter_answers_and_before_its_life_a_board_does() -> None:
    assert len(begun(BadLine(meter_port())).ask(["read"])) == len(FIELDS)
    blank = Session(BadLine(blank_port()), PATIENCE_S)  # type: ignore[arg-type]
    assert len(blank.plain(["read"])) == len(FIELDS)


def test_a_session_that_ended_is_begun_again_once() -> None:
    line = BadLine(meter_port())
    session = begun(line)
    session.ask(["read"])
    line.port.application.board.home.now_s += 301
    assert session.ask(["slots", 0, 4]) == []
    line.port.session = None
    line.port.answer = lambda message: console.refused(console.NO_SESSION, 0)
    assert refusal_of(lambda: session.ask(["read"])).code in ("no_answer", "silent")


# A bad one ------------------------------------------------------------------------------------------------------------
SPOILS: tuple[Callable[[bytes], list[bytes]], ...] = (
    lambda data: [],
    lambda data: [data[:-3]],
    lambda data: [data[:9] + bytes([data[9] ^ 1]) + data[10:]],
    lambda data: [b"\r\nboot: hello\r\n" + data[:5]],
)


@pytest.mark.parametrize("spoil", SPOILS)
def test_one_answer_that_is_lost_or_damaged_is_asked_for_again(spoil: Callable[[bytes], list[bytes]]) -> None:
    """At each of the three exchanges: challenge, first answer, second answer."""
    for at in range(3):
        fates = [lambda data: [data]] * at + [spoil]
        line = BadLine(meter_port(), lambda data: fates.pop(0)(data) if fates else [data])  # noqa: B023 - used at once
        session = begun(line)
        assert len(session.ask(["read"])) == len(FIELDS) and session.ask(["slots", 0, 4]) == []
        assert len(line.said) == 4


def test_a_line_that_loses_everything_ends_in_words() -> None:
    line = BadLine(meter_port())
    session = begun(line)
    line.fate = lambda data: []
    assert refusal_of(lambda: session.ask(["read"])).code == "no_answer"
    assert refusal_of(session.hello).code == "silent"
    assert len(line.said) == 1 + 2 * sessions.TRIES


def test_a_late_answer_to_an_earlier_question_is_not_taken() -> None:
    """Of a blank board too, whose answers have no seal: the question's number tells."""
    late: list[bytes] = []

    def fate(data: bytes) -> list[bytes]:
        late.append(data)
        return [] if len(late) == 1 else [late[0], data]

    blank = Session(BadLine(blank_port(), fate), PATIENCE_S)  # type: ignore[arg-type]
    assert refusal_of(lambda: blank.plain(["read"], tries=1)).code == "no_answer"
    assert refusal_of(lambda: blank.plain(["nonsense"], tries=1)).code in ("meter_unknown_command", "meter_refused")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_whatever_the_line_does_an_answer_is_right_or_there_is_none(seed: int) -> None:
    """Pieces, losses, flipped bits, repetitions and noise, as they come."""
    dice = random.Random(seed)

    def fate(data: bytes) -> list[bytes]:
        what = dice.randrange(6)
        if what == 0:
            return []
        if what == 1:
            at = dice.randrange(len(data))
            return [data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]]
        if what == 2:
            return [data, data]
        if what == 3:
            return [dice.randbytes(dice.randrange(40)), data]
        cut = dice.randrange(len(data))
        return [data[:cut], data[cut:]]

    line = BadLine(meter_port(), fate)
    session = Session(line, 0.002)  # type: ignore[arg-type]
    try:
        session.begin(*grant_for(line.port))
        for _ in range(3):
            assert session.ask(["slots", 0, 4]) == []
            assert len(session.ask(["read"])) == len(FIELDS)
    except Refusal as refusal:
        assert refusal.code in ("no_answer", "silent"), refusal


# Strangers ------------------------------------------------------------------------------------------------------------
def test_another_meter_than_the_grants_is_named_before_a_question_is_spent_on_it() -> None:
    line = BadLine(meter_port())
    session = Session(line, PATIENCE_S)  # type: ignore[arg-type]
    other, key = grant_for(line.port, meter_id=b"\xff" * 8)
    refusal = refusal_of(lambda: session.begin(other, key))
    assert refusal.code == "other_meter" and METER_ID.hex() in refusal.sentence("fr")
    assert len(line.said) == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"\xff", "nonsense"),
        (b"", "nonsense"),
        (cbor.encode_sequence([1, "refused", 2]), "meter_not_allowed"),
        (cbor.encode_sequence([1, "refused", 4]), "meter_valve_moving"),
        (cbor.encode_sequence([1, "refused"]), "meter_unknown_command"),
        (cbor.encode_sequence([1, "refused", 9999]), "meter_refused"),
        (cbor.encode_sequence([1, "refused", "this flash holds another meter"]), "meter_refused"),
    ],
)
def test_answers_of_other_firmware_are_words_and_no_accident(text: bytes, code: str) -> None:
    class Strange:
        def take(self, _data: bytes) -> bytes:
            return console.to_line(bytes([console.PLAIN]) + text)

    session = Session(BadLine(Strange()), PATIENCE_S)  # type: ignore[arg-type]
    assert refusal_of(lambda: session.plain(["read"])).code == code


def test_what_a_role_may_not_do_is_refused_by_name() -> None:
    session = begun(BadLine(meter_port()))
    refusal = refusal_of(lambda: session.ask(["decommission", METER_ID]))
    assert refusal.code == "meter_not_allowed" and "decommission" in refusal.sentence("en")
    assert RETIRER != READER


@pytest.mark.parametrize(
    ("code", "name"), [(console.MALFORMED, "port_version"), (console.LOCKED, "port_locked"), (77, "port_version")]
)
def test_every_refusal_of_a_port_has_its_sentence(code: int, name: str) -> None:
    class Refusing:
        def take(self, _data: bytes) -> bytes:
            return console.to_line(console.refused(code, 61))

    refusal = refusal_of(Session(BadLine(Refusing()), PATIENCE_S).hello)  # type: ignore[arg-type]
    assert refusal.code == name and ("61" in refusal.sentence("en") or code != console.LOCKED)
