"""What of the slot log the headend may lack, and the messages that tell it (SEMANTICS C1, C4, F3).

The log is a row of spans: finished log generations of which not all is acknowledged, oldest first, then the open one.
A stretch is told as DAY or RANGE; slots whose records are gone are declared by a GAP. The counters at the ends of a
GAP come from the records around it, so it ends with the first slot after the loss whose record is whole: a record tells
the counters at its end only. Every method names slots of one generation; none sends anything.
"""

from collections import namedtuple

from firmware import reports, slot_log
from firmware.status import status_of
from protocol.compat import const
from protocol.rules.calendar import UTC, slot_phase
from protocol.wire.messages import Gap
from protocol.wire.uplinks import encode_up

GAP_SLOTS_MAX = const(65535)

# A stretch of one log generation; `last` is the ClosedSlot of its last slot, kept in the state as well as in the log.
Span = namedtuple("Span", ("generation", "first_slot", "end_slot", "last"))

# V, S and R at the first second of a slot.
Counters = namedtuple("Counters", ("slot", "volume_l", "spent_mills", "collected_mills"))


def counters_after(closed, slot=None):
    """The Counters at the end of a ClosedSlot: at the start of the next one or, in the next generation, of `slot`."""
    slot = closed.slot + 1 if slot is None else slot
    return Counters(slot, closed.volume_l + closed.litres, closed.spent_mills, closed.collected_mills)


