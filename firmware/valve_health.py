"""What a half-hour says of the valve and the pipe: leak-by rate, backflow, and whether the valve is to be exercised.

Called once for each half-hour that ends, so the device loads it for the moment. Leak-by is measured over half-hours in
which the valve stood closed from end to end: a first rate after 12 of them, then one for every 48, told when it comes,
ceases, doubles or halves. A valve that nothing has moved for 30 days is eased a quarter of the way and opened again,
between 2 and 4 in the morning after an hour without flow; only where nothing else is going on (docs/adr/0016).
"""

from firmware.alarms import BACKFLOW, BATTERY_GOOD_MV, CRITICAL_BATTERY, LOW_BATTERY
from firmware.valve import LEAK_BY_PULSES, OWN_MOVES_MAX
from protocol.compat import const
from protocol.rules.calendar import SECONDS_PER_DAY, SLOTS_PER_DAY, UTC, local_second
from protocol.rules.policy import NEVER_CLOSE_LOCK
from protocol.rules.reason_codes import CREDIT
from protocol.wire import event_codes

FIRST_RATE_SLOTS = const(12)
RATE_SLOTS = const(48)
BACKFLOW_ML = const(5000)
BACKFLOW_PULSES = const(3)
EXERCISE_EVERY_S = const(2592000)
NIGHT_FROM_S = const(7200)
NIGHT_TO_S = const(14400)
QUIET_SLOTS = const(2)


def slot_ended(meter, slot, litres, unix_s):
    """`slot` has ended with so many litres, and the meter's open slot is a later one."""
    state = meter.state
    new_day = slot // SLOTS_PER_DAY != state.open_slot // SLOTS_PER_DAY
    if new_day:
        state.own_moves = 0
    _leak_by(meter, slot, litres, unix_s)
    back_ml = meter.register.reverse_of_slot()
    if back_ml >= max(BACKFLOW_ML, BACKFLOW_PULSES * meter.register.pulse_ml):
        meter.alarms.set(BACKFLOW, True, unix_s, back_ml // 1000)
    elif new_day:
        meter.alarms.set(BACKFLOW, False, unix_s)
    if not 0 < state.moved_s <= unix_s:
        state.moved_s = unix_s  # from before this was kept, or before the clock was stepped back: begin to wait now
    if _is_time_to_exercise(meter, litres, unix_s):
        meter.valve.ease(meter.board.now_us())
        meter.must_persist = True


def _leak_by(meter, slot, litres, unix_s):
    state, valve = meter.state, meter.valve
    if valve.whole_slot and valve.is_closed and state.open_slot == slot + 1:
        state.leak_slots += 1
        state.leak_l += litres
        if state.leak_slots == RATE_SLOTS or (state.leak_slots == FIRST_RATE_SLOTS and not state.leak_by_ml_per_h):
            told, rate = state.leak_by_ml_per_h, 0
            if state.leak_l >= LEAK_BY_PULSES * valve.pulse_l:
                rate = state.leak_l * 2000 // state.leak_slots
            if rate >= 2 * told + (not told) or 2 * rate <= told - (not told):
                state.leak_by_ml_per_h = rate
                meter.events.add(event_codes.LEAK_BY_RATE, unix_s, rate)
        if state.leak_slots == RATE_SLOTS:
            state.leak_slots = state.leak_l = 0
    valve.whole_slot = valve.is_closed


def _is_time_to_exercise(meter, litres, unix_s):
    state = meter.state
    if unix_s - state.moved_s < EXERCISE_EVERY_S or state.valve_moving or state.valve_fault:
        return False
    if state.valve_reason != CREDIT or meter.low_credit or meter.until_unix_s or not state.sure:
        return False  # closed or soon to be, or nobody knows what hour it is
    if meter.rules().flags & NEVER_CLOSE_LOCK or state.own_moves + 2 > OWN_MOVES_MAX:
        return False
    if litres or state.dry_slots < QUIET_SLOTS or state.open_litres:
        return False
    if state.alarms & (LOW_BATTERY | CRITICAL_BATTERY) or meter.board.battery_mv() < BATTERY_GOOD_MV:
        return False
    offsets = meter.wallet.tariff.offsets if meter.wallet.tariff is not None else UTC
    return NIGHT_FROM_S <= local_second(unix_s, offsets) % SECONDS_PER_DAY < NIGHT_TO_S
