"""CT-04: N pulses times the weight is the index, exactly, whatever happens to power, counter and register."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware import state as states
from firmware.register import WRAP_PULSES_MAX, Register, fresh_pulses
from protocol.rules.calendar import slot_of
from protocol.wire.limits import SLOT_LITRES_MAX, VOLUME_MAX
from simulator import link
from tests.firmware.rig import MIDNIGHT_S, Rig, opening

Make = Callable[..., Rig]
U32 = 1 << 32
RICH = opening(100_000_000)

PULSES = st.tuples(st.just("pulses"), st.integers(1, 3_000))
REVERSE = st.tuples(st.just("reverse"), st.integers(1, 50))
REBOOT = st.tuples(st.just("reboot"), st.just(0))
COUNTER_LOST = st.tuples(st.just("counter lost"), st.just(0))
NEXT_SLOT = st.tuples(st.just("next slot"), st.just(0))
LIFE = st.lists(st.one_of(PULSES, REVERSE, REBOOT, COUNTER_LOST, NEXT_SLOT), max_size=60)


class Bench:
    """A counter on a pipe and the register that reads it; the state goes through flash at each reboot."""

    def __init__(self, pulse_ml: int, count: int) -> None:
        self.pulse_ml, self.count, self.back = pulse_ml, count, 0
        self.state = states.State()
        self.state.pulses_taken = count
        self.register = Register(self.state, pulse_ml)
        self.turned = self.turned_back = 0

    def do(self, what: str, number: int) -> None:
        if what == "pulses":
            self.turned += number
            self.count = (self.count + number) % U32
        elif what == "reverse":
            self.turned_back += number
            self.back += number
        elif what == "counter lost" and self.count < U32 - 1 - WRAP_PULSES_MAX:  # see the one doubt below
            self.look()
            if self.state.pulses_taken == self.count:  # else its slot is full, and what waits is in the counter alone
                self.count = self.back = 0
        elif what == "next slot":
            self.look()
            self.state.open_litres = 0
        if what == "reboot":
            self.state = states.decode(self.state.encode())
            self.register = Register(self.state, self.pulse_ml)
        self.look()

    def look(self) -> None:
        self.register.take(self.count)
        self.register.take_back(self.back)

    @property
    def index_ml(self) -> int:
        return self.state.volume_l * 1000 + self.state.volume_ml


@given(
    st.sampled_from((100, 250, 1_000, 10_000)),
    st.one_of(st.integers(0, 10**6), st.integers(U32 - 9_000, U32 - 1)),
    LIFE,
)
def test_pulses_times_weight_is_the_index_exactly(pulse_ml: int, first_count: int, life: list[tuple[str, int]]) -> None:
    """CT-04: across reboots, counters that lost power after they were read, and the counter's own rollover."""
    bench = Bench(pulse_ml, first_count)
    for what, number in life:
        bench.do(what, number)
    for _ in range(60):  # what a slot had no room for waits for the next ones
        bench.do("next slot", 0)
    assert bench.index_ml == bench.turned * pulse_ml
    assert bench.state.reverse_ml == bench.turned_back * pulse_ml


@given(st.integers(0, U32 - 1), st.integers(0, WRAP_PULSES_MAX))
def test_a_counter_that_went_on_is_never_taken_for_one_that_lost_power(taken: int, more: int) -> None:
    assert fresh_pulses(taken, (taken + more) % U32) == more


@given(st.integers(1, U32 - 1 - WRAP_PULSES_MAX), st.integers(0, U32))
def test_a_counter_that_lost_power_far_from_its_end_is_never_taken_for_one_that_went_on(taken: int, below: int) -> None:
    count = below % taken
    assert fresh_pulses(taken, count) == count


def test_the_one_doubt_that_is_left() -> None:
    """A counter that loses its power within its last 65,536 of 4,294,967,296 pulses looks like one that went on."""
    assert fresh_pulses(U32 - 100, 5) == 105
    assert fresh_pulses(U32 - 1 - WRAP_PULSES_MAX, 0) == 0


