"""The valve policy as a table of scenarios (CT-01, CT-02, H01-H05, C2, E1), each with its reason and the refusing side.

Amounts are in mills: 500 F CFA are 500,000. Times are local at UTC+1 unless a test says otherwise.
"""

from datetime import datetime
from typing import NamedTuple

import pytest

from protocol.rules import reason_codes as why
from protocol.rules.calendar import Offsets, slot_of
from protocol.rules.decision import Decision, Situation, jitter_share
from protocol.rules.policy import NEVER_CLOSE_LOCK, WINDOW_NEEDS_CREDIT, Policy
from tests.rules.homes import LIFELINE, POLICY, STRICT, Home, unix_s
from tests.rules.packs import KATHMANDU, NAIROBI, NIAMEY
from tests.rules.test_calendar import paris_offsets

NOON = "2026-11-04T12:00"  # a Wednesday, outside all windows


class Scenario(NamedTuple):
    what: str
    policy: Policy
    balance_mills: int
    is_open: bool
    reason: int
    sure: bool = True
    wallet_opened: bool = True
    lifeline_used_l: int = 0


AT_NOON = [
    Scenario("credit", STRICT, 1, True, why.CREDIT),
    Scenario("exactly nothing", STRICT, 0, False, why.NO_CREDIT),
    Scenario("owing", STRICT, -1, False, why.NO_CREDIT),
    Scenario("emergency, begun", POLICY, 0, True, why.EMERGENCY),
    Scenario("emergency, last mill", POLICY, -499_999, True, why.EMERGENCY),
    Scenario("emergency used up", POLICY, -500_000, False, why.NO_CREDIT),
    Scenario("never close", STRICT._replace(flags=NEVER_CLOSE_LOCK), -(10**9), True, why.NEVER_CLOSE),
    Scenario("never close, in credit", STRICT._replace(flags=NEVER_CLOSE_LOCK), 5, True, why.CREDIT),
    Scenario("lifeline, first litre", LIFELINE, 0, True, why.LIFELINE),
    Scenario("lifeline, last litre", LIFELINE, -9_000, True, why.LIFELINE, lifeline_used_l=49),
    Scenario("lifeline used", LIFELINE, -9_000, False, why.LIFELINE_USED, lifeline_used_l=50),
    Scenario("lifeline untouched by credit", LIFELINE, 1, True, why.CREDIT, lifeline_used_l=50),
    Scenario("unsure, credit", POLICY, 1, True, why.CREDIT, sure=False),
    Scenario("unsure, within E", POLICY, -499_999, True, why.EMERGENCY, sure=False),
    Scenario("unsure, beyond E", POLICY, -999_999, True, why.EMERGENCY, sure=False),
    Scenario("unsure, at E_unsure", POLICY, -1_000_000, False, why.UNSURE_LIMIT, sure=False),
    Scenario("unsure, lifeline", LIFELINE, -1_000_000, True, why.LIFELINE, sure=False),
    Scenario("unsure, lifeline used", LIFELINE, -1, False, why.UNSURE_LIMIT, sure=False, lifeline_used_l=50),
    Scenario("new meter", POLICY, 0, True, why.INSTALLATION, wallet_opened=False),
    Scenario("new meter, grace used up", POLICY, -500_000, False, why.NO_CREDIT, wallet_opened=False),
    Scenario("new meter, unsure", POLICY, -999_999, True, why.INSTALLATION, sure=False, wallet_opened=False),
]


@pytest.mark.parametrize("scenario", AT_NOON, ids=lambda scenario: scenario.what)
def test_ct_01_ct_02_e1_at_noon(scenario: Scenario) -> None:
    """CT-01: a positive balance opens without an operator. CT-02: zero closes, subject to the limit. E1, C2: clocks."""
    home = Home(scenario.policy, scenario.balance_mills)
    home.sure, home.opened = scenario.sure, scenario.wallet_opened
    home.at(NOON)
    home.allowance = home.allowance._replace(lifeline_l=scenario.lifeline_used_l)
    decision = home.at(NOON)
    assert (decision.open, decision.reason) == (scenario.is_open, scenario.reason)


def test_ct_01_a_payment_opens_at_once_even_with_an_unsure_clock() -> None:
    home = Home(STRICT, -1)
    home.sure = False
    assert not home.at(NOON).open
    assert home.at(NOON, 1) == Decision(True, why.CREDIT, True, 0)


@pytest.mark.parametrize(("balance", "low"), [(300_001, False), (300_000, True), (0, True), (-700_000, True)])
def test_the_low_credit_warning_stands_at_and_below_its_threshold(balance: int, low: bool) -> None:
    assert Home(POLICY, balance).at(NOON).low_credit == low


