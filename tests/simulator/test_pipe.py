"""The water at the rig's meter: pulses of their true weight, a tap that gives what the valve lets through, a leak."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator import link
from simulator.clock import HOUR_US, SECOND_US
from simulator.pipe import TRAVEL_US, EndStop, Happening, Pipe, Pulses, TapShut
from simulator.port import Port
from simulator.rig_words import AT_THE_PORT, OPEN_TABLE, TEXTS, Word, understand
from simulator.texts import LANGUAGES

START_US = 10**12


def live(pipe: Pipe, now_us: int) -> tuple[list[Happening], int]:
    """All that happens by itself, and when it was over."""
    happened: list[Happening] = []
    while (due_us := pipe.due_us(now_us)) is not None:
        assert due_us > now_us
        now_us = due_us
        happened += pipe.advance(now_us)
    return happened, now_us


@pytest.mark.parametrize(("weight_l", "counts"), [(1, list(range(8, 28))), (10, [8, 9])])
def test_a_bucket_turns_the_counter_by_the_true_weight_of_a_pulse(weight_l: int, counts: list[int]) -> None:
    pipe = Pipe(weight_l, 7, START_US)
    pipe.open_tap("pour", 20_000, 1000, START_US)
    happened, ended_us = live(pipe, START_US)
    assert [one.count for one in happened if isinstance(one, Pulses)] == counts
    assert happened[-1] == TapShut("pour", 20_000, 20_000)
    assert 20 * SECOND_US <= ended_us - START_US <= 20 * SECOND_US + 100


def test_a_tap_runs_until_the_valve_is_shut_and_what_did_not_make_a_pulse_is_kept() -> None:
    pipe = Pipe(1, 0, START_US)
    pipe.open_tap("draw", 100_000, 1000, START_US)
    pipe.drive(link.MOTOR_CLOSE, START_US)
    happened, now_us = live(pipe, START_US)
    assert EndStop(link.END_CLOSED) in happened and isinstance(happened[-1], TapShut)
    came_ml = TRAVEL_US[link.MOTOR_CLOSE] // 1000
    assert happened[-1].came_ml == came_ml and pipe.pulses == came_ml // 1000
    pipe.open_tap("draw", 1000, 1000, now_us)
    assert pipe.advance(now_us + 1) == [TapShut("draw", 1000, 0)]
    pipe.drive(link.MOTOR_OPEN, now_us)
    _, now_us = live(pipe, now_us)
    pipe.open_tap("draw", 500, 1000, now_us)
    assert Pulses(3) in live(pipe, now_us)[0], "two litres and a half, and now another half"


def test_a_closed_valve_leaks_what_was_said_and_an_open_one_does_not() -> None:
    pipe = Pipe(1, 0, START_US)
    pipe.valve.leak_by(12_000)
    assert pipe.due_us(START_US) is None
    pipe.drive(link.MOTOR_CLOSE, START_US)
    pipe.advance(START_US + 10 * SECOND_US)
    pipe.advance(START_US + 10 * SECOND_US + HOUR_US)
    assert pipe.pulses in (11, 12)
    pipe.valve.heal()
    assert pipe.due_us(START_US + 2 * HOUR_US) is None


def test_a_seized_motor_stalls_and_a_stopped_one_says_nothing() -> None:
    pipe = Pipe(1, 0, START_US)
    pipe.valve.stick()
    pipe.drive(link.MOTOR_CLOSE, START_US)
    assert live(pipe, START_US)[0] == [EndStop(link.END_NONE)]
    pipe.valve.heal()
    pipe.drive(link.MOTOR_CLOSE, START_US + SECOND_US)
    pipe.drive(link.MOTOR_STOP, START_US + 2 * SECOND_US)
    assert pipe.due_us(START_US + 2 * SECOND_US) is None and pipe.valve.position == link.END_NONE


def test_the_words_that_are_told_are_those_that_are_understood() -> None:
    for told, at_the_port in ((OPEN_TABLE, False), (AT_THE_PORT, True)):
        for entry in told.split(","):
            name, *amounts = entry.split()
            line = " ".join([name, *("5" for _ in amounts)])
            assert understand(line, at_the_port=at_the_port) == Word(name, 5 if amounts else 0)
            assert understand(line + " 5", at_the_port=at_the_port) is None
    assert understand("read", at_the_port=True) is None, "the console is sealed"
    assert understand("pour 5", at_the_port=False) is None
    for wrong in ("draw 0", "draw 1001", "draw ٣", "draw", "leak 10000001", "leak -1", "open"):
        assert understand(wrong, at_the_port=True) is None
    assert {len(texts) for texts in TEXTS.values()} == {len(LANGUAGES)}


def test_a_cable_that_is_pulled_takes_what_was_on_its_way_and_comes_back_under_its_name(tmp_path: Path) -> None:
    port = Port(tmp_path / "meter.port")
    with (tmp_path / "meter.port").open("r+b", buffering=0) as line:
        line.write(b"ask")
        assert port.hear() == b"ask" and port.hear() == b""
        port.send(b"answer")
        assert line.read(6) == b"answer"
        port.unplug()
        assert not port.path.exists() and port.sources == [] and port.hear() == b""
        port.send(b"lost")
        with pytest.raises(OSError):
            line.write(b"more") and line.read(1)
    port.plug()
    assert port.path.exists() and len(port.sources) == 1
    port.send(bytes(100_000))  # nobody reads: it does not wait
    port.unplug()
