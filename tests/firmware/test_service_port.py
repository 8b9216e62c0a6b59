"""The service port of a meter: who may ask, what the wrong key costs, and that nothing unsealed changes anything."""

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware import boot
from firmware import console as firmware_console
from firmware.console import serve
from firmware.console_fields import FIELDS
from firmware.service_port import ServicePort
from protocol.console_client import Client
from protocol.wire import cbor, console, event_codes
from protocol.wire.cobs import Decoder
from protocol.wire.console_codes import NOT_ALLOWED, UNKNOWN_COMMAND
from protocol.wire.limits import U32_MAX
from simulator import link
from simulator.meter_in_memory import MemoryEeprom
from tests.firmware.rig import METER_ID, Rig, opening
from tests.firmware.rig import ROOT as KEY
from tests.firmware.test_keepsake import TestBoard, booted, provisioned

Make = Callable[..., Rig]
READ = cbor.encode_sequence([7, "read"])
MINUTE_S = 60


def key_of(root: bytes) -> Callable[[bytes, int], bytes]:
    return lambda meter_id, generation: console.console_key(root, meter_id, generation)


class Bench:
    """A meter on values, its service port, and somebody with a key."""

    def __init__(self, application: Any = None, root: bytes = KEY) -> None:
        if application is None:
            self.board, _ = provisioned()
            application = booted(self.board)
        self.application, self.board = application, application.board
        self.port = ServicePort(application)
        self.client = Client(key_of(root), random.Random(1).randbytes)

    def say(self, line: bytes) -> Any:
        """The one event that comes of it, or None."""
        events = self.client.feed(self.port.take(line))
        assert len(events) <= 1
        return events[0] if events else None

    def session(self) -> "Bench":
        assert self.say(self.client.hello()) == ("session", (METER_ID, 1))
        return self

    def ask(self, *question: Any) -> Any:
        kind, said = self.say(self.client.ask(cbor.encode_sequence([7, *question])))
        return cbor.decode_sequence(said, 2, 200, 1_024)[1:] if kind == "answer" else (kind, said)

    def wait(self, seconds: int) -> None:
        self.board.home.now_s += seconds

    def everything(self) -> Any:
        """What a question could change."""
        files = self.board.files
        state = getattr(self.application, "state", None)
        return (
            None if files is None else dict(files.content),
            None if self.board.eeprom is None else bytes(self.board.eeprom.content),
            None if state is None else state.encode(),
            list(self.board.sent),
        )


def values_of(answer: bytes) -> dict[str, Any]:
    return dict(zip(FIELDS, cbor.decode_sequence(answer, 2, 200, 1_024)[1:], strict=True))


def refused(code: int, wait_s: int = 0) -> Any:
    return ("refused", (code, wait_s))


@pytest.fixture(autouse=True)
def world_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """TestBoard's world keeps the time; each test begins at the same second."""
    from tests.firmware.test_keepsake import World

    monkeypatch.setattr(World, "now_s", World.now_s)


# Who may ask ----------------------------------------------------------------------------------------------------------
def test_a_session_under_the_right_key_asks_and_is_answered() -> None:
    bench = Bench().session()
    assert len(bench.ask("read")) == len(FIELDS)
    assert bench.ask("slots", 0, 4) == []
    assert bench.ask("identity") == bench.ask("root") == bench.ask("provision", b"x") == ["refused", UNKNOWN_COMMAND]


def test_a_provisioned_meter_refuses_every_unsealed_question_and_changes_nothing() -> None:
    bench = Bench()
    before = bench.everything()
    for question in (["read"], ["slots", 0, 1], ["provision", bytes(20)], []):
        line = bench.client.ask_unsealed(cbor.encode_sequence([7, *question]))
        assert bench.say(line) == refused(console.SEALED_ONLY)
    assert bench.everything() == before


def test_a_meter_before_its_life_takes_unsealed_questions_and_no_sealed_one() -> None:
    bench = Bench(boot.boot(TestBoard(None, MemoryEeprom(), blank=True)))
    assert bench.say(bench.client.hello()) == refused(console.NOT_PROVISIONED)
    kind, said = bench.say(bench.client.ask_unsealed(READ))
    assert kind == "plain" and values_of(said)["safe_mode"] == 3
    from tests.firmware.test_keepsake import identity

    line = bench.client.ask_unsealed(cbor.encode_sequence([7, "provision", identity()]))
    assert bench.say(line) == ("plain", cbor.encode_sequence([7, "provisioned"]))
    assert bench.application.ended


@pytest.mark.parametrize("kept", [True, False])
def test_safe_mode_is_sealed_where_the_keepsake_knows_the_key(kept: bool) -> None:
    board, data = provisioned()
    bench = Bench(booted(TestBoard(None, board.eeprom if kept else None)))
    provision = cbor.encode_sequence([7, "provision", data])
    if kept:
        assert bench.say(bench.client.ask_unsealed(READ)) == refused(console.SEALED_ONLY)
        bench.session()
        assert dict(zip(FIELDS, bench.ask("read"), strict=True))["safe_mode"] == 2
        assert bench.ask("provision", data) == ["refused", UNKNOWN_COMMAND]
    else:
        assert bench.say(bench.client.ask_unsealed(READ))[0] == "plain"
        assert bench.say(bench.client.ask_unsealed(provision)) == ("plain", cbor.encode_sequence([7, "refused", 1]))
    assert bench.board.formats == 0


