"""A modem that carries UDP over GPRS: it attaches when there is something to send and listens for a while after.

While the context lives, frames pass both ways at any time; when nothing has passed for `_LIVES_US` the modem goes off
and the operator's address translation forgets the way back, so a push finds nobody. Loss is drawn per datagram.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .clock import SECOND_US
from .prng import Stream
from .world import World

# Attach and PDP context of a modem that was off; then one way through radio and core network (assumed, not measured).
_ATTACH_US = (2 * SECOND_US, 6 * SECOND_US)
_ONE_WAY_US = (300_000, 700_000)
_LIVES_US = 30 * SECOND_US


class GprsOptions(NamedTuple):
    """Chance of loss per datagram, each way."""

    loss_up_permille: int = 0
    loss_down_permille: int = 0


class Gprs:
    """Carries one meter's frames; the arguments are those of LoraWan."""

    def __init__(
        self,
        world: World,
        options: GprsOptions,
        stream: Stream,
        headend: Callable[[bytes], list[bytes] | None],
        meter: Callable[[bytes], None],
    ) -> None:
        self.uplinks = self.downlinks = 0
        self.attached_us = self.listened_us = 0  # time spent attaching, and with the context alive, so far
        self._world, self._options, self._stream = world, options, stream
        self._headend, self._meter = headend, meter
        self._ready_us = 0
        self._lives_until_us = -1

    def send(self, frame: bytes) -> None:
        """The meter has a frame to send; a sleeping modem attaches first."""
        now_us = self._world.now_us
        if now_us > self._lives_until_us:
            self._ready_us = self._lives_until_us = now_us + self._stream.between(*_ATTACH_US)
            self.attached_us += self._ready_us - now_us
        leaves_us = max(now_us, self._ready_us)
        self._live_until(leaves_us + _LIVES_US)
        self.uplinks += 1
        if self._lost(self._options.loss_up_permille):
            return
        self._world.at(leaves_us + self._stream.between(*_ONE_WAY_US), self._arrive, frame)

    def push(self, frames: list[bytes]) -> None:
        """The headend sends; whoever is away misses it."""
        for frame in frames:
            self.downlinks += 1
            if not self._lost(self._options.loss_down_permille):
                self._world.after(self._stream.between(*_ONE_WAY_US), self._heard, frame)

    def _live_until(self, until_us: int) -> None:
        self.listened_us += until_us - self._lives_until_us
        self._lives_until_us = until_us

    def _lost(self, permille: int) -> bool:
        return self._stream.below(1000) < permille

    def _arrive(self, frame: bytes) -> None:
        self.push(self._headend(frame) or [])

    def _heard(self, frame: bytes) -> None:
        now_us = self._world.now_us
        if self._ready_us <= now_us <= self._lives_until_us:
            self._live_until(now_us + _LIVES_US)
            self._meter(frame)
