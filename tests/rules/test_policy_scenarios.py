"""The valve's policy as stories (FEATURES B4, domain rules H01-H11, M12, M13, SEMANTICS E1): a row is what happened to
a home, whether its water is on, why, until when, and by the reason what its customer reads (stories.READS).

Amounts are in mills: 500 F CFA are 500,000. Times are local at UTC+1 unless a row says otherwise; 2026-11-06 is a
Friday.
"""

import pytest

from protocol.rules import reason_codes as why
from protocol.rules.calendar import Offsets, day_of_date
from protocol.rules.policy import (
    BATTERY_CLOSES,
    BATTERY_OPENS,
    NEVER_CLOSE_LOCK,
    TAMPER_CLOSES,
    WINDOW_NEEDS_CREDIT,
    check,
)
from protocol.rules.reasons import sentence
from tests.rules.homes import LIFELINE, POLICY, STRICT, unix_s
from tests.rules.packs import KATHMANDU
from tests.rules.stories import (
    CLOSED,
    OPEN,
    READS,
    Story,
    at,
    fire,
    flow,
    hourly,
    meter,
    order_closed,
    order_open,
    policy,
    slot,
    told,
)

DRY = -500_000  # POLICY lends 500 F CFA, under an unsure clock 1,000
LOST = -1_000_000
DUBLIN = Offsets(0, ())  # in winter
# Christmas 2026 is a Friday; the Monday after it is a named day too.
CHRISTMAS = POLICY._replace(
    holidays=tuple(day_of_date(2026, 12, day) for day in (25, 26, 28)),
    holiday_end_min=9 * 60,
    until_slot=slot("2027-02-01T00:00"),
)
WAITING = LIFELINE._replace(jitter_s=900)
PULSED = LIFELINE._replace(pulse_l=10, pause_s=900)
PROTECTED = STRICT._replace(vulnerable_until_slot=slot("2026-12-01T00:00"), vulnerable_l_per_day=150)
AMNESTY = STRICT._replace(amnesty_until_slot=slot("2026-11-20T00:00"), amnesty_cap_l=6_000)
PROLONGED = AMNESTY._replace(amnesty_until_slot=slot("2026-12-20T00:00"))
FIRE = STRICT._replace(fire_s=6 * 3_600, fire_every_days=30, fire_cap_l=2_000)
MAGNET = STRICT._replace(flags=TAMPER_CLOSES)
LAST_OPENS = STRICT._replace(flags=BATTERY_OPENS)
LAST_CLOSES = STRICT._replace(flags=BATTERY_CLOSES)
LOCKED = STRICT._replace(flags=NEVER_CLOSE_LOCK | TAMPER_CLOSES | BATTERY_CLOSES)
NOON, NIGHT = "2026-11-04T12:00", "2026-11-04T20:00"  # a Wednesday
FRIDAY = at("2026-11-06T16:59", 5), at("2026-11-06T17:01", DRY)
CHRISTMAS_EVE = at("2026-12-24T16:59", 5), at("2026-12-24T17:01", DRY)

