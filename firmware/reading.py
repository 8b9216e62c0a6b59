"""The meter's answer to "read": its counters and condition, in the order of console_fields.FIELDS."""

import sys

from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF


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
    ]
