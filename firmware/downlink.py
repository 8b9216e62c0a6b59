"""Downlinks: tag, then window, then parse, then apply. What is refused changes nothing and is counted (I14).

A STATEMENT, TIME or pack that says nothing new is harmless by its own rule (maximum, version, counter heard); the
window keeps the same frame from being read twice.
"""

from firmware import clock
from firmware.packs import REFUSED, TAKEN, WAITING
from protocol.errors import Refused
from protocol.rules import allowance
from protocol.rules.calendar import SLOTS_PER_DAY
from protocol.wire import event_codes
from protocol.wire.downlinks import decode_down
from protocol.wire.envelope import DOWN, open_frame, read_header
from protocol.wire.messages import Command, Nack, Opening, Pack, Rekey, Statement, Time
from protocol.wire.window import EXTRA_WINDOWS_METER, accept, candidates, is_fresh


class Downlink:
    def __init__(self, meter):
        self.meter = meter

    def take(self, frame):
        """Handle one received frame. True when it was authentic and fresh; then the state must be persisted."""
        state = self.meter.state
        opened = self._open(frame)
        if opened is None:
            state.refused_frames += 1
            return False
        message_type, counter, plaintext = opened
        state.window = accept(state.window, counter)
        self.meter.sync.polls.answered()
        try:
            message = decode_down(message_type, plaintext)
        except Refused:
            state.refused_frames += 1
            return True
        if not self._apply(message_type, message):
            state.refused_frames += 1
        return True

    def _open(self, frame):
        """(type, counter, plaintext) of a frame with a right tag and a fresh counter, else None."""
        meter = self.meter
        if meter.store.counter.lost:
            return None  # nobody knows which counters were used: an old OPENING would be taken again
        try:
            header = read_header(frame)
        except Refused:
            return None
        window = meter.state.window
        for counter in candidates(window, header.seq, EXTRA_WINDOWS_METER):
            for keys in meter.keys.down:
                plaintext = open_frame(keys, DOWN, frame, counter)
                if plaintext is None:
                    continue
                if not is_fresh(window, counter):
                    return None
                meter.keys.heard_under(keys, max(window.highest, counter))
                return header.type, counter, plaintext
        return None

    def _apply(self, message_type, message):
        """False when the message is refused."""
        if isinstance(message, Statement):
            return self._statement(message)
        if isinstance(message, Time):
            return self._time(message)
        if isinstance(message, Pack):
            return self._pack(message_type, message)
        if isinstance(message, Command):
            return self._command(message)
        if isinstance(message, Nack):
            return self.meter.sync.nacked(message)
        if isinstance(message, Rekey):
            return self._rekey(message)
        if isinstance(message, Opening):
            return self._opening(message)
        from firmware.updating import of

        of(self.meter).fragment(message, self.meter.board.now_us())
        return True

    def _pack(self, kind, pack):
        meter = self.meter
        outcome = meter.packs.offer(kind, pack, meter.state.open_slot)
        # A pack that we hold and are offered again: our DEVICE was lost.
        if outcome == TAKEN or (outcome != WAITING and meter.packs.newest_version(kind) >= pack.version):
            meter.sync.device_due = True
        return outcome != REFUSED

    def _command(self, command):
        meter = self.meter
        meter.commands.take(command)
        # A meter that loses its state forgets which commands it did: the floor keeps this one from being heard again.
        meter.store.counter.save(meter.state.window.highest)
        return True

    def _rekey(self, rekey):
        """Uplinks go under the new keys from here on; the event is the first of them, and tells the headend."""
        meter = self.meter
        if not meter.keys.change(rekey.epoch, meter.state.window.highest):
            return False
        meter.events.add(event_codes.KEYS_CHANGED, meter.unix_s(), rekey.epoch)
        return True

    def _statement(self, statement):
        if not self.meter.state.opened:
            return False
        self.meter.wallet.apply_statement(statement)
        self.meter.sync.backlog.acknowledged(statement.log_generation, statement.acked_slot)
        return True

    def _time(self, message):
        meter = self.meter
        outcome, step_s = meter.clock.hear(message.counter, message.unix_s)
        if outcome == clock.STEPPED:
            now_us = meter.board.now_us()
            before_s = meter.clock.unix_s(now_us) - step_s
            meter.commands.clock_stepped(step_s)
            meter.state.allowance = allowance.clock_stepped(meter.state.allowance, meter.rules(), before_s, step_s)
            meter.events.add(event_codes.CLOCK_SET, meter.clock.unix_s(now_us), abs(step_s))
            if meter.clock.slot(now_us) < meter.state.open_slot - SLOTS_PER_DAY:
                meter.slots.new_generation(meter.clock.slot(now_us))
            meter.sync.anchor_due = True
        if outcome in (clock.SLEWED, clock.STEPPED):
            meter.board.set_rtc(meter.unix_s())
        return outcome != clock.IGNORED

    def _opening(self, opening):
        meter = self.meter
        if meter.state.opened or opening.generation != meter.keys.generation:
            return bool(meter.state.opened)
        meter.open_wallet(opening)
        return True