@given(st.integers(0, 3 * SLOT_LITRES_MAX), st.integers(0, 10**9))
def test_an_opening_keeps_what_was_counted_before_it(counted_l: int, first_index_l: int) -> None:
    """CT-04: what the first slot cannot hold is left in the counter, also before its zero, and follows."""
    bench = Bench(10_000, 0)
    bench.state.volume_l = counted_l - counted_l % 10
    bench.state.pulses_taken = bench.count = 3
    bench.register.rebase(first_index_l)
    for _ in range(5):
        bench.do("next slot", 0)
    assert bench.state.volume_l == first_index_l + counted_l - counted_l % 10


# Real MicroPython -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("reset", [False, True])
def test_the_counter_passes_two_to_the_thirty_second(rig: Make, reset: bool) -> None:
    """CT-04: nobody is awake, or the meter sees every pulse."""
    meter = rig(opening=RICH)
    meter.count = U32 - 4
    meter.start()
    assert meter.read()["volume_l"] == 0
    if reset:
        meter.kill()
        meter.count = 3
        meter.start(provision=False)
    else:
        for _ in range(7):
            meter.count = (meter.count + 1) % U32
            meter.advance(link.pulses(meter.count))
    assert meter.read()["volume_l"] == 7
    meter.restart()
    assert meter.read()["volume_l"] == 7


def test_a_register_of_seven_figures_goes_on_where_the_wheels_would_begin_again(rig: Make) -> None:
    """CT-04, M02: the index has no modulus within a meter's life; the wire carries it whole."""
    meter = rig(opening=opening(100_000_000, volume_l=9_999_998)).start()
    meter.draw(5)
    meter.run(3_600)
    assert meter.read()["volume_l"] == 10_000_003
    century_l = 3_125 * 24 * 366 * 100
    assert century_l < VOLUME_MAX


def test_backwards_is_kept_apart_on_a_real_meter(rig: Make) -> None:
    """CT-04, M03: reverse pulses move neither the index nor the credit, and survive a reset."""
    meter = rig(opening=RICH).start(inputs=(link.reverse_pulses(0),))
    meter.draw(10)
    before = meter.read()
    meter.advance(link.reverse_pulses(8))
    meter.run(3_600)
    meter.kill()
    meter.start(provision=False, inputs=(link.reverse_pulses(9),))
    after = meter.read()
    assert after["reverse_l"] == 9
    assert (after["volume_l"], after["balance_mills"]) == (before["volume_l"], before["balance_mills"])


def test_backwards_is_counted_once_though_its_counter_speaks_late_after_a_reset(rig: Make) -> None:
    """CT-04, M03: a count that nobody has told yet is not a counter that began again at zero."""
    meter = rig(opening=RICH).start(inputs=(link.reverse_pulses(0),))
    meter.advance(link.reverse_pulses(8))
    meter.run(3_600)
    meter.kill()
    meter.start(provision=False)
    meter.run(10)
    meter.advance(link.reverse_pulses(9))
    assert meter.read()["reverse_l"] == 9


# Formats --------------------------------------------------------------------------------------------------------------
def test_a_state_of_format_2_is_read_and_what_came_later_begins_at_nothing() -> None:
    made = states.State()
    for at in range(0, len(states.FIELDS), 2):
        setattr(made, states.FIELDS[at], 1 + at)
    made.open_slot = slot_of(MIDNIGHT_S)
    made.finished = [(7, bytes(48))]
    made.last_record = bytes(range(48))
    whole = made.encode()
    widths = states.FIELDS[1::2]
    kept = 1 + sum(widths[: states.NUMBERS_BEFORE[2]])
    old = states.decode(b"\x02" + whole[1:kept] + whole[1 + sum(widths) :])
    new = states.decode(whole)
    later = states.FIELDS[2 * states.NUMBERS_BEFORE[2] :: 2]
    assert later[0] == "reverse_taken" and states.FIELDS[2 * states.NUMBERS_BEFORE[2] - 2] == "final_move"
    assert {name: getattr(old, name) for name in later} == dict.fromkeys(later, 0)
    assert {n: v for n, v in vars(old).items() if n not in later} == {
        n: v for n, v in vars(new).items() if n not in later
    }
