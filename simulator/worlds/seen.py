"""One home as a judge sees it: the truth of its pipe, and its meter's own word, read without waking the meter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .books_seen import Books
from .evidence import Counters, HomeSeen
from .excuses import excuses
from .home import WorldHome

if TYPE_CHECKING:
    from .life import Life

_NUMBERS = (
    "volume_l", "volume_ml", "credited_mills", "debited_mills", "collected_mills", "instalments", "statement",
    "opened", "log_generation", "first_slot", "open_slot", "open_litres", "open_sure", "cut_spent_mills",
    "cut_remainder", "cut_collected_mills", "acked_slot", "report_generation", "unix_s", "sure", "valve_intent",
    "valve_moving", "valve_fault", "valve_reason", "alarms", "event_number", "boot_count", "refused_frames",
    "command", "command_code", "command_outcome", "order", "report_slots", "balance_mills",
)  # fmt: skip


def home_seen(life: Life, home: WorldHome, books: Books, struck: frozenset[str]) -> HomeSeen:
    """Everything that is known of a home."""
    state = home.state
    meter = None if state is None else _numbers(home, state)
    row = books.one("meter_state", home.meter_id)
    at_books = None if state is None or row is None else counters_at(home, row["log_generation"], row["frontier_slot"])
    settling = 0 if life.safe else life.settling_uplinks(home)
    return HomeSeen(
        number=home.number,
        plan=home.plan,
        meter_id=home.meter_id,
        customer_number=home.customer_number,
        pipe_l=home.pipe_l,
        counted_l=home.counted_l,
        by_slot_l=dict(home.by_slot_l),
        passes=home.valve.lets_water_through,
        struck=struck,
        excused=excuses(struck) | frozenset(home.excused),
        register_l=home.register_l,
        meter_ids=frozenset({home.meter_id, *(meter_id for meter_id, _, _ in home.hung)}),
        retired=home.retired,
        meter=meter,
        at_books=at_books,
        settled_with=life.settled_with.get(home.number),
        uplinks_settling=settling,
        backlog=life.owed_pages.get(home.number, 0),
    )


def _numbers(home: WorldHome, state: Any) -> dict[str, int]:
    meter: Any = home.meter.application
    return {
        **{name: int(getattr(state, name)) for name in _NUMBERS},
        "spent_mills": state.rating.spent_mills,
        "remainder": state.rating.remainder,
        "position_l": state.rating.position_l,
        "generation": meter.keys.generation,
        "epoch": meter.store.counter.epoch,
        "epoch_before": meter.store.counter.epoch_before,
        "up_next": meter.store.counter.next,
        "down_highest": state.window.highest,
        "pulse_ml": meter.register.pulse_ml,
    }


def counters_at(home: WorldHome, generation: int, slot: int) -> Counters | None:
    """V, S and R of a meter at the first second of a slot, by its own log; None where it knows no more or not yet."""
    state: Any = home.state
    meter: Any = home.meter.application
    if (generation, slot) == (state.log_generation, state.open_slot):
        volume_l = state.volume_l - state.open_litres
        return Counters(slot, volume_l, state.cut_spent_mills, state.cut_collected_mills)
    closed = meter.slot_log.find(generation, slot - 1)
    if closed is None:
        return None
    return Counters(slot, closed.volume_l + closed.litres, closed.spent_mills, closed.collected_mills)
