"""The button: one press asks the headend; five within ten seconds, while the valve is shut, ask for water in an
emergency of the customer's own, if the policy has a fire mode (H08)."""

from protocol.compat import const
from protocol.rules import allowance
from protocol.rules.reason_codes import FIRE_OPENS

FIRE_PRESSES = const(5)
FIRE_WITHIN_US = const(10000000)


class Button:
    def __init__(self, meter):
        self.meter = meter
        self.presses_us = []  # while the valve is shut for want of credit, newest last

    def take(self, now_us, unix_s):
        """Handle the presses since the last call."""
        meter = self.meter
        while meter.board.take_button():
            meter.sync.polls.pressed(now_us)
            meter.valve.pressed(now_us, unix_s)
            if meter.state.valve_reason not in FIRE_OPENS:
                self.presses_us = []
                continue
            self.presses_us = [at_us for at_us in self.presses_us if now_us - at_us <= FIRE_WITHIN_US] + [now_us]
            if len(self.presses_us) >= FIRE_PRESSES:
                self.presses_us = []
                self._fire(unix_s)

    def _fire(self, unix_s):
        meter = self.meter
        meter.state.allowance = allowance.fire(meter.state.allowance, meter.rules(), unix_s)
        meter.must_persist = True
