"""Everything between the meters' antennas and the headend's door: the radios, the gateway, and its small store.

A gateway forwards each uplink at once and hands the answer's frames to the meter's receive windows. When the headend
does not answer, the gateway keeps the frame and forwards it when the headend is back; by then the windows have passed,
so the answers go nowhere and the meter simply reports again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from .home import Home
from .world import World


class Headend(Protocol):
    """The headend's door for uplinks."""

    def uplinks(self, frames: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        """Hand over [(meter_id, frame)]; [(meter_id, downlink)] comes back once all is durable."""

    def uplinks_then_kill(self, frames: list[tuple[bytes, bytes]]) -> None:
        """Hand the frames over and kill the headend before it can answer."""


class Counts:
    """What travelled, over all meters. `sent_by` counts uplinks per home number."""

    def __init__(self) -> None:
        self.uplinks = 0
        self.uplinks_lost = 0
        self.uplink_bytes = 0
        self.downlinks = 0
        self.downlinks_lost = 0
        self.sent_by: dict[int, int] = {}


class Air:
    """Carries frames both ways and counts them. `meter_ids` is the gateway's view: home number → meter_id."""

    def __init__(self, world: World, headend: Headend) -> None:
        self.counts = Counts()
        self.meter_ids: dict[int, bytes] = {}
        self.kill_headend_at_next: Callable[[], None] | None = None
        self.away = False
        self._world, self._headend = world, headend
        self._kept: list[tuple[bytes, bytes]] = []

    def carry(self, home: Home, frame: bytes) -> None:
        """A meter sends; copies arrive, late or never."""
        counts = self.counts
        counts.uplinks += 1
        counts.uplink_bytes += len(frame)
        counts.sent_by[home.number] = counts.sent_by.get(home.number, 0) + 1
        arrivals = home.radio.uplink(self._world.now_us, len(frame))
        counts.uplinks_lost += not arrivals
        for arrival in arrivals:
            self._world.at(arrival.time_us, self._forward, home, frame, arrival.answerable)

    def headend_is_back(self) -> int:
        """Forward what was kept while the headend was away; returns how many frames that were."""
        self.away = False
        kept, self._kept = self._kept, []
        if kept:
            self._headend.uplinks(kept)
        return len(kept)

    def _forward(self, home: Home, frame: bytes, answerable: bool) -> None:
        pair = (self.meter_ids[home.number], frame)
        if self.away:
            self._kept.append(pair)
            return
        if self.kill_headend_at_next is not None:
            killed, self.kill_headend_at_next = self.kill_headend_at_next, None
            self.away = True
            self._kept.append(pair)
            self._headend.uplinks_then_kill([pair])
            killed()
            return
        answers = self._headend.uplinks([pair])
        if answerable:
            self._answer(home, [downlink for _, downlink in answers])

    def _answer(self, home: Home, downlinks: list[bytes]) -> None:
        for window, downlink in enumerate(downlinks):
            self.counts.downlinks += 1
            heard = home.radio.downlink(self._world.now_us, window, len(downlink))
            self.counts.downlinks_lost += not heard
            for time_us in heard:
                self._world.at(time_us, home.hear, downlink)
