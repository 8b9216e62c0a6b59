"""The meter's answer to "read": its counters and condition, in the order of console_fields.FIELDS."""

import sys

from protocol.compat import const
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF

# What the flow says of the valve.
UNKNOWN = const(0)
PASSES = const(1)
HOLDS = const(2)


def _inferred(valve):
    """Water came through since it was driven here, or a half-hour of standing closed let none by, or nobody can say."""
    if valve.passed_l:
        return PASSES
    return HOLDS if valve.whole_slot else UNKNOWN


def interpreter():
    return sys.implementation.name


def interpreter_version():
    return ".".join([str(part) for part in sys.implementation.version])


def of(meter):
    state = meter.state
    packs = meter.packs
    return [
        state.volume_l,
        state.credited_mills,
        state.debited_mills,
        state.rating.spent_mills,
        state.collected_mills,
        state.rating.remainder,
        state.balance_mills,
        state.statement,
        state.log_generation,
        state.open_slot,
        state.open_litres,
        state.acked_slot,
        meter.clock.unix_s(meter.board.now_us()),
        state.sure,
        state.opened,
        meter.valve.position,
        state.valve_reason,
        int(meter.low_credit),
        state.alarms,
        packs.version[DOWN_TARIFF],
        packs.version[DOWN_POLICY],
        packs.version[DOWN_PLAN],
        state.instalments,
        state.boot_count,
        state.refused_frames,
        state.command,
        state.command_outcome,
        state.report_slots,
        meter.store.counter.epoch,
        meter.store.bad_copies(),
        0,
        interpreter(),
        interpreter_version(),
        min(meter.heap_free_min, meter.board.heap_free()),
        meter.board.flash_operations(),
        state.valve_intent,
        _inferred(meter.valve),
        state.moves,
        state.motor_ms,
        state.exercises,
        state.leak_by_ml_per_h,
        state.reverse_ml // 1000,
        meter.board.battery_mv(),
        meter.register.pulse_ml,
        meter.board.pulses(),
        state.volume_ml,
        meter.keys.generation,
        state.grant,
        state.grant_sessions,
        int(meter.board.tampered()),
        meter.board.temperature_c10(),
    ]