@pytest.mark.parametrize(
    ("when", "is_open", "reason"),
    [
        ("2026-11-06T16:59", False, why.NO_CREDIT),  # Friday, a minute early
        ("2026-11-06T17:00", True, why.FRIENDLY_HOURS),
        ("2026-11-06T17:01", True, why.FRIENDLY_HOURS),  # H01: credit out at 17:01 on Friday stays open
        ("2026-11-07T12:00", True, why.FRIENDLY_HOURS),  # Saturday
        ("2026-11-08T16:59", True, why.FRIENDLY_HOURS),  # Sunday, the day window's last minute
        ("2026-11-09T08:59", True, why.FRIENDLY_HOURS),  # Monday
        ("2026-11-09T09:00", True, why.FRIENDLY_ENDING),  # grace
        ("2026-11-09T09:29", True, why.FRIENDLY_ENDING),
        ("2026-11-09T09:30", False, why.NO_CREDIT),
        ("2026-11-10T03:00", True, why.FRIENDLY_HOURS),  # Tuesday before dawn: Monday's window crosses midnight
        ("2026-11-10T12:00", False, why.NO_CREDIT),
    ],
)
def test_h01_friendly_hours_by_weekday(when: str, is_open: bool, reason: int) -> None:
    """H01: nights and weekends. The home had credit at the hour before and has used its limit now."""
    home = Home(POLICY, 5)
    now_s = unix_s(when)
    for hour in range(72, 0, -1):
        home.at_unix(now_s - 3_600 * hour)
    decision = home.at_unix(now_s, -500_000)
    assert (decision.open, decision.reason) == (is_open, reason)


def test_h01_a_dry_weekend_is_one_stretch_and_says_when_it_ends() -> None:
    home = Home(POLICY, 5, jitter16=32_768)
    home.at("2026-11-06T17:00")
    decision = home.at("2026-11-06T17:01", -500_000)
    assert decision == Decision(True, why.FRIENDLY_HOURS, True, unix_s("2026-11-09T09:00") + 1_800 + 450)
    for hour in range(1, 65):  # to Monday 09:01, a decision an hour
        decision = home.at_unix(unix_s("2026-11-06T17:01") + 3_600 * hour)
        assert decision.open, hour
    assert decision.reason == why.FRIENDLY_ENDING


def test_h02_a_home_dry_before_the_window_is_not_opened_by_it() -> None:
    """Friendly hours keep open, they do not lend each night anew."""
    home = Home(POLICY, -500_000)
    home.at("2026-11-04T16:59")
    for when in ("2026-11-04T17:00", "2026-11-04T23:00", "2026-11-05T08:00"):
        assert home.at(when)[:2] == (False, why.NO_CREDIT)


def test_h02_credit_a_moment_before_the_window_counts() -> None:
    """The first litre after 17:00 may be the one that ends the credit, before any decision inside the window."""
    home = Home(POLICY, 5)
    home.at("2026-11-04T16:59")
    assert home.at("2026-11-04T17:00", -500_000).reason == why.FRIENDLY_HOURS
    assert home.at("2026-11-05T12:00").reason == why.NO_CREDIT
    assert home.at("2026-11-05T17:00").reason == why.NO_CREDIT  # dry at noon: the next night protects no longer


def test_h02_a_payment_inside_the_window_earns_its_protection() -> None:
    home = Home(POLICY, -500_000)
    assert not home.at("2026-11-04T18:00").open
    assert home.at("2026-11-04T19:00", 20_000).reason == why.CREDIT
    assert home.at("2026-11-04T23:00", -500_000)[:2] == (True, why.FRIENDLY_HOURS)


def test_h02_the_flag_asks_for_credit_and_not_for_emergency_credit() -> None:
    """Some schemes protect only who was in credit inside the window; emergency credit is not enough then."""
    for flags, is_open in ((0, True), (WINDOW_NEEDS_CREDIT, False)):
        home = Home(POLICY._replace(flags=flags), -400_000)
        assert home.at("2026-11-04T17:00").reason == why.EMERGENCY
        assert home.at("2026-11-04T18:00", -500_000).open == is_open


def test_h03_meters_do_not_all_close_at_the_same_second() -> None:
    """H03: window end + 30 minutes of grace + this meter's share of 15 minutes of jitter."""
    closings = set()
    for number in range(40):
        home = Home(POLICY, 5, jitter16=jitter_share(number.to_bytes(8, "big")))
        home.at("2026-11-04T17:00")
        home.at("2026-11-04T20:00", -500_000)
        end_s = unix_s("2026-11-05T09:00")
        closes_s = home.at_unix(end_s).until_unix_s
        assert end_s + 1_800 <= closes_s < end_s + 1_800 + 900
        assert home.at_unix(closes_s - 1).open
        assert not home.at_unix(closes_s).open
        closings.add(closes_s)
    assert len(closings) > 30


