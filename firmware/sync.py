"""What the meter says and when: reports, polls, events, ANCHOR and DEVICE (radio.md's sync, SEMANTICS B4, C2).

Reports go back to the first slot that the headend has not acknowledged, oldest first, as many as the frames of one
report carry; a slot is sent again until a STATEMENT acknowledges it. A customer without water polls on a ladder; the
button polls at once and starts the ladder again. Everything here only chooses messages: sealing and sending are
meter.py's.
"""

from firmware import reports
from firmware.alarms import BURST, LEAK, LOW_BATTERY, TAMPER
from protocol.compat import const
from protocol.rules.calendar import SLOT_S, UTC, slot_phase
from protocol.rules.decision import jitter_share
from protocol.wire.messages import (
    DEVICE_UNOPENED,
    DOWN_PLAN,
    DOWN_POLICY,
    DOWN_TARIFF,
    STATUS_BURST,
    STATUS_CLOCK_UNSURE,
    STATUS_LEAK,
    STATUS_LOW_BATTERY,
    STATUS_LOW_CREDIT,
    STATUS_TAMPER,
    Anchor,
    Device,
    Event,
    Poll,
)
from protocol.wire.uplinks import encode_up

FIRMWARE_VERSION = const(100)  # major x 10000 + minor x 100 + patch

SECOND_US = const(1000000)
SPREAD_S = const(300)  # half-hourly reports are spread over five minutes, so that a town does not speak at once
FRAMES_PER_REPORT = const(4)
FRAMES_PER_DAILY_REPORT = const(2)
ANCHOR_PERIOD_S = const(604800)
BOOT_ANCHOR_GAP_S = const(900)
BUTTON_POLLS_S = (10, 20)
LADDER_S = (60, 120, 300, 600, 900)
LADDER_STEP_S = const(1800)
LADDER_DAY_S = const(86400)
LADDER_LAST_STEP_S = const(21600)
NEVER_US = const(0x7FFFFFFFFFFFFFFF)

STATUS_OF_ALARM = (
    (LEAK, STATUS_LEAK),
    (BURST, STATUS_BURST),
    (TAMPER, STATUS_TAMPER),
    (LOW_BATTERY, STATUS_LOW_BATTERY),
)


def ladder_after(elapsed_s):
    """The second of the ladder's next poll, for a ladder that has run `elapsed_s`."""
    for step_s in LADDER_S:
        if step_s > elapsed_s:
            return step_s
    step = LADDER_STEP_S if elapsed_s < LADDER_DAY_S else LADDER_LAST_STEP_S
    return elapsed_s - elapsed_s % step + step


