"""When the meter asks "is there anything for me?": at the button, and on a ladder while the customer waits for credit.

A LoRaWAN meter listens only after it has sent. Polls of the button follow each other as soon as the windows of the one
before have closed empty at the slowest data rate. The ladder's half-hourly polls stand half-way between two
half-hourly reports, which are asked too: so nobody waits longer than a quarter of an hour for a loss-free answer. What
the ladder or a report of a dry meter asked without an answer is asked twice more: a lost frame costs seconds, not the
step.
"""

from protocol.compat import const

SECOND_US = const(1000000)
NEVER_US = const(0x7FFFFFFFFFFFFFFF)
BUTTON_POLLS_S = (6, 12, 20, 40)
AGAIN_S = (6, 12)
LADDER_S = (60, 120, 300, 600, 900)
LADDER_STEP_US = const(1800000000)  # a slot
LADDER_DAY_S = const(86400)
LADDER_LAST_STEP_S = const(21600)


def ladder_after(elapsed_s, since_half_way_us):
    """How many microseconds after `elapsed_s` of a ladder its next poll is; `since_half_way_us` have passed since the
    last instant half-way between two half-hourly reports."""
    for step_s in LADDER_S:
        if step_s > elapsed_s:
            return (step_s - elapsed_s) * SECOND_US
    if elapsed_s < LADDER_DAY_S:
        return LADDER_STEP_US - since_half_way_us
    return (LADDER_LAST_STEP_S - elapsed_s % LADDER_LAST_STEP_S) * SECOND_US


class Polls:
    def __init__(self):
        self.now = False
        self.again_us = []  # when to ask once more, until something authentic is heard
        self.since_us = None  # when the ladder began
        self.ladder_us = NEVER_US

    def pressed(self, now_us):
        """Ask at once and, until something authentic is heard, again; the ladder starts again too."""
        self.now = True
        self._again(now_us, BUTTON_POLLS_S)
        if self.since_us is not None:
            self._start(now_us)

    def reported(self, now_us):
        """A report was sent; while the customer waits it is a question like a poll."""
        if self.since_us is not None:
            self._again(now_us, AGAIN_S)

    def _again(self, now_us, delays_s):
        asked_us = [now_us + delay_s * SECOND_US for delay_s in delays_s]
        if not self.again_us or self.again_us[-1] < asked_us[-1]:
            self.again_us = asked_us

    def answered(self):
        """An authentic downlink came: the repeats have done their work."""
        self.again_us = []

    def dry(self, is_dry, now_us):
        """Whether the customer waits for credit: the valve is shut, or the meter was never opened."""
        if not is_dry:
            self.since_us = None
            self.ladder_us = NEVER_US
        elif self.since_us is None:
            self._start(now_us)

    def _start(self, now_us):
        self.since_us = now_us
        self.ladder_us = now_us + LADDER_S[0] * SECOND_US

    def next_us(self):
        return min(self.ladder_us, self.again_us[0]) if self.again_us else self.ladder_us

    def due(self, now_us, half_way_us):
        """Whether to ask now; `half_way_us` is any instant half-way between two half-hourly reports."""
        due = self.now
        self.now = False
        while self.again_us and now_us >= self.again_us[0]:
            self.again_us.pop(0)
            due = True
        if now_us >= self.ladder_us:
            elapsed_s = (now_us - self.since_us) // SECOND_US
            self.ladder_us = now_us + ladder_after(elapsed_s, (now_us - half_way_us) % LADDER_STEP_US)
            self._again(now_us, AGAIN_S)
            due = True
        return due