def test_no_answer_holds_a_key_or_the_identity() -> None:
    """Whatever is asked, of a meter that lives and of one in safe mode: neither root, nor a key, nor the identity."""
    board, data = provisioned()
    meter = booted(board)
    secrets = [KEY, meter.keys.up.up_key, meter.keys.up.down_key, meter.keys.up.common_iv, data[:24]]
    for application in (meter, booted(TestBoard(None, board.eeprom))):
        bench = Bench(application).session()
        secrets.append(console.console_key(KEY, METER_ID, 1))
        for question in ([], ["read"], ["slots", 0, 16], ["identity"], ["root"], ["keys"], ["read", "root"], [b"read"]):
            _, said = bench.say(bench.client.ask(cbor.encode_sequence([7, *question])))
            assert not [secret for secret in secrets if secret in said]


# What the wrong key costs ---------------------------------------------------------------------------------------------
def try_wrong_key(bench: Bench) -> Any:
    """A session and a question under another root's key."""
    right, bench.client = bench.client, Client(key_of(bytes(16)), random.Random(2).randbytes)
    greeted = bench.say(bench.client.hello())
    said = greeted if greeted[0] == "refused" else bench.say(bench.client.ask(READ))
    bench.client = right
    return said


def test_wrong_tags_lock_the_port_longer_each_time_and_the_headend_is_told() -> None:
    """Five in a row, then each one: a minute, doubling to an hour. The right key waits too, and then sets it back."""
    bench = Bench()
    assert [try_wrong_key(bench) for _ in range(4)] == [refused(console.WRONG_TAG)] * 4
    waits = []
    for _ in range(9):
        kind, (code, wait_s) = try_wrong_key(bench)
        assert (kind, code) == ("refused", console.LOCKED)
        waits.append(wait_s)
        bench.wait(wait_s - 1)
        assert try_wrong_key(bench) == bench.say(bench.client.hello()) == refused(console.LOCKED, 2)
        bench.wait(2)
    assert waits == [60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600]
    told = [entry for entry, _ in bench.application.events.waiting if entry.code == event_codes.CONSOLE_LOCKED]
    assert [entry.argument for entry in told][-3:] == [11, 12, 13]
    bench.session()
    assert len(bench.ask("read")) == len(FIELDS)
    assert [try_wrong_key(bench) for _ in range(5)] == [refused(console.WRONG_TAG)] * 4 + [refused(console.LOCKED, 60)]


def test_a_wrong_tag_ends_the_session_that_it_was_in() -> None:
    bench = Bench().session()
    line = bench.client.ask(READ)
    bench.port.take(console.to_line(bytes([console.QUESTION]) + bytes(12)))
    assert bench.say(line) == refused(console.NO_SESSION)


def test_a_question_acts_once_and_a_recorded_session_is_worth_nothing() -> None:
    bench = Bench().session()
    recorded = bench.client.ask(READ)
    assert bench.say(recorded)[0] == "answer"
    assert bench.say(recorded) == refused(console.STALE)
    bench.session()
    assert bench.say(recorded) == refused(console.WRONG_TAG)


def test_a_session_ends_after_five_minutes_without_a_question() -> None:
    bench = Bench().session()
    for _ in range(3):
        bench.wait(5 * MINUTE_S - 1)
        assert len(bench.ask("read")) == len(FIELDS)
    bench.wait(5 * MINUTE_S)
    assert bench.ask("read") == refused(console.NO_SESSION)


def test_no_challenge_comes_twice_in_a_life_of_boots_at_the_same_instant() -> None:
    """No source of random bytes is asked: boots, frame counters and sessions make the difference."""
    board, _ = provisioned()
    challenges = []
    for _ in range(20):
        meter = booted(board)
        port = ServicePort(meter)
        for _ in range(5):
            (frame,) = Decoder(1_088).feed(port.take(console.to_line(console.hello(bytes(8)))))
            challenges.append(frame[13:21])
        board.home.now_s = board.started_s  # each boot at its first instant
    lost = TestBoard(None, board.eeprom)
    for _ in range(5):
        port = ServicePort(booted(lost))
        (frame,) = Decoder(1_088).feed(port.take(console.to_line(console.hello(bytes(8)))))
        challenges.append(frame[13:21])
    assert len(set(challenges)) == 105


# Noise ----------------------------------------------------------------------------------------------------------------
BENCH = Bench()


