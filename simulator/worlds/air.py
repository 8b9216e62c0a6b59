"""What lies between antennas and the headend: loss, copies, frames that come days late, and gateways that keep what a
dead headend did not take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..clock import SECOND_US
from ..headend_within import UDP, Down
from ..prng import Stream, Streams
from .home import WorldHome

if TYPE_CHECKING:
    from .life import Life

_FLIGHT_US = SECOND_US
_WINDOW_US = 2 * SECOND_US
_COPY_US = 3 * SECOND_US
RECORDED = 100


class Air:
    """Carries frames both ways, by each home's link as it is at that moment."""

    def __init__(self, life: Life, streams: Streams) -> None:
        self._life, self._streams = life, streams
        self._kept: list[tuple[WorldHome, bytes]] = []
        self._dice: dict[int, Stream] = {}
        self.sent: dict[bytes, list[bytes]] = {}  # what anybody who listens could record, by meter: uplinks
        self.answered: dict[bytes, list[bytes]] = {}  # and downlinks
        self.stolen: dict[int, int] = {}  # whose answers a rogue gateway swallows, and over which bearer it forwards

    def carry(self, home: WorldHome, frame: bytes) -> None:
        """A meter sends: copies arrive, late or never."""
        _record(self.sent, home.meter_id, frame)
        for late_us in self._copies(home, home.link.loss_up):
            self._life.world.after(_FLIGHT_US + late_us, self.arrive, home, frame, late_us == 0)

    def push(self, frames: list[tuple[bytes, bytes]]) -> None:
        """What the headend sends of itself reaches a meter that listens: one on UDP."""
        for meter_id, frame in frames:
            for home in self._life.homes:
                if home.meter_id == meter_id and home.plan.bearer == UDP:
                    self._down(home, 0, frame)

    def arrive(self, home: WorldHome, frame: bytes, answerable: bool) -> None:
        """A copy of an uplink is at the headend's door."""
        life = self._life
        if not life.office.up:
            self._kept.append((home, frame))
            life.headend_died()
            return
        try:
            heard = life.office.hear(home.meter_id, frame, self.stolen.get(home.number, home.plan.bearer))
        except Down:
            self._kept.append((home, frame))
            life.headend_died()
            return
        if heard.refusal:
            life.tell(f"refused {heard.refusal}", home)
        elif heard.duplicate:
            life.saw["duplicate"] += 1
        else:
            life.tell("taken", home, frame)
        if home.number in self.stolen:
            life.saw["answer swallowed"] += 1
        elif answerable or home.plan.bearer == UDP:
            for window, downlink in enumerate(heard.frames):
                self._down(home, window, downlink)
        life.exchanged(home)

    def forward_kept(self) -> None:
        """The headend is back: gateways hand over what they kept; the windows for answers have passed."""
        kept, self._kept = self._kept, []
        for home, frame in kept:
            self.arrive(home, frame, False)

    def _down(self, home: WorldHome, window: int, frame: bytes) -> None:
        self._life.tell("down", home, frame)
        _record(self.answered, home.meter_id, frame)
        for late_us in self._copies(home, home.link.loss_down):
            self._life.world.after((window + 1) * _WINDOW_US + late_us, home.hear, frame)

    def _copies(self, home: WorldHome, loss: int) -> list[int]:
        """How late each copy of a frame comes. As many dice whatever the link: it does not shift a world."""
        dice = self._dice.setdefault(home.number, self._streams.named(f"air/{home.number}"))
        lost, copied, moved = (dice.below(1000) for _ in range(3))
        late = dice.bits64()
        if home.dark or lost < loss:
            return []
        late_us = late % (home.link.late_max_us + 1) if moved < home.link.reorder else 0
        return [late_us, late_us + _COPY_US] if copied < home.link.duplicate else [late_us]


def _record(kept: dict[bytes, list[bytes]], meter_id: bytes, frame: bytes) -> None:
    frames = kept.setdefault(meter_id, [])
    frames.append(frame)
    if len(frames) > 2 * RECORDED:
        del frames[RECORDED // 2 : -RECORDED]  # the first ones stay, for a replay years later
