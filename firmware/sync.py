"""What the meter says and when: reports, answers to NACKs, events, ANCHOR and DEVICE (SEMANTICS B4, C2, C4, F3).

Two cadences. Reports of every few half-hours go back to the first slot that is not acknowledged, and every one is
answered. The daily cadence is for radios on which a downlink is dear: each slot is sent once, in a frame filled up with
earlier ones, and again only when a NACK asks for it. Everything here only chooses messages: sealing and sending are
meter.py's.
"""

from firmware.backlog import Backlog
from firmware.polls import NEVER_US, SECOND_US, Polls
from firmware.status import status_of
from firmware.version import FIRMWARE_VERSION
from protocol.compat import const
from protocol.rules.calendar import SLOT_S, SLOTS_PER_DAY
from protocol.rules.decision import jitter_share
from protocol.wire.messages import (
    DEVICE_UNOPENED,
    DOWN_PLAN,
    DOWN_POLICY,
    DOWN_TARIFF,
    Anchor,
    Device,
    Event,
    Poll,
)
from protocol.wire.uplinks import encode_up

SPREAD_S = const(300)  # half-hourly reports are spread over five minutes, so that a town does not speak at once
FRAMES_PER_REPORT = const(4)
FRAMES_PER_DAILY_REPORT = const(2)
RESEND_APART_US = const(10000000)
DAILY_RESEND_APART_US = const(300000000)  # a frame of 51 bytes at SF12 within a duty cycle of 1 %
ANCHOR_PERIOD_S = const(604800)
DAILY_ANCHOR_PERIOD_S = const(1209600)  # an uplink a week is a seventh of the daily cadence's airtime
BOOT_ANCHOR_GAP_S = const(900)
ANCHORS_PER_DEVICE = const(4)  # in the daily cadence


class Sync:
    def __init__(self, meter, meter_id):
        self.meter = meter
        self.share = jitter_share(meter_id)
        self.period_changed()
        self.backlog = Backlog(meter)
        self.polls = Polls()
        self.report_us = NEVER_US
        self.resend_us = NEVER_US
        self.resent_us = -self.resend_apart_us
        self.anchors = 0  # since boot
        self.anchor_due = False
        self.device_due = False

    def period_changed(self):
        """Reports come every `state.report_slots` half-hours (CT-05), at a slot and second of this meter's own."""
        report_slots = self.meter.state.report_slots
        self.report_phase = self.share % report_slots
        spread_s = SPREAD_S if report_slots == 1 else SLOT_S - 60
        self.report_delay_us = (self.share * spread_s >> 16) * SECOND_US
        self.daily = report_slots == SLOTS_PER_DAY
        self.resend_apart_us = DAILY_RESEND_APART_US if self.daily else RESEND_APART_US
        self.anchor_period_s = DAILY_ANCHOR_PERIOD_S if self.daily else ANCHOR_PERIOD_S

    # What sets things off --------------------------------------------------------------------------------------------
    def slot_began(self, slot, start_us):
        """A report is due in this slot, at the meter's own second of it."""
        if slot % self.meter.state.report_slots == self.report_phase:
            self.report_us = min(self.report_us, start_us + self.report_delay_us)

    def booted(self, now_us, unix_s):
        """Say that we are back, but not at every boot of a brown-out loop; then what was left unsaid."""
        state = self.meter.state
        if not state.anchor_s or not 0 <= unix_s - state.anchor_s < BOOT_ANCHOR_GAP_S:
            self.anchor_due = True
            state.anchor_s = unix_s
        if self.backlog.unsent_slots() >= SLOTS_PER_DAY if self.daily else state.acked_slot < state.open_slot:
            self.report_us = now_us + self.report_delay_us

    def nacked(self, nack):
        """The headend names slots that it lacks (F3): answered at once, one frame at a time. Always True."""
        if self.meter.state.opened:
            self.backlog.ask(nack.log_generation, nack.ranges)
        if self.backlog.asked:
            self.resend_us = self.resent_us + self.resend_apart_us
        return True

    def next_us(self):
        return min(self.report_us, self.resend_us, self.polls.next_us())

    # What is said now -----------------------------------------------------------------------------------------------
    def due(self, now_us, unix_s):
        """The (type, plaintext) pairs to send at this instant, in order: first what a customer waits for."""
        meter = self.meter
        messages = []
        half_way_us = meter.clock.us_of_slot(0) + self.report_delay_us + SLOT_S * SECOND_US // 2
        if self.polls.due(now_us, half_way_us):
            messages.append(encode_up(Poll()))
            self.device_due = self.device_due or not meter.state.opened  # it says that an OPENING is wanted
        if meter.state.anchor_s and unix_s - meter.state.anchor_s >= self.anchor_period_s:
            self.anchor_due = True
        reporting = now_us >= self.report_us
        anchoring = self.anchor_due
        if anchoring:
            messages.append(encode_up(self.anchor()))
            meter.state.anchor_s = max(unix_s, 1)
            self.anchor_due = False
            self.device_due = self.device_due or not self.daily or self._is_device_turn()
            self.anchors += 1
        if self.device_due or (reporting and not self.daily and self._unheard()):
            messages.append(encode_up(self.device()))
            self.device_due = False
        if meter.commands.result_due:
            messages.append(encode_up(meter.commands.result()))
        self._tell_events(messages, reporting, anchoring)
        if reporting:
            self.report_us = NEVER_US
            messages.extend(self._report())
            self.polls.reported(now_us)
        if now_us >= self.resend_us:
            messages.extend(self.backlog.answer(1))
            self.resent_us = now_us
            self.resend_us = NEVER_US
            if self.backlog.asked:
                self.resend_us = now_us + self.resend_apart_us
        return messages

    def _report(self):
        if not self.meter.state.opened:
            return []
        if self.daily:
            return self.backlog.once(FRAMES_PER_DAILY_REPORT)
        return self.backlog.again(FRAMES_PER_REPORT)

    def _tell_events(self, messages, reporting, anchoring):
        events = self.meter.events
        if not events.waiting:
            return
        if self.daily:
            if events.fills_a_frame() or anchoring:
                messages.append(encode_up(Event(events.take())))
            return
        while events.unsent() or (reporting and events.waiting):
            messages.append(encode_up(Event(events.take())))

    def _is_device_turn(self):
        return self.anchors % ANCHORS_PER_DEVICE == 0 or self._unheard()

    def _unheard(self):
        """Whether nothing of this log is acknowledged: then DEVICE says where it begins."""
        state = self.meter.state
        ours = state.report_generation == state.log_generation
        return state.opened and (not ours or state.acked_slot == state.first_slot)

    def anchor(self):
        state = self.meter.state
        return Anchor(
            state.open_slot,
            state.volume_l - state.open_litres,
            state.credited_mills,
            state.debited_mills,
            state.cut_spent_mills,
            state.cut_collected_mills,
            state.log_generation & 3,
            state.cut_remainder,
            status_of(self.meter, state.sure),
        )

    def device(self):
        state = self.meter.state
        packs = self.meter.packs
        board = self.meter.board
        return Device(
            state.report_generation,
            state.instalments,
            state.statement,
            state.acked_slot,
            packs.newest_version(DOWN_TARIFF),
            packs.newest_version(DOWN_POLICY),
            packs.newest_version(DOWN_PLAN),
            state.boot_count,
            board.reset_cause(),
            board.battery_mv(),
            FIRMWARE_VERSION,
            state.command,
            state.report_slots,
            0 if state.opened else DEVICE_UNOPENED,
        )