class Sync:
    def __init__(self, meter, meter_id):
        self.meter = meter
        self.share = jitter_share(meter_id)
        self.period_changed()
        self.report_us = NEVER_US
        self.polls_us = []
        self.ladder_since_us = None
        self.ladder_us = NEVER_US
        self.poll_now = False
        self.anchor_due = False
        self.device_due = False

    def period_changed(self):
        """Reports come every `state.report_slots` half-hours (CT-05), at a slot and second of this meter's own."""
        report_slots = self.meter.state.report_slots
        self.report_phase = self.share % report_slots
        spread_s = SPREAD_S if report_slots == 1 else SLOT_S - 60
        self.report_delay_us = (self.share * spread_s >> 16) * SECOND_US
        self.frames_per_report = FRAMES_PER_REPORT if report_slots == 1 else FRAMES_PER_DAILY_REPORT

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
        if state.acked_slot < state.open_slot:
            self.report_us = now_us + self.report_delay_us

    def pressed(self, now_us):
        self.poll_now = True
        self.polls_us = [now_us + delay_s * SECOND_US for delay_s in BUTTON_POLLS_S]
        if self.ladder_since_us is not None:
            self._start_ladder(now_us)

    def dry(self, is_dry, now_us):
        """Whether the customer waits for credit: the valve is shut, or the meter was never opened."""
        if not is_dry:
            self.ladder_since_us = None
            self.ladder_us = NEVER_US
        elif self.ladder_since_us is None:
            self._start_ladder(now_us)

    def _start_ladder(self, now_us):
        self.ladder_since_us = now_us
        self.ladder_us = now_us + LADDER_S[0] * SECOND_US

    def answered(self):
        """An authentic downlink came: the button's repeats have done their work."""
        self.polls_us = []

    def next_us(self):
        next_us = min(self.report_us, self.ladder_us)
        return min(next_us, self.polls_us[0]) if self.polls_us else next_us

    # What is said now -----------------------------------------------------------------------------------------------
    def due(self, now_us, unix_s):
        """The (type, plaintext) pairs to send at this instant, in order."""
        meter = self.meter
        messages = []
        if meter.state.anchor_s and unix_s - meter.state.anchor_s >= ANCHOR_PERIOD_S:
            self.anchor_due = True
        if self.anchor_due:
            messages.append(encode_up(self.anchor()))
            self.device_due = True
            self.anchor_due = False
            meter.state.anchor_s = max(unix_s, 1)
        if self.device_due or (now_us >= self.report_us and self._unheard()):
            messages.append(encode_up(self.device()))
            self.device_due = False
        if meter.commands.result_due:
            messages.append(encode_up(meter.commands.result()))
        if meter.events.fresh:
            messages.append(encode_up(Event(meter.events.take())))
        if now_us >= self.report_us:
            self.report_us = NEVER_US
            messages.extend(self.reports())
            while meter.events.waiting:
                messages.append(encode_up(Event(meter.events.take())))
        if self._poll_due(now_us):
            messages.append(encode_up(Poll()))
        return messages

    def _unheard(self):
        """Whether nothing of this log is acknowledged: then DEVICE says before the report where the log begins."""
        state = self.meter.state
        ours = state.report_generation == state.log_generation
        return state.opened and (not ours or state.acked_slot == state.first_slot)

    def _poll_due(self, now_us):
        due = self.poll_now
        self.poll_now = False
        while self.polls_us and now_us >= self.polls_us[0]:
            self.polls_us.pop(0)
            due = True
        if now_us >= self.ladder_us:
            elapsed_s = (now_us - self.ladder_since_us) // SECOND_US
            self.ladder_us = self.ladder_since_us + ladder_after(elapsed_s) * SECOND_US
            due = True
        return due

    def reports(self):
        """DAY and RANGE messages for the oldest slots not acknowledged."""
        state = self.meter.state
        messages = []
        if not state.opened:
            return messages
        end = state.open_slot if state.report_generation == state.log_generation else state.report_end_slot
        slot = state.acked_slot
        tariff = self.meter.wallet.tariff
        offsets = tariff.offsets if tariff is not None else UTC
        while slot < end and len(messages) < self.frames_per_report:
            first, litres = self.meter.slot_log.run(state.report_generation, slot, end, reports.SLOTS_PER_FRAME_MAX)
            if first is None:
                slot = self.meter.slot_log.first_held(state.report_generation, slot + 1, end)
                continue
            phase = slot_phase(slot, offsets)
            count = reports.count_that_fits(litres, phase, self.meter.board.max_frame)
            last = self.meter.slot_log.find(state.report_generation, slot + count - 1)
            messages.append(reports.build(self._cut(first, last), litres[:count], phase))
            slot += count
        return messages

    def _cut(self, first, last):
        state = self.meter.state
        return reports.Cut(
            state.report_generation,
            first.slot,
            first.volume_l,
            last.spent_mills,
            last.instalments6,
            state.statement,
            first.pack4,
            self.status() & ~STATUS_CLOCK_UNSURE | (0 if first.sure else STATUS_CLOCK_UNSURE),
        )

    def status(self):
        state = self.meter.state
        status = self.meter.valve.position
        if self.meter.low_credit:
            status |= STATUS_LOW_CREDIT
        for alarm, bit in STATUS_OF_ALARM:
            if state.alarms & alarm:
                status |= bit
        return status if state.sure else status | STATUS_CLOCK_UNSURE

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
            self.status(),
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
