"""LoRaWAN class A in EU868: one meter's radio, the gateway, and the network server's queue for that meter.

A meter sends, listens one second after the end of its frame (RX1, same spreading factor) and two seconds after it
(RX2), and can send nothing before both have passed or an answer came. The network server holds what the headend queued,
one answer at most, and decides on it `_DECIDES_US` after the frame: what the headend queues later goes out after the
next uplink. Both sides keep the duty cycle of ETSI EN 300 220: so much airtime in any hour of a band.

Loss is drawn per frame and direction. The model leaves out collisions as such, a gateway deaf while it sends, and ADR.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import NamedTuple

from .clock import HOUR_US, SECOND_US
from .prng import Stream
from .radio import airtime_us
from .world import Timer, World

RX1_US, RX2_US = 1 * SECOND_US, 2 * SECOND_US
RX2_SPREADING_FACTOR = 12  # EU868: 869.525 MHz, DR0
BAND_PERMILLE, RX2_BAND_PERMILLE = 10, 100
# ChirpStack v4 waits 200 ms for copies of a frame from other gateways, publishes it, and reads the queue 100 ms later.
_PUBLISHES_US = 200_000
_DECIDES_US = 300_000


class LoraOptions(NamedTuple):
    """One meter's air. `answer_us`: from the uplink's publication until the headend's answer stands in the queue."""

    spreading_factor: int = 10
    loss_up_permille: int = 0
    loss_down_permille: int = 0
    answer_us: int = 60_000


class Exchange(NamedTuple):
    """One uplink and what the meter heard after it: in RX1 (1), in RX2 (2) or in neither (0)."""

    uplink_bytes: int
    window: int = 0
    downlink_bytes: int = 0


class DutyCycle:
    """Airtime left in a band: at most `permille` of any hour."""

    def __init__(self, permille: int) -> None:
        self._budget_us = HOUR_US // 1000 * permille
        self._sent: deque[tuple[int, int]] = deque()

    def ready_us(self, now_us: int, airtime: int) -> int:
        """The first instant from `now_us` on at which a frame of this airtime may start."""
        while self._sent and self._sent[0][0] + HOUR_US <= now_us:
            self._sent.popleft()
        excess_us = sum(spent for _, spent in self._sent) + airtime - self._budget_us
        for started_us, spent in self._sent:
            if excess_us <= 0:
                break
            excess_us -= spent
            now_us = started_us + HOUR_US
        return now_us

    def spend(self, now_us: int, airtime: int) -> None:
        """A frame starts now."""
        self._sent.append((now_us, airtime))


class LoraWan:
    """Carries one meter's frames. `headend(frame)` is called when an uplink is published and gives what it queues,
    None for nothing new; `meter(frame)` when the meter has heard a downlink."""

    def __init__(
        self,
        world: World,
        options: LoraOptions,
        stream: Stream,
        headend: Callable[[bytes], list[bytes] | None],
        meter: Callable[[bytes], None],
    ) -> None:
        self.uplinks = self.downlinks = 0
        self.exchanges: Counter[Exchange] = Counter()  # those that are over, for the energy that they took
        self._world, self._options, self._stream = world, options, stream
        self._headend, self._meter = headend, meter
        self._waiting: deque[bytes] = deque()
        self._queue: list[bytes] = []
        self._busy = False
        self._band, self._gateway = DutyCycle(BAND_PERMILLE), DutyCycle(BAND_PERMILLE)
        self._rx2_band = DutyCycle(RX2_BAND_PERMILLE)

    def send(self, frame: bytes) -> None:
        """The meter has a frame to send: at once, or after what is on its way."""
        self._waiting.append(frame)
        self._next()

    def push(self, frames: list[bytes]) -> None:
        """The headend replaces what is queued; it goes out after the next uplink."""
        self._queue = frames[:1]

    def _next(self) -> None:
        if self._busy or not self._waiting:
            return
        self._busy = True
        frame = self._waiting.popleft()
        airtime = airtime_us(len(frame), self._options.spreading_factor)
        start_us = self._band.ready_us(self._world.now_us, airtime)
        self._band.spend(start_us, airtime)
        self._world.at(start_us + airtime, self._sent, frame)

    def _sent(self, frame: bytes) -> None:
        """The frame has left the antenna."""
        self.uplinks += 1
        lost = self._stream.below(1000) < self._options.loss_up_permille
        window_us = 8 * (8 << RX2_SPREADING_FACTOR) + 10_000
        closes = self._world.after(RX2_US + window_us, self._over, Exchange(len(frame)))
        if not lost:
            self._world.after(_PUBLISHES_US, self._publish, frame)
            self._world.after(_DECIDES_US, self._decide, closes, self._world.now_us, len(frame))

    def _publish(self, frame: bytes) -> None:
        answer = self._headend(frame)
        if answer is not None:
            self._world.after(self._options.answer_us, self.push, answer)

    def _decide(self, closes: Timer, ended_us: int, uplink_bytes: int) -> None:
        """The network server takes what is queued and chooses a window whose band has airtime left."""
        if not self._queue:
            return
        size = len(self._queue[0])
        windows = (
            (RX1_US, self._options.spreading_factor, self._gateway),
            (RX2_US, RX2_SPREADING_FACTOR, self._rx2_band),
        )
        for window, (delay_us, spreading_factor, band) in enumerate(windows, 1):
            airtime, opens_us = airtime_us(size, spreading_factor), ended_us + delay_us
            if band.ready_us(opens_us, airtime) == opens_us:
                band.spend(opens_us, airtime)
                self._answer(self._queue.pop(0), opens_us + airtime, closes, Exchange(uplink_bytes, window, size))
                return

    def _answer(self, frame: bytes, heard_us: int, closes: Timer, exchange: Exchange) -> None:
        self.downlinks += 1
        if self._stream.below(1000) < self._options.loss_down_permille:
            return
        closes.cancel()
        self._world.at(heard_us, self._heard, frame, exchange)

    def _heard(self, frame: bytes, exchange: Exchange) -> None:
        self._meter(frame)
        self._over(exchange)

    def _over(self, exchange: Exchange) -> None:
        """The windows are closed, or an answer came."""
        self.exchanges[exchange] += 1
        self._busy = False
        self._next()