@given(st.lists(st.binary(max_size=80), max_size=5), st.integers(0, 3), st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_noise_and_mutated_lines_never_raise_and_never_change_a_meter(
    chunks: list[bytes], kind: int, mutation: int
) -> None:
    bench = BENCH
    bench.application.console_locked = lambda wrong_tags: None  # what it changes is told above
    bench.port.locked_until_us = 0
    before = bench.everything()
    hello = bench.client.hello()
    lines = [hello, bench.client.ask_unsealed(READ), console.to_line(console.refused(1, 2))]
    if bench.say(hello) is not None and bench.client.session is not None:
        lines.append(bench.client.ask(READ))
    line = bytearray(lines[kind % len(lines)])
    line[mutation % len(line)] ^= 1 << mutation % 7
    for data in (*chunks, bytes(line), b"\0"):
        bench.port.take(data)
    assert bench.everything() == before


# Real processes -------------------------------------------------------------------------------------------------------
def over(meter: Rig, client: Client, line: bytes) -> list[Any]:
    meter.line = b""
    half = len(line) // 2
    meter.advance(link.record(link.CONSOLE, line[:half]), link.record(link.CONSOLE, line[half:]))
    return client.feed(meter.line)


def test_a_sealed_console_under_a_real_micropython_from_the_factory_on(rig: Make) -> None:
    """More heap than elsewhere: here commissioning and the port stand in it together, as bytecode. On an image both are
    frozen, and a process is provisioned by its arguments."""
    meter = rig(opening=opening(500_000), heap="heapsize=96wK")
    meter.start("--sealed-console", provision=False)
    client = Client(key_of(KEY), random.Random(3).randbytes)
    provision = cbor.encode_sequence([7, "provision", meter.provision])
    assert over(meter, client, client.hello()) == [refused(console.NOT_PROVISIONED)]
    assert over(meter, client, client.ask_unsealed(provision)) == [("plain", cbor.encode_sequence([7, "provisioned"]))]
    meter.draw(4)
    assert over(meter, client, client.ask_unsealed(READ)) == [refused(console.SEALED_ONLY)]
    assert over(meter, client, client.hello()) == [("session", (METER_ID, 1))]
    ((kind, said),) = over(meter, client, client.ask(READ))
    values = values_of(said)
    assert (kind, values["volume_l"], values["balance_mills"]) == ("answer", 4, 498_000)


def test_the_port_fits_the_heap_of_64_k_words_beside_the_meter(rig: Make) -> None:
    meter = rig(opening=opening(500_000)).start("--sealed-console")
    client = Client(key_of(KEY), random.Random(5).randbytes)
    for _ in range(3):
        over(meter, client, client.hello())
        meter.draw(3)
        ((_, said),) = over(meter, client, client.ask(READ))
        meter.run(3_600)
    values = values_of(said)
    assert (values["volume_l"], values["boot_count"]) == (9, 1)  # an exhausted heap would have been a boot
    assert values["heap_free_min"] > 4_000  # with the code that answers loaded; half of it in bytes of the real part


def test_a_locked_port_is_told_to_the_headend_at_once(rig: Make) -> None:
    meter = rig(opening=opening(500_000)).start("--sealed-console")
    wrong = Client(key_of(bytes(16)), random.Random(4).randbytes)
    for _ in range(5):
        over(meter, wrong, wrong.hello())
        said = over(meter, wrong, wrong.ask(READ))
    assert said == [refused(console.LOCKED, 60)]
    assert meter.event_codes()[-1] == event_codes.CONSOLE_LOCKED
    meter.kill()


# No room, no end ------------------------------------------------------------------------------------------------------
def test_a_question_beyond_the_longest_there_is_is_not_opened_and_costs_nothing() -> None:
    """1,084 bytes from somebody without a key ran a heap of 40 KB out, and the meter began again."""
    bench = Bench().session()
    before = bench.everything()
    for size in (193, 252):
        assert bench.say(console.to_line(bytes((console.QUESTION, 0, 1)) + bytes(size - 3))) == refused(
            console.MALFORMED
        )
    assert bench.everything() == before
    assert len(bench.ask("read")) == len(FIELDS), "the session goes on"
    assert bench.ask("update-data", U32_MAX, bytes(128)) == ["refused", NOT_ALLOWED], "the longest command is heard"
    assert bench.port.take(console.to_line(bytes((console.QUESTION, 0, 1)) + bytes(250))) == b"", "beyond, all is noise"
    assert bench.port.take(bytes((1,)) * 5_000) == b"" and not bench.port.decoder.held
    bench.port.take(b"\0")
    assert len(bench.ask("read")) == len(FIELDS)


def test_a_frame_that_the_heap_has_no_room_for_is_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench().session()
    before = bench.everything()

    def exhausted(encoded: bytes) -> Any:
        raise MemoryError

    with monkeypatch.context() as tight:
        tight.setattr("protocol.wire.cobs.decode", exhausted)
        assert bench.port.take(console.to_line(bytes((console.QUESTION, 0, 1)) + bytes(1_081))) == b""
    assert bench.everything() == before
    assert len(bench.ask("read")) == len(FIELDS)


def test_a_line_that_never_falls_silent_leaves_the_meter_its_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    monkeypatch.setattr(bench.board, "console_receive", bench.client.hello, raising=False)
    monkeypatch.setattr(bench.board, "console_send", lambda line: None, raising=False)
    monkeypatch.setattr(bench.board, "console_trusted", False, raising=False)
    serve(bench.application)
    assert firmware_console.port_of(bench.application).sessions == firmware_console.PIECES_MAX