def test_h03_the_warning_comes_before_the_closing() -> None:
    """Every closing after friendly hours was announced by its reason for the whole grace, with the time it comes."""
    home = Home(POLICY, 5)
    home.at("2026-11-04T17:00")
    home.at("2026-11-04T20:00", -500_000)
    announced = home.at("2026-11-05T09:00")
    assert announced == Decision(True, why.FRIENDLY_ENDING, True, unix_s("2026-11-05T09:30"))
    assert home.at_unix(announced.until_unix_s - 1).open
    assert not home.at_unix(announced.until_unix_s).open


def test_e1_friendly_hours_end_at_their_litre_cap() -> None:
    """E1, H04: 200 litres a window, counted only while friendly hours kept the valve open; all of them are owed."""
    home = Home(POLICY, 5)
    home.at("2026-11-04T17:00")
    home.draw(1_000)  # paid for: counts against nothing
    assert home.at("2026-11-04T20:00", -500_000).reason == why.FRIENDLY_HOURS
    home.draw(199)
    assert home.at("2026-11-04T21:00", -525_273).open
    home.draw(1)
    assert home.at("2026-11-04T21:01")[:2] == (False, why.FRIENDLY_USED)
    assert home.at("2026-11-05T09:10")[:2] == (False, why.FRIENDLY_USED)  # no grace either
    assert home.at("2026-11-05T12:00")[:2] == (False, why.NO_CREDIT)


def test_e1_each_window_of_a_weekend_has_its_own_litres() -> None:
    home = Home(POLICY, 5)
    home.at("2026-11-06T17:00")
    home.at("2026-11-06T18:00", -500_000)
    home.draw(200)
    assert not home.at("2026-11-07T16:59").open
    assert home.at("2026-11-07T17:00")[:2] == (True, why.FRIENDLY_HOURS)


def test_e1_friendly_hours_end_at_until_slot_with_the_same_grace() -> None:
    """E1: no relaxing without an end. The lease ends on Wednesday at midnight, inside a window."""
    lease = POLICY._replace(until_slot=slot_of(unix_s("2026-11-05T00:00")))
    home = Home(lease, 5)
    home.at("2026-11-04T17:00")
    assert home.at("2026-11-04T23:59", -500_000).reason == why.FRIENDLY_HOURS
    assert home.at("2026-11-05T00:00").reason == why.FRIENDLY_ENDING
    assert home.at("2026-11-05T00:30")[:2] == (False, why.NO_CREDIT)
    home = Home(lease, 5)
    home.at("2026-11-05T17:00")
    assert not home.at("2026-11-05T18:00", -500_000).open


def test_e1_a_window_that_begins_after_the_lease_gives_no_grace_either() -> None:
    """The lease ends at 17:00, when a window would have begun; its grace of 30 minutes would still run at 17:01."""
    home = Home(POLICY._replace(until_slot=slot_of(unix_s("2026-11-04T17:00"))), 5)
    home.at("2026-11-04T17:00")
    assert home.at("2026-11-04T17:01", -500_000)[:2] == (False, why.NO_CREDIT)


def test_e1_an_unsure_clock_renews_no_litres_of_friendly_hours() -> None:
    """Else a clock that jumps about would lend a window's litres with every jump."""
    home = Home(POLICY, 5)
    home.at("2026-11-04T17:00")
    home.at("2026-11-04T18:00", -500_000)
    home.draw(200)
    home.sure = False
    home.at("2026-11-05T18:00", -400_000)
    home.sure = True
    assert home.at("2026-11-04T18:01", -500_000)[:2] == (False, why.FRIENDLY_USED)


def test_a_home_that_comes_back_in_the_grace_of_a_window_it_never_saw_has_none() -> None:
    """Off since yesterday evening's window; this morning's grace belongs to a night that it did not count."""
    home = Home(POLICY, 5)
    home.at("2026-11-03T20:00")
    assert home.at("2026-11-05T09:10", -500_000)[:2] == (False, why.NO_CREDIT)


