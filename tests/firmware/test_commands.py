"""COMMAND and RESULT: each id is done once, refused where it must be, and answered (SEMANTICS D1, E1; CT-05)."""

from collections.abc import Callable

import pytest

from protocol.rules import reason_codes
from protocol.rules.calendar import slot_of
from protocol.rules.policy import NEVER_CLOSE_LOCK
from protocol.wire.command_codes import (
    CLOCK_UNSURE,
    DONE,
    EXPIRED,
    OUT_OF_RANGE,
    REFUSED_BY_POLICY,
    REPORT_PERIOD,
    TELL,
    UNKNOWN_CODE,
    VALVE_CLOSE,
    VALVE_OPEN,
    VALVE_RELEASE,
)
from protocol.wire.messages import (
    UP_ANCHOR,
    UP_DAY,
    UP_DEVICE,
    UP_EXTENDED,
    UP_RANGE,
    VALVE_CLOSED,
    Command,
    Result,
)
from protocol.wire.messages import VALVE_OPEN as IS_OPEN
from simulator import link
from tests.firmware.rig import MIDNIGHT_S, POLICY, PowerCut, Rig, opening

Make = Callable[..., Rig]
HOUR = 3600
LATER_S = MIDNIGHT_S + 30 * 86_400


def order(meter: Rig, number: int, code: int, argument: int = 0, limit: int = 0, expires_s: int = LATER_S) -> Result:
    """Send a COMMAND; the RESULT that answers it at once."""
    answers = len(meter.sent(UP_EXTENDED))
    meter.hear(meter.books.seal(Command(number, expires_s, code, argument, limit)))
    said = meter.sent(UP_EXTENDED)[answers:]
    assert len(said) == 1
    result: Result = said[0]
    return result


def dry(meter: Rig) -> Rig:
    """A started meter whose credit of one litre is used up."""
    meter.start()
    meter.draw(1)
    assert meter.face["valve"] == VALVE_CLOSED
    return meter


def test_an_order_to_open_ends_by_its_litres(rig: Make) -> None:
    """E1: a cap; the litres are charged like any others, and the reason is shown."""
    meter = dry(rig(opening=opening(500)))
    assert order(meter, 7, VALVE_OPEN, HOUR, 4) == Result(7, VALVE_OPEN, DONE, meter.now_s)
    assert meter.face["reason"] == reason_codes.ORDERED_OPEN
    assert meter.face["until_unix_s"] == meter.now_s + HOUR
    assert meter.draw(100) == 4
    assert (meter.face["valve"], meter.read()["balance_mills"]) == (VALVE_CLOSED, -2_000)


def test_an_order_to_open_ends_by_its_time_and_outlives_a_reset(rig: Make) -> None:
    """E1: an end; the meter wakes for it by itself, to the second."""
    meter = dry(rig(opening=opening(500)))
    order(meter, 7, VALVE_OPEN, HOUR, 100)
    end_s = meter.now_s + HOUR
    meter.draw(3)
    meter.restart()
    meter.run_to(end_s - 1)
    assert meter.face["valve"] == IS_OPEN
    meter.run_to(end_s)
    assert meter.face["valve"] == VALVE_CLOSED
    meter.rtc_error_s = -1800  # a clock that steps back does not bring it to life again
    meter.restart()
    assert meter.face["valve"] == VALVE_CLOSED


def test_the_cap_of_an_order_outlives_a_reset(rig: Make) -> None:
    meter = dry(rig(opening=opening(500)))
    order(meter, 7, VALVE_OPEN, HOUR, 15)
    meter.draw(11)
    meter.restart()
    assert meter.draw(100) == 4


def test_an_order_to_close_holds_against_credit_and_ends_by_itself(rig: Make) -> None:
    meter = rig(opening=opening(100_000)).start()
    assert order(meter, 1, VALVE_CLOSE, HOUR).outcome == DONE
    assert (meter.face["valve"], meter.face["reason"]) == (VALVE_CLOSED, reason_codes.ORDERED_CLOSED)
    end_s = meter.now_s + HOUR
    meter.credit(200_000)
    assert meter.face["valve"] == VALVE_CLOSED
    meter.run_to(end_s)
    assert (meter.face["valve"], meter.face["reason"]) == (IS_OPEN, reason_codes.CREDIT)


