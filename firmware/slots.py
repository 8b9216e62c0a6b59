"""The open slot and how it closes: the step from running counters to the log (SEMANTICS C1, C2).

The slot number never decreases within a log generation: a clock that steps back holds the slot open, one that steps
back by more than 48 slots begins a new generation. A slot is flagged by the sureness of the clock at its first second,
and the boundaries of day and month are executed accordingly.
"""

from firmware import slot_log
from protocol.compat import const
from protocol.rules.calendar import slot_start
from protocol.wire import event_codes
from protocol.wire.messages import DOWN_TARIFF

RING_SLOTS = const(4320)


class Slots:
    def __init__(self, meter):
        self.meter = meter

    def advance(self, target):
        """Close slots until `target` is the open one. Each closed slot is on flash before the next is begun."""
        state = self.meter.state
        if target > state.open_slot + RING_SLOTS:
            self.new_generation(target)
            return
        while state.open_slot < target:
            self._close()
            last = state.open_slot + 1 == target
            self.begin(state.open_slot + 1, state.sure if last else state.open_sure)
            self.meter.persist()
            self.meter.slot_log.append(state.last_record)

    def begin(self, slot, sure):
        """Open `slot`: activate packs, then the day's and month's charges, then the instalment."""
        state = self.meter.state
        state.open_slot = slot
        state.open_sure = int(sure)
        self.meter.packs.activate(slot)
        self.meter.wallet.begin_slot(slot, bool(sure))
        self.meter.sync.slot_began(slot, self.meter.clock.us_of_slot(slot))

    def _close(self):
        state = self.meter.state
        closed = slot_log.ClosedSlot(
            state.open_slot,
            state.log_generation,
            state.volume_l - state.open_litres,
            state.open_litres,
            self.meter.packs.version[DOWN_TARIFF] & 15,
            bool(state.open_sure),
            state.instalments,
            state.rating.spent_mills,
            state.collected_mills,
            state.rating.remainder,
            state.rating.position_l,
        )
        state.last_record = slot_log.encode(closed, state.last_record)
        self.meter.alarms.slot_closed(
            state.open_litres, not self.meter.valve.is_closed, slot_start(state.open_slot + 1)
        )
        state.open_litres = 0
        self.cut()

    def cut(self):
        """The counters at this moment are those of the end of the last closed slot."""
        state = self.meter.state
        state.cut_spent_mills = state.rating.spent_mills
        state.cut_remainder = state.rating.remainder
        state.cut_collected_mills = state.collected_mills

    def new_generation(self, slot):
        """Close the open slot for good and go on at `slot` in a new log generation; what is not acknowledged stays
        due."""
        state = self.meter.state
        self._close()
        if state.opened:
            state.finished.append((state.first_slot, state.last_record))
        state.log_generation += 1
        state.first_slot = slot
        self.meter.events.add(event_codes.LOG_GENERATION, slot_start(slot), state.log_generation)
        record = state.last_record
        self.begin(slot, state.sure)
        if not state.opened:
            self.meter.sync.backlog.begin()  # nobody is told of a log without a wallet
        self.meter.persist()
        self.meter.slot_log.append(record)