# fmt: off
STORIES = (
    # What was paid for.
    Story("CT-01", "one mill is left", STRICT, (at(NOON, 1),), OPEN, why.CREDIT),
    Story("CT-02", "nothing is left, and nothing is lent", STRICT, (at(NOON, 0),), CLOSED, why.NO_CREDIT),
    Story("CT-01", "a payment comes", STRICT, (at(NOON, -9), at("2026-11-04T12:01", 1)), OPEN, why.CREDIT),
    Story("CT-02", "the last mill that is lent", POLICY, (at(NOON, DRY + 1),), OPEN, why.EMERGENCY),
    Story("CT-02", "what is lent is used up", POLICY, (at(NOON, DRY),), CLOSED, why.NO_CREDIT),
    Story("E1", "a year without a word from the headend", STRICT, (at(NOON, 1), at("2027-11-04T12:00")),
          OPEN, why.CREDIT),
    Story("A4", "a new meter, no OPENING yet", POLICY, (meter(opened=False), at(NOON, DRY + 1)),
          OPEN, why.INSTALLATION),
    Story("A4", "its grace is used up", POLICY, (meter(opened=False), at(NOON, DRY)), CLOSED, why.NO_CREDIT),
    # An unsure clock lends more and suspends hours; it closes nothing by itself.
    Story("C2", "the clock is lost", POLICY, (at(NOON, DRY + 1), meter(sure=False), at(NOON)), OPEN, why.EMERGENCY),
    Story("E1", "beyond what a sure clock lends", POLICY, (meter(sure=False), at(NOON, LOST + 1)), OPEN, why.EMERGENCY),
    Story("E1", "what an unsure clock lends is used up", POLICY, (meter(sure=False), at(NOON, LOST)),
          CLOSED, why.UNSURE_LIMIT),
    Story("E1", "the clock is lost on Friday night", POLICY, (*FRIDAY, meter(sure=False), at("2026-11-06T18:00", LOST)),
          CLOSED, why.UNSURE_LIMIT),
    Story("E1", "the clock is found again", POLICY, (*FRIDAY, meter(sure=False), at("2026-11-06T18:00", LOST),
          meter(sure=True), at("2026-11-06T19:00")), OPEN, why.FRIENDLY_HOURS, "2026-11-09T09:30"),
    Story("E1", "lost, with a lifeline", LIFELINE, (meter(sure=False), at(NOON, -1)), OPEN, why.LIFELINE),
    # Friendly hours, by the Irish table: nights, and Friday 17:00 to Monday 09:00.
    Story("H01", "Friday 16:59, dry", POLICY, (at("2026-11-06T16:59", DRY),), CLOSED, why.NO_CREDIT),
    Story("H01", "Friday 17:01, dry for a minute", POLICY, FRIDAY, OPEN, why.FRIENDLY_HOURS, "2026-11-09T09:30"),
    Story("H01", "Sunday noon", POLICY, (*FRIDAY, hourly("2026-11-06T18:00", "2026-11-08T12:00"),
          at("2026-11-08T12:00")), OPEN, why.FRIENDLY_HOURS, "2026-11-09T09:30"),
    Story("H03", "Monday 09:00, the warning", POLICY, (*FRIDAY, hourly("2026-11-06T18:00", "2026-11-09T09:00"),
          at("2026-11-09T09:00")), OPEN, why.FRIENDLY_ENDING, "2026-11-09T09:30"),
    Story("H03", "Monday 09:30, its end", POLICY, (*FRIDAY, hourly("2026-11-06T18:00", "2026-11-09T09:30"),
          at("2026-11-09T09:30")), CLOSED, why.NO_CREDIT),
    Story("H03", "the herd: this meter ends 7.5 minutes later", POLICY,
          (*FRIDAY, hourly("2026-11-06T18:00", "2026-11-09T09:30"), at("2026-11-09T09:30")),
          OPEN, why.FRIENDLY_ENDING, "2026-11-09T09:37:30", jitter16=32_768),
    Story("H02", "dry before the night: it lends nothing anew", POLICY, (at("2026-11-04T16:00", DRY), at(NIGHT)),
          CLOSED, why.NO_CREDIT),
    Story("H02", "a payment in the night earns the rest of it", POLICY, (at(NIGHT, DRY), at("2026-11-04T21:00", 9),
          at("2026-11-04T22:00", DRY)), OPEN, why.FRIENDLY_HOURS, "2026-11-05T09:30"),
    Story("H02", "on credit lent, where hours need credit", POLICY._replace(flags=WINDOW_NEEDS_CREDIT),
          (at("2026-11-04T17:00", -1), at(NIGHT, DRY)), CLOSED, why.NO_CREDIT),
    Story("E1", "the litres of the night are used up", POLICY, (at("2026-11-04T17:00", 5), at(NIGHT, DRY), flow(200),
          at("2026-11-04T20:30")), CLOSED, why.FRIENDLY_USED),
    Story("E1", "the friendly hours were not renewed", POLICY._replace(until_slot=slot("2026-11-06T00:00")), FRIDAY,
          CLOSED, why.NO_CREDIT),
    Story("B2", "17:01 is the customer's, at UTC+5:45", POLICY, FRIDAY,
          OPEN, why.FRIENDLY_HOURS, "2026-11-09T09:30", KATHMANDU),
    # Holidays chain with the nights and the weekend around them.
    Story("H01", "Christmas Eve, 17:01", CHRISTMAS, CHRISTMAS_EVE,
          OPEN, why.FRIENDLY_HOURS, "2026-12-29T09:30", DUBLIN),
    Story("H01", "Christmas Day at noon", CHRISTMAS, (*CHRISTMAS_EVE, hourly("2026-12-24T18:00", "2026-12-25T12:00"),
          at("2026-12-25T12:00")), OPEN, why.HOLIDAY, "2026-12-29T09:30", DUBLIN),
    Story("H01", "the named Monday at noon", CHRISTMAS, (at("2026-12-28T08:00", 5), at("2026-12-28T12:00", DRY)),
          OPEN, why.HOLIDAY, "2026-12-29T09:30", DUBLIN),
    Story("H01", "another Monday at noon", CHRISTMAS, (at("2026-12-21T08:00", 5), at("2026-12-21T12:00", DRY)),
          CLOSED, why.NO_CREDIT, offsets=DUBLIN),
    Story("H03", "09:00 after the holidays", CHRISTMAS, (at("2026-12-28T23:00", 5), at("2026-12-29T09:00", DRY)),
          OPEN, why.FRIENDLY_ENDING, "2026-12-29T09:30", DUBLIN),
    Story("E1", "the litres of Christmas Day are used up", CHRISTMAS, (at("2026-12-25T08:00", 5),
          at("2026-12-25T12:00", DRY), flow(200), at("2026-12-25T12:30")), CLOSED, why.FRIENDLY_USED, offsets=DUBLIN),
    Story("H02", "a home that was dry before Christmas", CHRISTMAS, (at("2026-12-24T12:00", DRY),
          at("2026-12-25T12:00")), CLOSED, why.NO_CREDIT, offsets=DUBLIN),
    # The lifeline: so many litres a day, in one run or in pulses; a town's midnight is spread.
    Story("H05", "the first litre", LIFELINE, (at(NOON, -9),), OPEN, why.LIFELINE),
    Story("H05", "the last litre", LIFELINE, (at(NOON, -9), flow(49), at(NOON)), OPEN, why.LIFELINE),
    Story("H05", "used up", LIFELINE, (at(NOON, -9), flow(50), at(NOON)),
          CLOSED, why.LIFELINE_USED, "2026-11-05T00:00"),
    Story("H05", "the next day", LIFELINE, (at(NOON, -9), flow(50), at(NOON), at("2026-11-05T00:00")),
          OPEN, why.LIFELINE),
    Story("H03", "the next day, this meter's turn is at 00:07:30", WAITING, (at(NOON, -9), flow(50), at(NOON),
          at("2026-11-05T00:07:29")), CLOSED, why.REOPENING, "2026-11-05T00:07:30", jitter16=32_768),
    Story("H03", "its turn comes", WAITING, (at(NOON, -9), flow(50), at(NOON), at("2026-11-05T00:07:30")),
          OPEN, why.LIFELINE, jitter16=32_768),
    Story("H03", "no turn to wait for on an unsure clock", WAITING, (meter(valve_open=False, sure=False),
          at("2026-11-05T00:01", -9)), OPEN, why.LIFELINE, jitter16=32_768),
    Story("H03", "a valve that is open at midnight does not wait", WAITING, (at("2026-11-04T23:59", -9),
          at("2026-11-05T00:00")), OPEN, why.LIFELINE, jitter16=32_768),
    Story("H05", "a pulse of 10 litres is over", PULSED, (at(NOON, -9), flow(10), at(NOON)),
          CLOSED, why.LIFELINE_PAUSE, "2026-11-04T12:15"),
    Story("H05", "a litre before its end", PULSED, (at(NOON, -9), flow(9), at(NOON)), OPEN, why.LIFELINE),
    Story("H05", "the next pulse", PULSED, (at(NOON, -9), flow(10), at(NOON), at("2026-11-04T12:15")),
          OPEN, why.LIFELINE),
    Story("H05", "five pulses are the day's litres", PULSED, (at(NOON, -9), flow(50), at(NOON)),
          CLOSED, why.LIFELINE_USED, "2026-11-05T00:00"),
    Story("C1", "the clock is stepped back in a pause", PULSED, (at(NOON, -9), flow(10), at(NOON),
          at("2025-11-04T12:00")), OPEN, why.LIFELINE),
    # A protected home, until its file is reviewed.
    Story("H10", "dry, and protected", PROTECTED, (at(NOON, -9),), OPEN, why.VULNERABLE, "2026-12-01T00:00"),
    Story("H10", "its litres of the day are used up", PROTECTED, (at(NOON, -9), flow(150), at(NOON)),
          CLOSED, why.LIFELINE_USED, "2026-11-05T00:00"),
    Story("H10", "the next day", PROTECTED, (at(NOON, -9), flow(150), at(NOON), at("2026-11-05T00:00")),
          OPEN, why.VULNERABLE, "2026-12-01T00:00"),
    Story("E1", "the date of its review has come", PROTECTED, (at("2026-11-30T23:59", -9), at("2026-12-01T00:00")),
          CLOSED, why.NO_CREDIT),
    Story("E1", "protected, and the clock is lost", PROTECTED, (meter(sure=False), at(NOON, -9)),
          OPEN, why.VULNERABLE, "2026-12-01T00:00"),
    # An amnesty for a town.
    Story("H11", "open for all", AMNESTY, (at(NOON, -9),), OPEN, why.AMNESTY, "2026-11-20T00:00"),
    Story("H11", "it has ended", AMNESTY, (at("2026-11-19T23:59", -9), at("2026-11-20T00:00")), CLOSED, why.NO_CREDIT),
    Story("H11", "its last litre", AMNESTY, (at(NOON, -9), flow(5_999), at(NOON)),
          OPEN, why.AMNESTY, "2026-11-20T00:00"),
    Story("E1", "the litres of the amnesty are used up", AMNESTY, (at(NOON, -9), flow(6_000), at(NOON)),
          CLOSED, why.NO_CREDIT),
    Story("H11", "prolonged, with litres of its own", AMNESTY, (at(NOON, -9), flow(6_000), policy(PROLONGED), at(NOON)),
          OPEN, why.AMNESTY, "2026-12-20T00:00"),
    Story("E1", "withdrawn and given again: no new litres", AMNESTY, (at(NOON, -9), flow(6_000), policy(STRICT),
          at(NOON), policy(AMNESTY), at(NOON)), CLOSED, why.NO_CREDIT),
    Story("E1", "the clock is lost", AMNESTY, (meter(sure=False), at(NOON, -9)), OPEN, why.AMNESTY, "2026-11-20T00:00"),
    # The customer's own opening.
    Story("H08", "a fire at night", FIRE, (at(NIGHT, -9), fire(NIGHT)), OPEN, why.FIRE, "2026-11-05T02:00"),
    Story("H08", "six hours later", FIRE, (at(NIGHT, -9), fire(NIGHT), at("2026-11-05T02:00")), CLOSED, why.NO_CREDIT),
    Story("E1", "the litres of the fire are used up", FIRE, (at(NIGHT, -9), fire(NIGHT), flow(2_000), at(NIGHT)),
          CLOSED, why.NO_CREDIT),
    Story("H08", "a second fire within thirty days", FIRE, (at(NIGHT, -9), fire(NIGHT), at("2026-12-04T19:59"),
          fire("2026-12-04T19:59")), CLOSED, why.NO_CREDIT),
    Story("H08", "a second fire after thirty days", FIRE, (at(NIGHT, -9), fire(NIGHT), at("2026-12-04T20:00"),
          fire("2026-12-04T20:00")), OPEN, why.FIRE, "2026-12-05T02:00"),
    Story("H08", "where there is no such thing", STRICT, (at(NIGHT, -9), fire(NIGHT)), CLOSED, why.NO_CREDIT),
    Story("H08", "against an order to close", FIRE, (order_closed("2026-11-04T23:00"), at(NIGHT, 9), fire(NIGHT)),
          CLOSED, why.ORDERED_CLOSED, "2026-11-04T23:00"),
    Story("H08", "which did not use up his turn", FIRE, (order_closed("2026-11-04T23:00"), at(NIGHT, -9), fire(NIGHT),
          at("2026-11-04T23:00"), fire("2026-11-04T23:01")), OPEN, why.FIRE, "2026-11-05T05:01"),
    # The battery's last reserve is good for one move.
    Story("M12", "an open valve stays open", STRICT, (at(NOON, 5), meter(battery_critical=True), at(NOON, -9)),
          OPEN, why.BATTERY_KEPT),
    Story("M12", "a closed valve stays closed", STRICT, (at(NOON, -9), meter(battery_critical=True), at(NOON)),
          CLOSED, why.NO_CREDIT),
    Story("M12", "until a payment opens it", STRICT, (at(NOON, -9), meter(battery_critical=True), at(NOON, 5)),
          OPEN, why.CREDIT),
    Story("M12", "and it does not close again", STRICT, (at(NOON, -9), meter(battery_critical=True), at(NOON, 5),
          at(NOON, 0)), OPEN, why.BATTERY_KEPT),
    Story("M12", "a utility that opens", LAST_OPENS, (at(NOON, -9), meter(battery_critical=True), at(NOON)),
          OPEN, why.BATTERY_KEPT),
    Story("M12", "a utility that closes", LAST_CLOSES, (at(NOON, 5), meter(battery_critical=True), at(NOON)),
          CLOSED, why.BATTERY_CLOSED),
    Story("M12", "the battery is new", LAST_CLOSES, (meter(battery_critical=True), at(NOON, 5),
          meter(battery_critical=False), at(NOON)), OPEN, why.CREDIT),
    # A magnet alarms; it closes only where the utility says so.
    Story("M13", "a magnet", STRICT, (meter(tampered=True), at(NOON, 5)), OPEN, why.CREDIT),
    Story("M13", "a magnet, where tampering closes", MAGNET, (meter(tampered=True), at(NOON, 5)),
          CLOSED, why.TAMPER_CLOSED),
    Story("M13", "the alarm is over", MAGNET, (meter(tampered=True), at(NOON, 5), meter(tampered=False), at(NOON)),
          OPEN, why.CREDIT),
    # The lock of a jurisdiction that forbids closing.
    Story("H06", "deep in debt", LOCKED, (at(NOON, -(10**9)),), OPEN, why.NEVER_CLOSE),
    Story("H06", "in credit", LOCKED, (at(NOON, 5),), OPEN, why.CREDIT),
    Story("H06", "against an order to close", LOCKED, (order_closed("2026-11-05T00:00"), at(NOON, -9)),
          OPEN, why.NEVER_CLOSE),
    Story("H06", "against a magnet", LOCKED, (meter(tampered=True), at(NOON, -9)), OPEN, why.NEVER_CLOSE),
    Story("H06", "against the last reserve", LOCKED, (meter(battery_critical=True), at(NOON, -9)),
          OPEN, why.NEVER_CLOSE),
    Story("H06", "against an unsure clock", LOCKED, (meter(sure=False), at(NOON, LOST)), OPEN, why.NEVER_CLOSE),
    Story("H06", "in friendly hours, used up", POLICY._replace(flags=NEVER_CLOSE_LOCK), (*FRIDAY, flow(200),
          at("2026-11-06T18:00")), OPEN, why.NEVER_CLOSE),
    # Orders: each has an end, and one to open its litres.
    Story("E1", "ordered open", STRICT, (order_open("2026-11-04T14:00", 100), at(NOON, -9)),
          OPEN, why.ORDERED_OPEN, "2026-11-04T14:00"),
    Story("E1", "its time is over", STRICT, (order_open("2026-11-04T14:00", 100), at(NOON, -9), at("2026-11-04T14:00")),
          CLOSED, why.NO_CREDIT),
    Story("E1", "the litres of the order are used up", STRICT, (order_open("2026-11-04T14:00", 100), at(NOON, -9),
          flow(100), at(NOON)), CLOSED, why.NO_CREDIT),
    Story("CT-01", "in credit it costs no litre of the order", STRICT, (order_open("2026-11-04T14:00", 100),
          at(NOON, 9), flow(100), at(NOON, -9)), OPEN, why.ORDERED_OPEN, "2026-11-04T14:00"),
    Story("D1", "ordered closed, in credit", STRICT, (order_closed("2026-11-04T14:00"), at(NOON, 9)),
          CLOSED, why.ORDERED_CLOSED, "2026-11-04T14:00"),
    Story("D1", "it ends by itself", STRICT, (order_closed("2026-11-04T14:00"), at(NOON, 9), at("2026-11-04T14:00")),
          OPEN, why.CREDIT),
    Story("D1", "ordered closed, then the clock is lost", STRICT, (order_closed("2026-11-04T14:00"),
          meter(sure=False), at(NOON, 9)), OPEN, why.CREDIT),
    Story("D1", "ordered open on an unsure clock", STRICT, (order_open("2026-11-04T14:00", 100), meter(sure=False),
          at(NOON, -9)), OPEN, why.ORDERED_OPEN, "2026-11-04T14:00"),
    Story("M13", "ordered open, where tampering closes", MAGNET, (order_open("2026-11-04T14:00", 9),
          meter(tampered=True), at(NOON, -9)), CLOSED, why.TAMPER_CLOSED),
    Story("C1", "the clock is stepped back by a year", STRICT, (order_closed("2026-11-04T14:00"), at(NOON, 9),
          at("2025-11-04T12:00")), OPEN, why.CREDIT),
)
# fmt: on


@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{story.rule} {story.what}")
def test_the_story_ends_as_it_says(story: Story) -> None:
    check(story.policy)
    decision = told(story)
    until_unix_s = unix_s(story.until, story.offsets) if story.until else 0
    assert (decision.open, decision.reason, decision.until_unix_s) == (story.is_open, story.reason, until_unix_s)
    assert (sentence(decision.reason, "fr"), sentence(decision.reason, "en")) == READS[story.reason]


def test_every_reason_is_told_in_a_story() -> None:
    assert {story.reason for story in STORIES} == set(why.OPEN_REASONS + why.CLOSED_REASONS) == set(READS)


def test_no_two_stories_have_one_name() -> None:
    assert len({(story.rule, story.what) for story in STORIES}) == len(STORIES) > 90
