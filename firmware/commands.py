"""COMMAND: what the utility orders from afar. Each id is done once; each is answered by a RESULT (SEMANTICS D1, E1).

An id that is not above the last one is answered again and not done again. An order to the valve has an end, and one to
open a litre cap besides; it is an input of the policy's decision, never a second way to the motor. On an unsure clock
whatever opens or asks is obeyed, even if it may have expired, and closing is refused.
"""

from protocol.compat import const
from protocol.rules import decision
from protocol.rules.calendar import SLOTS_PER_DAY
from protocol.rules.policy import NEVER_CLOSE_LOCK
from protocol.wire import command_codes
from protocol.wire.messages import Result

# What state.order is.
NONE = const(0)
OPEN = const(1)
CLOSED = const(2)
OPEN_UNSURE = const(3)  # ordered on an unsure clock: its end moves with the clock when that is set


class Commands:
    def __init__(self, meter):
        self.meter = meter
        self.result_due = False

    def take(self, command):
        """Do what is news. The state must be persisted before anything is answered."""
        state = self.meter.state
        self.result_due = True
        if command.id <= state.command:
            return
        unix_s = self.meter.unix_s()
        state.command_outcome = carry_out(self.meter, command, unix_s)
        state.command = command.id
        state.command_code = command.code
        state.command_s = unix_s

    def result(self):
        """The RESULT of the last COMMAND."""
        state = self.meter.state
        self.result_due = False
        return Result(state.command, state.command_code, state.command_outcome, state.command_s)

    # The order in force ---------------------------------------------------------------------------------------------
    def order(self, unix_s):
        """The Order in force, or None. An order whose end has come is over, whatever the clock does later. One by cable
        goes before one from afar, which waits behind it."""
        order = self._by_cable(unix_s)
        if order is not None:
            return order
        state = self.meter.state
        if state.order == NONE:
            return None
        if unix_s >= state.order_until_s:
            state.order = NONE
            self.meter.must_persist = True
            return None
        return decision.Order(state.order != CLOSED, state.order_until_s, state.order_litres)

    def _by_cable(self, unix_s):
        port = self.meter.port
        return None if port is None or port.order is None else port.order.in_force(unix_s)

    def flowed(self, litres, unix_s):
        """Litres that flowed: those that an order let through count against its cap."""
        state = self.meter.state
        order = self._by_cable(unix_s)
        if order is not None and order.open:
            self.meter.port.order.flowed(order, state.valve_reason, litres)
            return
        order = self.order(unix_s)
        if order is not None and order.open:
            state.order_litres = decision.draw_order(order, state.valve_reason, litres).litres_left

    def clock_stepped(self, step_s):
        """The clock was set: an order made on an unsure clock keeps what is left of its time."""
        state = self.meter.state
        if state.order == OPEN_UNSURE:
            state.order = OPEN
            state.order_until_s = max(0, state.order_until_s + step_s)


def carry_out(meter, command, unix_s):
    """Do what is ordered, if it may be done; the outcome. Loaded when a command comes and forgotten after it."""
    state = meter.state
    if state.sure and command.expires_unix_s <= unix_s:
        return command_codes.EXPIRED
    if not command_codes.VALVE_OPEN <= command.code <= command_codes.TELL:
        return command_codes.UNKNOWN_CODE
    if not _in_range(command):
        return command_codes.OUT_OF_RANGE
    if command.code == command_codes.VALVE_CLOSE:
        if meter.rules().flags & NEVER_CLOSE_LOCK:
            return command_codes.REFUSED_BY_POLICY
        if not state.sure:
            return command_codes.CLOCK_UNSURE
    if command.code == command_codes.REPORT_PERIOD:
        state.report_slots = command.argument
        meter.sync.period_changed()
        meter.sync.device_due = True
    elif command.code == command_codes.TELL:
        meter.sync.anchor_due = meter.sync.device_due = True
    elif command.code == command_codes.VALVE_RELEASE:
        state.order = NONE
    else:
        state.order = CLOSED
        if command.code == command_codes.VALVE_OPEN:
            state.order = OPEN if state.sure else OPEN_UNSURE
        state.order_until_s = unix_s + command.argument
        state.order_litres = command.limit
    return command_codes.DONE


def _in_range(command):
    """Whether argument and limit are what the code asks for (command_codes.py)."""
    if command.code == command_codes.VALVE_OPEN:
        return 1 <= command.argument <= command_codes.OPEN_S_MAX and command.limit > 0
    if command.limit:
        return False
    if command.code == command_codes.VALVE_CLOSE:
        return 1 <= command.argument <= command_codes.CLOSE_S_MAX
    if command.code == command_codes.REPORT_PERIOD:
        return 1 <= command.argument <= SLOTS_PER_DAY and SLOTS_PER_DAY % command.argument == 0
    return command.argument == 0