class Backlog:
    def __init__(self, meter):
        self.meter = meter
        self.state = meter.state
        self.log = meter.slot_log
        self.asked = []  # (Span, first slot, end slot) of a NACK, still to be answered

    def begin(self):
        """A wallet's log begins at the open slot, with the counters of this moment; all before it is forgotten."""
        state = self.state
        state.first_slot = state.acked_slot = state.sent_slot = state.open_slot
        state.report_generation = state.sent_generation = state.log_generation
        state.last_record = b""
        state.finished = []
        self.asked = []
        volume_l = state.volume_l - state.open_litres
        self._know(Counters(state.open_slot, volume_l, state.cut_spent_mills, state.cut_collected_mills))

    # What there is to tell ------------------------------------------------------------------------------------------
    def spans(self):
        """Every Span with slots that are not acknowledged, oldest first; the open one is always there."""
        state = self.state
        spans = []
        for first_slot, record in state.finished:
            last = slot_log.decode(record)
            spans.append(Span(last.generation, first_slot, last.slot + 1, last))
        spans.append(Span(state.log_generation, state.first_slot, state.open_slot, slot_log.decode(state.last_record)))
        return spans

    def unacknowledged(self, span):
        return self.state.acked_slot if span.generation == self.state.report_generation else span.first_slot

    def _unsent(self):
        """(Span, slot) of the first slot that was neither sent nor acknowledged, or (None, 0)."""
        state = self.state
        for span in self.spans():
            slot = self.unacknowledged(span)
            if span.generation == state.sent_generation:
                slot = max(slot, state.sent_slot)
            if span.generation >= state.sent_generation and slot < span.end_slot:
                return span, slot
        return None, 0

    def unsent_slots(self):
        """How many slots of the oldest unfinished business were never sent."""
        span, slot = self._unsent()
        return span.end_slot - slot if span is not None else 0

    # What is heard --------------------------------------------------------------------------------------------------
    def acknowledged(self, generation, slot):
        """A STATEMENT says that all before `slot` of `generation` is durable; beyond what we logged it is not ours."""
        state = self.state
        if not state.report_generation <= generation <= state.log_generation:
            return
        while state.report_generation < generation:
            self._next_span()
        span = self.spans()[0]
        if state.acked_slot < slot <= span.end_slot:
            state.acked_slot = slot
            closed = span.last if slot == span.end_slot else self.log.find(generation, slot - 1)
            if closed is not None:
                self._know(counters_after(closed))
        if state.finished and state.acked_slot == span.end_slot:
            self._next_span()

    def _next_span(self):
        """The oldest finished log is acknowledged whole: go on with the next one."""
        state = self.state
        self._know(counters_after(slot_log.decode(state.finished.pop(0)[1])))
        following = self.spans()[0]
        state.report_generation = following.generation
        state.acked_slot = state.known_slot = following.first_slot

    def _know(self, counters):
        state = self.state
        state.known_slot, state.known_volume_l, state.known_spent_mills, state.known_collected_mills = counters

    def ask(self, generation, ranges):
        """A NACK names slots to tell again. One that comes before the last is answered waits for the next NACK."""
        if self.asked:
            return
        span = Span(generation, 0, sum(ranges[-1]), None)  # acknowledged long ago; the ring may hold it
        for one in self.spans():
            if one.generation == generation:
                span = one
        for first_slot, slots in ranges:
            end_slot = min(first_slot + slots, span.end_slot)
            if max(first_slot, span.first_slot) < end_slot:
                self.asked.append((span, max(first_slot, span.first_slot), end_slot))

    # What is told ---------------------------------------------------------------------------------------------------
    def answer(self, frames_max):
        """Messages for slots that a NACK named. Stretches that lie close share a frame, with what is between them."""
        messages = []
        while self.asked and len(messages) < frames_max:
            span, slot, _ = self.asked[0]
            told = self.tell(messages, span, slot, [end_slot for _, _, end_slot in self.asked])
            self.asked = [(span, max(first, told), end_slot) for span, first, end_slot in self.asked if end_slot > told]
        return messages

    def again(self, frames_max):
        """Messages for all that is not acknowledged, oldest first."""
        state = self.state
        messages = []
        for span in self.spans():
            slot = self.unacknowledged(span)
            while slot < span.end_slot and len(messages) < frames_max:
                slot = self.tell(messages, span, slot, (span.end_slot,))
                if (span.generation, slot) > (state.sent_generation, state.sent_slot):
                    state.sent_generation, state.sent_slot = span.generation, slot
        return messages

    def once(self, frames_max):
        """Messages for all that was never sent, each frame filled up backwards with slots not acknowledged.

        After the first, what would not fill a frame waits for the next report, which it shares with that.
        """
        state = self.state
        messages = []
        while len(messages) < frames_max:
            span, slot = self._unsent()
            if span is None:
                break
            message = self._newest(span, slot)
            if message is None:
                slot = self.tell(messages, span, slot, (span.end_slot,))
            elif messages:
                break
            else:
                messages.append(message)
                slot = span.end_slot
            state.sent_generation, state.sent_slot = span.generation, slot
        return messages

    def _newest(self, span, slot):
        """The message of the most slots of one frame that ends with the span and reaches back to `slot` at least; None
        when one frame cannot."""
        at = max(self.unacknowledged(span), span.end_slot - reports.SLOTS_PER_FRAME_MAX)
        while at <= slot:
            first, litres = self.log.run(span.generation, at, span.end_slot, reports.SLOTS_PER_FRAME_MAX)
            at += len(litres)
            if at == span.end_slot:
                break
            if first is None:
                at = self.log.first_held(span.generation, at, span.end_slot)
        else:
            return None
        count = reports.count_that_fits(litres, self._phase(first.slot), self.meter.board.max_frame, True)
        if span.end_slot - count > slot:
            return None
        return self._log_message(first, litres, len(litres) - count, span.last)

    def tell(self, messages, span, slot, ends):
        """Add the message for the slots from `slot` to the last of the ascending `ends` that one frame reaches, or as
        far as it reaches; returns the slot after what it tells."""
        first, litres = self.log.run(span.generation, slot, ends[-1], reports.SLOTS_PER_FRAME_MAX)
        if first is None:
            return self._declare(messages, span, slot)
        told = reach = slot + reports.count_that_fits(litres, self._phase(slot), self.meter.board.max_frame)
        for end_slot in ends:
            if end_slot <= reach:
                told = end_slot
        last = self.log.find(span.generation, told - 1)
        messages.append(self._log_message(first, litres[: told - slot], 0, last))
        return told

    def _log_message(self, first, litres, skipped, last):
        """DAY or RANGE of litres[skipped:]; `litres` are those of `first`, of `last` and of all between them."""
        slot = first.slot + skipped
        cut = reports.Cut(
            first.generation,
            slot,
            first.volume_l + sum(litres[:skipped]),
            last.spent_mills,
            last.instalments,
            self.state.statement,
            first.pack4,
            status_of(self.meter, first.sure),
        )
        return reports.build(cut, litres[skipped:], self._phase(slot))

    def _phase(self, slot):
        tariff = self.meter.wallet.tariff
        return slot_phase(slot, tariff.offsets if tariff is not None else UTC)

    # What is lost ---------------------------------------------------------------------------------------------------
    def _declare(self, messages, span, slot):
        """Add the GAP of the slots from `slot` on that no record tells; returns the slot after it."""
        held = self.log.first_held(span.generation, slot, span.end_slot)
        last = self.log.find(span.generation, held) if held < span.end_slot else span.last
        before = self._counters_at(span, slot)
        if last is None or before is None or last.slot + 1 - before.slot > GAP_SLOTS_MAX:
            return held  # asked for slots of which nothing is known any more
        messages.append(
            encode_up(
                Gap(
                    before.slot,
                    last.slot + 1 - before.slot,
                    last.volume_l + last.litres,
                    before.volume_l & 0xFFFFFF,
                    last.spent_mills,
                    before.spent_mills & 0xFFFFFF,
                    last.collected_mills,
                    before.collected_mills & 0xFFFFFF,
                    last.position_l,
                    span.generation & 3,
                    last.remainder,
                    last.instalments & 63,
                )
            )
        )
        return last.slot + 1

    def _counters_at(self, span, slot):
        """The Counters at the first second of `slot` or of the nearest slot before it where they are known, or None."""
        known = self._known(span)
        is_near = known is not None and known.slot <= slot
        floor = known.slot if is_near else max(0, slot - slot_log.SLOTS_PER_FILE)
        closed = self.log.last_held(span.generation, floor, min(slot, span.end_slot))
        if closed is not None:
            return counters_after(closed)
        return known if is_near else None

    def _known(self, span):
        """Counters that the state keeps: at the first slot not acknowledged, or where a later generation began."""
        state = self.state
        if span.generation == state.report_generation:
            return Counters(
                state.known_slot, state.known_volume_l, state.known_spent_mills, state.known_collected_mills
            )
        for before in self.spans():
            if before.generation + 1 == span.generation and before.last is not None:
                return counters_after(before.last, span.first_slot)
        return None