def test_e1_c2_an_unsure_clock_suspends_friendly_hours_and_not_the_wallet() -> None:
    """E1: at the same balance the sure clock protects, the unsure one has only the wider limit, then the lifeline."""
    home = Home(POLICY._replace(lifeline_l_per_day=50), 5)
    home.at("2026-11-04T17:00")
    assert home.at("2026-11-04T20:00", -1_000_000).reason == why.FRIENDLY_HOURS
    home.sure = False
    assert home.at("2026-11-04T20:01").reason == why.LIFELINE
    home.draw(50)
    assert home.at("2026-11-04T20:02")[:2] == (False, why.UNSURE_LIMIT)
    home.sure = True
    assert home.at("2026-11-04T20:03").reason == why.FRIENDLY_HOURS


def test_the_midnight_of_a_lifeline_is_right_across_a_clock_change_and_never_past() -> None:
    """On 25 October Paris has 25 hours. Where clocks go back and forth within an hour, midnight is still ahead."""
    home = Home(LIFELINE, -1, paris_offsets())
    evening_s = int(datetime.fromisoformat("2026-10-25T01:00+02:00").timestamp())
    home.at_unix(evening_s)
    home.draw(50)
    midnight_s = int(datetime.fromisoformat("2026-10-26T00:00+01:00").timestamp())
    assert home.at_unix(evening_s)[1:4:2] == (why.LIFELINE_USED, midnight_s)
    morning_s = int(datetime.fromisoformat("2026-10-25T09:00+00:00").timestamp())
    back_and_forth = Offsets(0, ((slot_of(morning_s), -600), (slot_of(morning_s) + 2, 0)))  # 23:00, then 10:00
    home = Home(LIFELINE, -1, back_and_forth)
    for now_s in range(morning_s - 7_200, morning_s + 7_200, 900):
        home.at_unix(now_s)
        home.draw(50)
        assert home.at_unix(now_s).until_unix_s > now_s


def test_h05_the_lifeline_returns_at_local_midnight() -> None:
    home = Home(LIFELINE, -1)
    assert home.at("2026-11-04T10:00").reason == why.LIFELINE
    home.draw(50)
    closed = home.at("2026-11-04T11:00")
    assert closed == Decision(False, why.LIFELINE_USED, True, unix_s("2026-11-05T00:00"))
    assert not home.at("2026-11-04T23:59").open
    assert home.at("2026-11-05T00:00")[:2] == (True, why.LIFELINE)


def test_a_lifeline_clock_that_was_years_ahead_heals_itself() -> None:
    home = Home(LIFELINE, -1)
    home.at("2056-11-04T10:00")
    home.draw(50)
    assert home.at("2026-11-04T10:00").reason == why.LIFELINE


def test_silence_never_closes_a_home_in_credit_or_within_its_limit() -> None:
    """E1: no decision depends on when the headend was last heard; a year passes in silence."""
    for balance, reason in ((1, why.CREDIT), (-499_999, why.EMERGENCY)):
        home = Home(POLICY, balance)
        for day in range(0, 400, 7):
            assert home.at_unix(unix_s(NOON) + 86_400 * day)[:2] == (True, reason)
    assert not any("heard" in field or "silence" in field for field in Situation._fields)


@pytest.mark.parametrize("offsets", [NIAMEY, NAIROBI, KATHMANDU, Offsets(-300, ())])
def test_friendly_hours_follow_local_time(offsets: Offsets) -> None:
    """17:00 is the customer's 17:00, at UTC+1, +3, +5:45 and -5."""
    home = Home(POLICY, 5, offsets)
    home.at("2026-11-04T16:00")
    assert home.at("2026-11-04T16:59", -500_000).reason == why.NO_CREDIT
    home.at("2026-11-04T17:00", 5)
    assert home.at("2026-11-04T17:01", -500_000).reason == why.FRIENDLY_HOURS


def test_friendly_hours_through_both_clock_changes_of_paris() -> None:
    """On 29 March the night of Saturday is an hour shorter, on 25 October an hour longer; 09:00 stays 09:00."""
    nights = POLICY._replace(windows=((127, 21 * 60, 9 * 60),), until_slot=slot_of(unix_s("2027-01-01T00:00")))
    for evening, morning in (
        ("2026-03-28T21:00+01:00", "2026-03-29T09:00+02:00"),
        ("2026-10-24T21:00+02:00", "2026-10-25T09:00+01:00"),
    ):
        begin_s, end_s = (int(datetime.fromisoformat(text).timestamp()) for text in (evening, morning))
        home = Home(nights, 5, paris_offsets())
        home.at_unix(begin_s - 1)
        home.at_unix(begin_s)
        reasons = [home.at_unix(now_s, -500_000).reason for now_s in range(begin_s, end_s, 600)]
        assert set(reasons) == {why.FRIENDLY_HOURS}
        assert home.at_unix(end_s).reason == why.FRIENDLY_ENDING
        assert home.at_unix(end_s + 1_800)[:2] == (False, why.NO_CREDIT)
