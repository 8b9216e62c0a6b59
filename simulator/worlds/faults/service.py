"""What an office orders of meters while everything else goes wrong: other policies, debts, commands, other keys; and
the customer's own button. Nothing of it excuses anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocol.rules.policy import (
    BATTERY_CLOSES,
    BATTERY_OPENS,
    NEVER_CLOSE_LOCK,
    NEW,
    TAMPER_CLOSES,
    WINDOW_NEEDS_CREDIT,
    Policy,
)
from protocol.wire import command_codes as codes

from ...clock import OFFSET_MINUTES
from ..home import WorldHome
from ..scenario import Fault
from .kind import Kind, at_home, often

if TYPE_CHECKING:
    from ..life import Life

_ALL_WEEK = 127
_HOUR_S = 3_600
# (code, argument, cap)
COMMANDS = (
    (codes.VALVE_OPEN, 5 * _HOUR_S, 40),
    (codes.VALVE_CLOSE, 3 * _HOUR_S, 0),
    (codes.VALVE_RELEASE, 0, 0),
    (codes.REPORT_PERIOD, 12, 0),
    (codes.REPORT_PERIOD, 48, 0),
    (codes.TELL, 0, 0),
)


def policies(until_slot: int, today: int) -> tuple[Policy, ...]:
    """What a utility may want, each relaxation with its end and its litres."""
    plain = NEW._replace(low_credit_mills=30_000)
    friendly = {"window_cap_l": 300, "until_slot": until_slot, "grace_s": 600, "jitter_s": 900}
    return (
        plain,
        plain._replace(windows=((_ALL_WEEK, 1080, 420),), **friendly),
        plain._replace(holidays=(today + 1, today + 2, today + 9), holiday_end_min=420, **friendly),
        plain._replace(lifeline_l_per_day=20, jitter_s=600),
        plain._replace(lifeline_l_per_day=30, pulse_l=10, pause_s=3_600),
        plain._replace(emergency_mills=20_000, emergency_unsure_mills=40_000),
        plain._replace(flags=NEVER_CLOSE_LOCK),
        plain._replace(flags=TAMPER_CLOSES),
        plain._replace(vulnerable_until_slot=until_slot, vulnerable_l_per_day=50),
        plain._replace(amnesty_until_slot=until_slot, amnesty_cap_l=500),
        plain._replace(fire_s=2 * _HOUR_S, fire_every_days=3, fire_cap_l=100),
        plain._replace(flags=BATTERY_CLOSES),
        plain._replace(flags=BATTERY_OPENS | WINDOW_NEEDS_CREDIT, windows=((_ALL_WEEK, 480, 1200),), **friendly),
    )


def _policy(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: which of the policies."""
    today = (life.now_slot * 30 + OFFSET_MINUTES) // 1440
    known = policies(life.now_slot + 20 * 48, today)
    wanted = known[fault.a % len(known)]
    life.act("policy", home, lambda: life.office.set_policy(home.meter_id, wanted))


def _debt(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: minor units owed; b: of which the meter takes so many a day."""
    day = life.now_slot // 48 + 1
    key = f"debt-{fault.at_us}-{home.number}"
    told = (key, fault.a * 1000, fault.b * 1000, day)
    life.act("debt", home, lambda: life.office.set_debt_plan(home.meter_id, *told))


def _command(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: which of the commands; b: hours within which it may be done."""
    code, argument, cap = COMMANDS[fault.a]
    lasts_s = fault.b * _HOUR_S
    life.act("command", home, lambda: life.office.command(home.meter_id, code, argument, cap, lasts_s))


def _rekey(life: Life, fault: Fault, home: WorldHome) -> None:
    """Other keys, over the air."""
    life.act("rekey", home, lambda: life.office.rekey(home.meter_id))


def _press(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: how often somebody presses the button."""
    for _ in range(fault.a):
        home.press()


SERVICE = (
    Kind("policy", often("policy", 2, (0, 99)), at_home(_policy), 2),
    Kind("debt_plan", often("debt_plan", 1, (20, 400), (1, 30)), at_home(_debt)),
    Kind("command", often("command", 2, (0, len(COMMANDS) - 1), (1, 200)), at_home(_command)),
    Kind("rekey", often("rekey", 1), at_home(_rekey)),
    Kind("button", often("button", 4, (1, 5)), at_home(_press)),
)
