"""The meter's clock: Unix time from monotone time, and whether it may be believed (SEMANTICS C1-C3).

Sure: the real-time clock kept its supply and agrees with what flash remembers, or TIME has set it. Unsure: it runs on
from the last persisted second, slots are flagged, and no boundary of a day or month is executed.
A TIME names an uplink of ours and the second it was heard. We know the monotone instant we sent it, so the message is
right however late it comes. It slews a sure clock by at most 30 s a day and steps an unsure one; a step of more than a
day needs two TIMEs, about two uplinks, that agree. A TIME before 2020, or further than a meter's life from a clock that
has known the time, is not believed.

The crystal is slow in heat and cold alike: about 34 parts in a thousand million for the square of each kelvin away from
25 degrees, 6 s a day at 70. Where the board knows the temperature the clock makes up for it at each half-hour's start.
"""

from protocol.compat import const
from protocol.rules.calendar import EPOCH_UNIX_S, SLOT_S, slot_of

SECOND_US = const(1000000)
DAY_S = const(86400)
BACK_STEP_S_MAX = const(86400)  # 48 slots
SLEW_S_PER_DAY = const(30)
AGREE_S = const(60)
SENT_KEPT = const(32)
FINISHED_LOGS_MAX = const(3)
KNOWN_SINCE_S = const(1767225600)  # 2026-01-01: a clock that never was set counts from 2020
LIFE_S = const(630720000)  # 20 years
TURNOVER_C10 = const(250)
SLOWER_PPB_PER_K2 = const(34)
SENSED_C10_MAX = const(1250)  # a thermometer that says more, or so much less than nothing, is broken

# What a TIME did.
IGNORED = 0
SLEWED = 1
WAITING = 2
STEPPED = 3


class Clock:
    def __init__(self, state, now_us, rtc):
        """`rtc` is (unix_s, valid) as read at boot."""
        self.state = state
        unix_s, valid = rtc
        remembered_s = state.unix_s
        if not remembered_s:
            believable = valid and unix_s >= EPOCH_UNIX_S
        else:
            believable = valid and remembered_s - BACK_STEP_S_MAX <= unix_s <= remembered_s + DAY_S
        self.state.sure = int(believable)
        start_s = unix_s if believable else max(remembered_s, EPOCH_UNIX_S)
        self.offset_us = start_s * SECOND_US - now_us
        self.sent = []  # (uplink counter, monotone us when it was sent), newest last
        self.waiting = None  # (uplink counter, offset) of a big step that one TIME has asked for
        self.warmed_us = now_us  # until when the crystal's loss is made up for
        self.slower_ppb = -1  # of the crystal at that instant; -1: not known
        self.gained_us = 0  # what was made up for since boot

    def unix_s(self, now_us):
        return (now_us + self.offset_us) // SECOND_US

    def slot(self, now_us):
        return slot_of(self.unix_s(now_us))

    def us_of_slot(self, slot):
        """The monotone instant at which `slot` starts."""
        return (EPOCH_UNIX_S + slot * SLOT_S) * SECOND_US - self.offset_us

    def note_sent(self, counter, now_us):
        self.sent.append((counter, now_us + self.gained_us))
        if len(self.sent) > SENT_KEPT:
            self.sent.pop(0)

    def warm(self, temperature_c10, now_us):
        """Make up for what the crystal lost since the last call, at the mean of its rates then and now; nothing where
        the temperature is not known, or is the one at which crystals are right."""
        before_ppb = self.slower_ppb
        elapsed_us = now_us - self.warmed_us
        self.warmed_us = now_us
        if temperature_c10 is None or abs(temperature_c10) > SENSED_C10_MAX:
            self.slower_ppb = -1
            return
        self.slower_ppb = SLOWER_PPB_PER_K2 * (temperature_c10 - TURNOVER_C10) ** 2 // 100
        if before_ppb < 0:
            before_ppb = self.slower_ppb
        gained_us = elapsed_us * (before_ppb + self.slower_ppb) // 2000000000
        self.gained_us += gained_us
        self.offset_us += gained_us

    def hear(self, counter, heard_unix_s):
        """(what became of it, seconds stepped) for a TIME about our uplink `counter`. No slot is before 2020."""
        if heard_unix_s < EPOCH_UNIX_S:
            return IGNORED, 0
        for sent_counter, sent_us in self.sent:
            if sent_counter == counter:
                return self._apply(counter, heard_unix_s * SECOND_US - sent_us + self.gained_us)
        return IGNORED, 0

    def _apply(self, counter, offset_us):
        step_s = (offset_us - self.offset_us) // SECOND_US
        if self.state.sure:
            return self._slew(step_s)
        if not self._may_step(step_s):
            return IGNORED, 0
        if abs(step_s) > DAY_S:
            waiting = self.waiting
            self.waiting = (counter, offset_us)
            if waiting is None or waiting[0] == counter or abs(waiting[1] - offset_us) > AGREE_S * SECOND_US:
                return WAITING, 0
        self.waiting = None
        self.offset_us = offset_us
        self.state.sure = 1
        return STEPPED, step_s

    def _may_step(self, step_s):
        """Not where it may begin one more log than the state keeps; and a clock that has known the time is not wrong by
        more than a meter lives."""
        knew_it = self.state.unix_s >= KNOWN_SINCE_S
        return len(self.state.finished) < FINISHED_LOGS_MAX and not (knew_it and abs(step_s) > LIFE_S)

    def _slew(self, step_s):
        state = self.state
        today = state.unix_s // DAY_S
        if state.slew_day != today:
            state.slew_day = today
            state.slewed_s = 0
        room_s = SLEW_S_PER_DAY - state.slewed_s
        slew_s = max(-room_s, min(room_s, step_s))
        state.slewed_s += abs(slew_s)
        self.offset_us += slew_s * SECOND_US
        return SLEWED, slew_s