def test_release_gives_the_decision_back_to_the_policy(rig: Make) -> None:
    meter = rig(opening=opening(100_000)).start()
    order(meter, 1, VALVE_CLOSE, HOUR)
    assert order(meter, 2, VALVE_RELEASE).outcome == DONE
    assert meter.face["reason"] == reason_codes.CREDIT
    assert order(meter, 3, VALVE_RELEASE).outcome == DONE  # nothing to release is no error


def test_never_close_refuses_the_order_and_lifts_one_in_force(rig: Make) -> None:
    """D1, H06: above every closing."""
    meter = rig(opening=opening(100_000), policy=POLICY._replace(flags=NEVER_CLOSE_LOCK)).start()
    assert order(meter, 1, VALVE_CLOSE, HOUR).outcome == REFUSED_BY_POLICY
    assert meter.face["valve"] == IS_OPEN
    assert meter.read()["command"] == 1


def test_on_an_unsure_clock_opening_obeys_and_closing_refuses(rig: Make) -> None:
    """D1: even an expiry that the clock cannot judge opens; setting the clock leaves the rest of the hour."""
    meter = rig(opening=opening(500))
    meter.rtc_valid = False
    dry(meter)
    assert order(meter, 1, VALVE_CLOSE, HOUR).outcome == CLOCK_UNSURE
    assert order(meter, 2, VALVE_OPEN, HOUR, 50, expires_s=1).outcome == DONE
    assert order(meter, 3, TELL, expires_s=1).outcome == DONE
    ordered_s = meter.now_s
    meter.run(1800)
    for sent_s, counter, _, _ in meter.frames[-2:]:
        meter.hear(meter.books.time(counter, sent_s))
    assert meter.read()["clock_sure"] == 1
    meter.run_to(ordered_s + HOUR - 1)
    assert meter.face["reason"] == reason_codes.ORDERED_OPEN
    meter.run_to(ordered_s + HOUR)
    assert meter.face["valve"] == VALVE_CLOSED


def test_an_order_to_close_rests_while_the_clock_is_unsure(rig: Make) -> None:
    """D1: nobody could tell whether it has ended."""
    meter = rig(opening=opening(100_000)).start()
    order(meter, 1, VALVE_CLOSE, HOUR)
    meter.rtc_valid = False
    meter.restart()
    assert (meter.face["valve"], meter.face["clock_sure"]) == (IS_OPEN, 0)


@pytest.mark.parametrize(
    ("code", "argument", "limit", "outcome"),
    [
        (VALVE_OPEN, 0, 5, OUT_OF_RANGE),
        (VALVE_OPEN, 86_401, 5, OUT_OF_RANGE),
        (VALVE_OPEN, HOUR, 0, OUT_OF_RANGE),
        (VALVE_CLOSE, 604_801, 0, OUT_OF_RANGE),
        (VALVE_CLOSE, 0, 0, OUT_OF_RANGE),
        (VALVE_CLOSE, HOUR, 1, OUT_OF_RANGE),
        (VALVE_RELEASE, 1, 0, OUT_OF_RANGE),
        (REPORT_PERIOD, 0, 0, OUT_OF_RANGE),
        (REPORT_PERIOD, 5, 0, OUT_OF_RANGE),
        (REPORT_PERIOD, 96, 0, OUT_OF_RANGE),
        (TELL, 0, 1, OUT_OF_RANGE),
        (0, 0, 0, UNKNOWN_CODE),
        (6, 0, 0, UNKNOWN_CODE),
        (255, 0, 0, UNKNOWN_CODE),
    ],
)
def test_what_a_code_does_not_allow_changes_nothing_and_is_answered(
    quiet: Rig, code: int, argument: int, limit: int, outcome: int
) -> None:
    number = quiet.read()["command"] + 1
    assert order(quiet, number, code, argument, limit).outcome == outcome
    assert (quiet.face["valve"], quiet.read()["report_slots"], quiet.read()["command"]) == (IS_OPEN, 1, number)


def test_an_expired_command_is_not_done(quiet: Rig) -> None:
    number = quiet.read()["command"] + 1
    assert order(quiet, number, VALVE_CLOSE, HOUR, expires_s=quiet.now_s).outcome == EXPIRED
    assert quiet.face["valve"] == IS_OPEN


