"""Each watcher, by the id of its rule: what it must see is done to a meter, a frame or the books of a world that was
right, and it is said; the world itself went by without a word (test_checks)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from protocol.wire.envelope import DOWN, UP, seal
from simulator.clock import DAY_US
from simulator.worlds.home import WorldHome
from simulator.worlds.life import Life
from simulator.worlds.watch.durable import DurableWatch
from simulator.worlds.watch.frames import FrameWatch
from simulator.worlds.watch.meters import MeterWatch
from simulator.worlds.watch.reasons import unjustified
from simulator.worlds.watch.topups import TopUpWatch
from simulator.worlds.watch.watch import Watch
from tests.worlds.judged import judged_world


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Life]:
    played = judged_world(tmp_path_factory.mktemp("world"))
    yield played
    played.close()


def rules(watch: Watch) -> set[str]:
    return {finding.check for finding in watch.findings}


Change = Callable[[Any, Any], None]


def _set(name: str, more: int) -> Change:
    return lambda state, home: setattr(state, name, getattr(state, name) + more)


METER: list[tuple[str, Change]] = [
    ("I6", _set("volume_l", -1)),
    ("I6", _set("boot_count", -1)),
    ("I6", lambda state, home: setattr(state, "window", state.window._replace(highest=state.window.highest - 1))),
    ("I6", _set("open_slot", -1)),
    ("I7", lambda state, home: setattr(home, "face", home.face._replace(balance_mills=7))),
    ("I8", _set("credited_mills", -1)),
    ("I8", lambda state, home: setattr(home.meter.application, "unpersisted_l", 11)),
    ("I11", _set("credited_mills", 5_000_000)),
    ("I11", lambda state, home: setattr(state, "valve_intent", 1 - state.valve_intent)),
    ("I10", lambda state, home: setattr(home.valve, "at_permille", 1000 - home.valve.at_permille)),
]


@pytest.mark.parametrize(("rule", "change"), METER, ids=[f"{rule}-{at}" for at, (rule, _) in enumerate(METER)])
def test_a_meter_that_goes_wrong_is_seen(life: Life, rule: str, change: Change) -> None:
    """I6, I7, I8, I10, I11: counters that fall, a face or a valve that lies, credit that is lost or from nowhere."""
    home, watch = life.homes[0], MeterWatch()
    watch.event(life, "face", home, b"")
    watch.event(life, "face", home, b"")
    assert watch.findings == []
    state = home.state
    kept, face, valve = dict(vars(state)), home.face, home.valve.at_permille
    unpersisted_l = home.meter.application.unpersisted_l  # type: ignore[union-attr]
    change(state, home)
    watch.event(life, "face", home, b"")
    vars(state).update(kept)
    home.face, home.valve.at_permille = face, valve
    home.meter.application.unpersisted_l = unpersisted_l  # type: ignore[union-attr]
    assert rule in rules(watch)


def test_water_that_flows_after_it_was_to_be_shut_is_seen(life: Life) -> None:
    """I9: from the moment at which the credit has ended so many litres flow and no more. I10: and a flood through a
    valve that is told to be shut must be told of."""
    home, watch = life.homes[0], MeterWatch()
    state = home.state
    kept, pipe_l, counted_l, valve = dict(vars(state)), home.pipe_l, home.counted_l, home.valve.at_permille
    state.valve_intent, state.valve_reason, home.valve.at_permille = 1, 32, 1000
    state.debited_mills += state.balance_mills
    watch.event(life, "up", home, b"")
    home.pipe_l += 31
    home.counted_l += 121
    watch.event(life, "up", home, b"")
    vars(state).update(kept)
    home.pipe_l, home.counted_l, home.valve.at_permille = pipe_l, counted_l, valve
    assert {"I9", "I10"} <= rules(watch)


@pytest.mark.parametrize(
    ("intent", "reason", "balance_mills"),
    [
        *[(0, 1, 0), (0, 2, 0), (0, 3, 5), (0, 5, 5), (0, 9, 5), (0, 12, 5), (0, 6, 5), (0, 32, 5)],
        *[(1, 1, -1), (1, 32, 1), (1, 35, -1), (1, 36, -1), (1, 37, -1), (1, 38, -1), (1, 39, -1)],
    ],
)
def test_a_valve_without_a_reason_is_seen(life: Life, intent: int, reason: int, balance_mills: int) -> None:
    """I11: neither open nor shut for what does not hold: not in its policy, money left, no order, a sure clock;
    silence, a lost clock or a failed flash are no reasons at all."""
    state = life.homes[0].state
    kept = dict(vars(state))
    state.valve_intent, state.valve_reason, state.order = intent, reason, 0
    said = unjustified(life.homes[0], balance_mills)
    vars(state).update(kept)
    assert said


def frame(home: WorldHome, direction: int, counter: int, text: bytes) -> bytes:
    keys: Any = home.meter.application.keys.up  # type: ignore[union-attr]
    return seal(keys, direction, 2, counter, text)


@pytest.mark.parametrize(("direction", "event"), [(UP, "up"), (DOWN, "down")])
def test_a_counter_that_seals_twice_is_seen(life: Life, direction: int, event: str) -> None:
    """I15: other bytes under the same key, direction and counter; the same bytes again are the same frame, and the same
    low 16 bits of another counter are another counter."""
    home, watch = life.homes[0], FrameWatch()
    for counter, text in ((7, b"a"), (7, b"a"), (8, b"b"), (7 + 65_536, b"c"), (7 + 2 * 65_536, b"d")):
        watch.event(life, event, home, frame(home, direction, counter, text))
    assert watch.findings == []
    watch.event(life, event, home, frame(home, direction, 7 + 2 * 65_536, b"e"))
    assert rules(watch) == {"I15"}


def test_a_frame_beyond_its_length_is_seen(life: Life) -> None:
    """I25."""
    watch = FrameWatch()
    watch.event(life, "up", life.homes[0], bytes(242))
    assert watch.findings == []
    watch.event(life, "up", life.homes[0], bytes(243))
    assert rules(watch) == {"I25"}


def _listen(watch: FrameWatch, life: Life, data: bytes, keeps: bool = True, **values: int) -> None:
    """The first meter hears a frame, and has these values after it; its counter is kept if anything has changed."""
    home, changes = life.homes[0], dict[str, Any](values)
    watch.event(life, "heard", home, data)
    if changes and keeps:
        changes["window"] = home.state.window._replace(highest=home.state.window.highest + 1)
    kept = {name: getattr(home.state, name) for name in changes}
    for name, value in changes.items():
        setattr(home.state, name, value)
    watch.event(life, "listened", home, data)
    for name, value in kept.items():
        setattr(home.state, name, value)


def test_a_frame_that_is_nobodys_and_changes_something_is_seen(life: Life) -> None:
    """I14: a meter may change by what the headend sealed for it, once; by nothing else, and by nothing twice."""
    home, watch = life.homes[0], FrameWatch()
    true = frame(home, DOWN, 900, b"x")
    watch.event(life, "down", home, true)
    _listen(watch, life, b"forged")
    _listen(watch, life, true, credited_mills=10**9)
    assert watch.findings == []
    _listen(watch, life, true, credited_mills=2 * 10**9)
    assert rules(watch) == {"I14"}
    other = FrameWatch()
    _listen(other, life, b"forged", debited_mills=10**9)
    assert rules(other) == {"I14"}


def test_a_frame_whose_counter_is_not_kept_is_seen(life: Life) -> None:
    """I14: it could be brought again."""
    home, watch = life.homes[0], FrameWatch()
    true = frame(home, DOWN, 904, b"x")
    watch.event(life, "down", home, true)
    _listen(watch, life, true, keeps=False, credited_mills=10**9)
    assert rules(watch) == {"I14"}


def test_an_order_to_close_on_a_clock_that_is_not_sure_is_seen(life: Life) -> None:
    """I11: whoever does not know the time closes nothing; what opens is obeyed."""
    home = life.homes[0]
    for code, wrong in ((1, set()), (2, {"I11"})):
        watch, sealed = FrameWatch(), frame(home, DOWN, 905, b"z")
        watch.event(life, "down", home, sealed)
        _listen(watch, life, sealed, command=6, command_code=code, command_outcome=0, sure=0)
        assert rules(watch) == wrong


def test_an_order_that_is_prolonged_without_a_number_is_seen(life: Life) -> None:
    """I24: the same command, done once more."""
    home, watch = life.homes[0], FrameWatch()
    sealed = frame(home, DOWN, 906, b"z")
    watch.event(life, "down", home, sealed)
    _listen(watch, life, sealed, order_until_s=2_000_000_000)
    assert rules(watch) == {"I24"}


def test_an_uplink_that_nobody_sent_or_that_was_taken_twice_is_seen(life: Life) -> None:
    """I14 at the headend."""
    home, watch = life.homes[0], FrameWatch()
    true = frame(home, UP, 900, b"x")
    watch.event(life, "up", home, true)
    watch.event(life, "taken", home, true)
    assert watch.findings == []
    watch.event(life, "taken", home, true)
    watch.event(life, "taken", home, b"forged")
    assert len(watch.findings) == 2
    assert rules(watch) == {"I14"}


def test_a_command_that_is_done_again_is_seen(life: Life) -> None:
    """I24: an order in force without a higher number, and a number that comes to something else."""
    home, watch = life.homes[0], FrameWatch()
    for name, value in (("report_slots", 3), ("order", 2)):
        watch = FrameWatch()
        sealed = frame(home, DOWN, 901, b"y")
        watch.event(life, "down", home, sealed)
        _listen(watch, life, sealed, **{name: value})
        assert rules(watch) == {"I24"}, name
    watch = FrameWatch()
    for counter, outcome in ((902, 1), (903, 2)):
        sealed = frame(home, DOWN, counter, b"z")
        watch.event(life, "down", home, sealed)
        _listen(watch, life, sealed, command=5, command_outcome=outcome)
    assert rules(watch) == {"I24"}


def test_what_was_told_and_is_not_on_disk_is_seen(life: Life) -> None:
    """I13: an uplink more than the books hold, a payment that they do not know. I2: another hash than was written
    down."""
    home = life.homes[0]
    kept = life.office.rows("SELECT count(*) FROM uplink")[0][0]
    watch = DurableWatch()
    for _ in range(kept):
        watch.event(life, "taken", home, b"")
    watch.event(life, "answer", None, b"TX000001 credited")
    watch.event(life, "headend-back", None, b"")
    assert watch.findings == []
    watch.event(life, "taken", home, b"")
    watch.event(life, "answer", None, b"TX999999 credited")
    watch._heads = {1: bytes(32)}
    watch.event(life, "headend-back", None, b"")
    assert rules(watch) == {"I13", "I2"}
    assert len(watch.findings) == 3
    assert life.world.now_us > DAY_US


def test_money_that_does_not_reach_its_meter_is_seen(life: Life) -> None:
    """I22: the fiftieth fair uplink after it was credited is one too many; what was not fair is not counted."""
    home, watch = life.homes[0], TopUpWatch()
    held = home.state.credited_mills
    payment = next(one for one in life.till.payments if one.home == 1 and one.account == home.customer_number)
    home.state.credited_mills = 0
    watch.event(life, "answer", None, f"{payment.transaction} credited".encode())
    home.dark = True
    for _ in range(60):
        watch.event(life, "up", home, b"")
    home.dark = False
    for _ in range(49):
        watch.event(life, "up", home, b"")
    assert watch.findings == []
    watch.event(life, "up", home, b"")
    assert rules(watch) == {"I22"}
    watch = TopUpWatch()
    watch.event(life, "answer", None, f"{payment.transaction} credited".encode())
    for _ in range(7):
        watch.event(life, "up", home, b"")
    home.state.credited_mills = held
    watch.event(life, "listened", home, b"")
    assert (watch.findings, watch.longest) == ([], 7)


def test_the_same_finding_is_said_once_for_each_home(life: Life) -> None:
    watch = Watch()
    for home in (*life.homes, *life.homes):
        watch.say(life, "I6", home, "V", "it fell")
    assert [finding.home for finding in watch.findings] == [1, 2]
