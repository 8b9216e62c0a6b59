"""A home's meter as the valve policy sees it, and the policies that the scenarios use.

Amounts are in mills: 500 F CFA are 500,000. Times are local at UTC+1 unless a test says otherwise.
"""

from datetime import datetime

from protocol.rules import allowance as allowances
from protocol.rules import reason_codes
from protocol.rules.calendar import Offsets, slot_of
from protocol.rules.decision import Decision, Order, Situation, decide, draw_order
from protocol.rules.policy import NEW, Policy
from tests.rules.packs import NIAMEY

MONDAY_TO_THURSDAY_AND_SUNDAY = 0b1001111
FRIDAY_AND_SATURDAY = 0b0110000
# The Irish table of H01: working days from 17:00 to 09:00, and from Friday 17:00 to Monday 09:00 throughout.
WINDOWS = ((MONDAY_TO_THURSDAY_AND_SUNDAY, 17 * 60, 9 * 60), (FRIDAY_AND_SATURDAY, 17 * 60, 17 * 60))


def unix_s(text: str, offsets: Offsets = NIAMEY) -> int:
    return int(datetime.fromisoformat(text + "+00:00").timestamp()) - 60 * offsets.standard_minutes


POLICY = NEW._replace(
    emergency_mills=500_000,
    emergency_unsure_mills=1_000_000,
    low_credit_mills=300_000,
    windows=WINDOWS,
    window_cap_l=200,
    until_slot=slot_of(unix_s("2027-01-01T00:00")),
    grace_s=1_800,
    jitter_s=900,
)
STRICT = NEW._replace(low_credit_mills=300_000)
LIFELINE = STRICT._replace(lifeline_l_per_day=50)


class Home:
    """A meter's memory between decisions, as the firmware keeps it: balance, allowance and the last reason."""

    def __init__(self, policy: Policy, balance_mills: int, offsets: Offsets = NIAMEY, jitter16: int = 0) -> None:
        self.policy, self.balance_mills, self.offsets, self.jitter16 = policy, balance_mills, offsets, jitter16
        self.allowance = allowances.NEW
        self.sure, self.opened, self.reason = True, True, 0
        self.valve_open, self.tampered, self.battery_critical = True, False, False
        self.order: Order | None = None

    def at(self, text: str, balance_mills: int | None = None) -> Decision:
        """Decide at a local wall time, with a new balance if one is given."""
        return self.at_unix(unix_s(text, self.offsets), balance_mills)

    def at_unix(self, now_s: int, balance_mills: int | None = None) -> Decision:
        if balance_mills is not None:
            self.balance_mills = balance_mills
        self.allowance = allowances.renew(
            self.allowance, self.policy, now_s, self.sure, self.offsets, self.balance_mills
        )
        decision = decide(
            self.policy,
            Situation(
                now_s,
                self.sure,
                self.offsets,
                self.balance_mills,
                self.opened,
                self.allowance,
                self.jitter16,
                self.valve_open,
                self.tampered,
                self.battery_critical,
                self.order,
            ),
        )
        self.reason, self.valve_open = decision.reason, decision.open
        return decision

    def draw(self, litres: int) -> None:
        self.allowance = allowances.draw(self.allowance, self.reason, litres)
        if self.order is not None:
            self.order = draw_order(self.order, self.reason, litres)

    def fire(self, text: str) -> Decision:
        """The customer asks for his own opening, as the meter lets him: while the valve is closed for want of money."""
        now_s = unix_s(text, self.offsets)
        if self.reason in reason_codes.FIRE_OPENS:
            self.allowance = allowances.fire(self.allowance, self.policy, now_s)
        return self.at_unix(now_s)