def test_an_old_id_is_answered_again_and_not_done_again(rig: Make) -> None:
    """D1: the RESULT was lost; also after a reset, and with other words under the same id."""
    meter = rig(opening=opening(100_000)).start()
    first = order(meter, 5, VALVE_CLOSE, HOUR)
    order(meter, 6, VALVE_RELEASE)
    meter.restart()
    again = order(meter, 6, VALVE_CLOSE, HOUR)
    assert (again.id, again.code, again.outcome) == (6, VALVE_RELEASE, DONE)
    assert order(meter, first.id, VALVE_CLOSE, HOUR).id == 6
    assert meter.face["valve"] == IS_OPEN
    order(meter, 7, TELL)
    assert meter.sent(UP_DEVICE)[-1].command == 7


def test_tell_says_anchor_and_device_at_once(rig: Make) -> None:
    meter = rig(opening=opening(100_000)).start()
    anchors, devices = len(meter.sent(UP_ANCHOR)), len(meter.sent(UP_DEVICE))
    order(meter, 1, TELL)
    assert (len(meter.sent(UP_ANCHOR)), len(meter.sent(UP_DEVICE))) == (anchors + 1, devices + 1)


def test_the_report_period_is_a_downlink_and_no_slot_is_dropped(rig: Make) -> None:
    """CT-05: from half-hours to six hours and back, across a reset; every half-hour is told all the same."""
    meter = rig(opening=opening(1_000_000)).start()
    meter.run(2 * HOUR)
    assert order(meter, 1, REPORT_PERIOD, 12).outcome == DONE
    meter.restart()
    assert meter.read()["report_slots"] == 12
    meter.credit(1_000_000, acked_slot=slot_of(MIDNIGHT_S) + 2)
    quiet_s = meter.now_s
    meter.run(24 * HOUR)
    reports = [at for at, _, kind, _ in meter.frames if kind in (UP_DAY, UP_RANGE) and at >= quiet_s + 1800]
    instants = {at // 1800 for at in reports}
    assert len(instants) == 4 and {b - a for a, b in zip(sorted(instants), sorted(instants)[1:], strict=False)} == {12}
    order(meter, 2, REPORT_PERIOD, 1)
    meter.run(HOUR)
    assert meter.read()["report_slots"] == 1
    told: set[int] = set()
    for message in meter.sent(UP_DAY, UP_RANGE):
        told.update(range(message.slot14, message.slot14 + len(message.litres)))
    first = slot_of(MIDNIGHT_S) & 0x3FFF
    assert told >= set(range(first, first + 2 * 26))


@pytest.mark.slow
def test_a_cut_at_each_flash_operation_of_a_command_does_it_once_or_not_at_all(rig: Make) -> None:
    """D1: what was answered was done and stays done; what was not answered can be sent again under its id."""
    prepared = rig(opening=opening(100_000)).start()
    prepared.run(10)
    prepared.kill()
    image, window = prepared.flash.read_bytes(), prepared.books.window
    operation, cuts = 0, 0
    while cuts == operation:
        operation += 3
        meter = rig(opening=opening(100_000))
        meter.flash.write_bytes(image)
        meter.now_s = prepared.now_s
        meter.books.window, meter.books.counter = window, 100
        meter.start(provision=False)
        try:
            meter.advance(link.cut_power(operation, link.CUT_TORN))
            meter.hear(meter.books.seal(Command(9, LATER_S, VALVE_CLOSE, HOUR, 0)))
            meter.advance(link.cut_power(1_000_000, link.CUT_TORN))
        except PowerCut:
            cuts += 3
            answered = bool(meter.sent(UP_EXTENDED))
            meter.restart()
            assert meter.read()["command"] == 9 or not answered
        assert order(meter, 9, VALVE_CLOSE, HOUR).outcome == DONE
        assert meter.face["reason"] == reason_codes.ORDERED_CLOSED
        meter.kill()
    assert cuts > 10


@pytest.fixture(scope="module")
def quiet(device: object, tmp_path_factory: pytest.TempPathFactory) -> object:
    """One meter with credit for all refusals: they change nothing."""
    with Rig(device, tmp_path_factory.mktemp("quiet"), opening=opening(100_000)) as meter:  # type: ignore[arg-type]
        yield meter.start()
