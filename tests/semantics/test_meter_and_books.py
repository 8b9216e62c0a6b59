"""The device's own code against the headend's, through losses at the worst moment (FEATURES B1; A4, B7, C1-C3)."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headend.billing.plans import set_debt_plan
from protocol.rules.calendar import slot_of
from protocol.wire.envelope import read_header
from protocol.wire.messages import UP_DAY, UP_DEVICE, UP_RANGE, Statement
from tests.headend.world import START_SLOT, World
from tests.semantics.home import DAY_S, HOUR_S, Home, always, never

LOGS = (UP_DAY, UP_RANGE)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Callable[..., Home]]:
    """`home(**how)` makes the one Home of a test, 100,000 F in its wallet; `tariff` publishes prices before it."""
    world = World(tmp_path, random.Random(1))

    def make(tariff: dict[str, Any] | None = None, late: str = "waive", **how: Any) -> Home:
        if tariff is not None:
            world.publish({"utc_offset_minutes": 60, **tariff}, START_SLOT - 48, late)
        made = Home(world, **how)
        world.pay(made.number, 100_000, "top-up")
        return made

    yield make
    world.close()


def lose(*types: int) -> Callable[[bytes], bool]:
    """A radio that loses uplinks of these types."""
    return lambda frame: read_header(frame).type not in types


def owe(one: Home, key: str, debt_mills: int, amount_mills: int) -> None:
    one.world.writer.run(lambda tx: set_debt_plan(tx, one.meter_id, key, debt_mills, amount_mills, 0))


def test_a4_an_opening_that_came_a_day_late_starts_the_books_where_it_came(home: Callable[..., Home]) -> None:
    """A4: until then it ran on its grace, a negative limit; no STATEMENT was applied; every litre is charged after."""
    one = home(opened=False, down=never)
    one.live(24)
    assert (one.state.opened, one.state.credited_mills) == (0, 0)
    one.down = always
    one.live(24)
    assert one.differences() == {}
    assert one.state.rating.spent_mills == 48 * 5 * 127


def test_c2_a_meter_without_a_clock_loses_nothing_before_its_first_time(home: Callable[..., Home]) -> None:
    """C2, C3, F1: it counts from slot 0, unheard; then every second frame of its log is lost, but no slot is."""
    one = home({"blocks": [[0, 127]], "standing_day": 50}, "debit", clock=False, down=never)
    one.live(40, 3)
    turn = iter(range(10_000))
    one.down = always
    one.up = lambda frame: read_header(frame).type not in LOGS or bool(next(turn) % 2)
    one.live(24)
    one.up = always
    one.live(24)
    assert one.differences() == {}
    assert (one.state.sure, one.state.log_generation) == (1, 1)
    # Two standing days by the meter; by the calendar also those of its days without a clock, and no more.
    corrected = one.world.one("SELECT corrected_mills FROM meter_state")
    assert 50_000 <= corrected <= 2 * 50_000


@pytest.mark.parametrize("lost", [(), (UP_DEVICE,), LOGS])
def test_b7_a_second_plan_with_other_instalments(home: Callable[..., Home], lost: tuple[int, ...]) -> None:
    """B7: 1,000 F a day, then 300 F: R of the books is the meter's though the news of the change is lost for hours."""
    one = home()
    owe(one, "d1", 25_000_000, 1_000_000)
    one.live(60)
    owe(one, "d2", 5_000_000, 300_000)
    one.up = lose(*lost)
    one.live(6)
    one.up = always
    one.live(54)
    assert one.state.collected_mills == 3 * 1_000_000 + 3 * 300_000
    assert one.differences() == {}


def test_d1_a_pack_whose_echo_was_lost_is_not_sent_for_ever(home: Callable[..., Home]) -> None:
    """D1, DESIGN 6: desired state against what the meter echoes; a lost DEVICE is said again when it is asked for."""
    one = home()
    owe(one, "d1", 1_000_000, 1_000)
    one.up = lose(UP_DEVICE)
    one.live(4)
    assert one.world.one("SELECT plan_echo FROM meter_link") == 0
    one.up = always
    one.live(1)
    assert one.world.one("SELECT plan_echo FROM meter_link") == 1


def test_a4_both_copies_of_the_state_gone_is_a_case_and_no_free_water(home: Callable[..., Home]) -> None:
    """A4: the meter speaks again, unopened; the headend has seen a higher S: quarantine, no second OPENING."""
    one = home()
    one.live(24)
    for copy in "ab":
        del one.files.content[f"{copy}/state"]
    one.start()
    one.live(24)
    assert (one.state.opened, one.state.credited_mills) == (0, 0)
    assert one.world.one("SELECT state FROM meter") == "quarantined"
    assert one.world.rows("SELECT kind FROM case_file") == [("went-back",)]
    assert "faults" not in one.differences()


def test_d1_an_acknowledgement_of_slots_that_were_never_logged_is_not_believed(home: Callable[..., Home]) -> None:
    """D1, F1: by it the meter would forget slots that nobody has."""
    one = home(down=never)
    one.live(3)
    state = one.state
    one.meter.downlink._statement(Statement(9, 5, 0, 0, state.open_slot + 1))
    assert (state.acked_slot, state.credited_mills) == (START_SLOT, 5)
    one.meter.downlink._statement(Statement(9, 5, 0, 0, START_SLOT + 1))
    assert state.acked_slot == START_SLOT + 1


@pytest.mark.parametrize("seed", range(4))
def test_two_weeks_of_everything_at_once(home: Callable[..., Home], seed: int) -> None:
    """A1-A3, B1-B8, C1-C3, D1, F1: loss, resets, a dead clock, a wrong clock, tariffs early and late, and money."""
    chance = random.Random(seed)
    one = home({"blocks": [[1_000, 127], [3_000, 279], [0, 448]], "standing_day": 50}, "debit")
    one.up = one.down = lambda frame: chance.random() > 0.3
    acts: tuple[Callable[[], Any], ...] = (
        lambda: one.start(),
        lambda: one.start(clock=False),
        lambda: one.start(error_s=chance.choice((-3 * DAY_S, -2 * HOUR_S, 4 * DAY_S, 5 * HOUR_S))),
        lambda: one.world.pay(one.number, chance.randrange(1, 3_000), f"p{one.now_s}"),
        lambda: one.world.publish(
            {"blocks": [[1_000, chance.choice((100, 150))], [0, 400]], "standing_day": 60, "utc_offset_minutes": 60},
            slot_of(one.now_s) + chance.choice((-96, -10, 0, 48)),
            chance.choice(("waive", "debt", "debit")),
        ),
    )
    for _ in range(60):
        if chance.random() < 0.3:
            chance.choice(acts)()
        one.pulses += chance.choice((0, 0, 3, 60))
        one.run(chance.choice((600, 1_800, HOUR_S, 5 * HOUR_S)))
    one.up = one.down = always
    one.live(12)
    assert (one.state.sure, one.state.refused_frames) == (1, 0)
    one.run(1_800 - one.now_s % 1_800 + 700)
    assert one.differences() == {}
