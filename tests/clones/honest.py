"""An honest meter's worst life: all that makes frames late, old, doubled, lost or wrong in time, drawn from dice.

There is one device, whatever happens; so the headend must never find two (A1). What is drawn: loss, doubles and delays
to 72 hours either way, captures played back, resets and hours without power, clock chips that are wrong by minutes, a
day or thirty years and say that they are right, days and weeks of silence, changes of keys and cadence, orders,
restores of old backups, a headend's clock an hour off, and a state lost with both its copies.
"""

import random
from collections.abc import Callable
from pathlib import Path

from headend.backups import back_up
from headend.clock import SimClock
from headend.meters import commands
from headend.meters.rekey import ask_rekey
from headend.refusals import Refused
from headend.restore import restore
from headend.storage.audit import SYSTEM
from headend.storage.writer import Tx
from protocol.wire.command_codes import REPORT_PERIOD, TELL
from simulator import link
from tests.clones.scene import DAY_S, HOUR_S, Device, Scene, open_world

LATE_S_MAX = 72 * HOUR_S
YEARS_30_S = 30 * 365 * DAY_S
CLOCK_ERRORS_S = (0, 0, 240, -240, 6 * HOUR_S, -6 * HOUR_S, 23 * HOUR_S, -23 * HOUR_S, YEARS_30_S, -YEARS_30_S)


class Honest:
    """One meter of a scene, and the misfortunes of its life."""

    def __init__(self, scene: Scene, chance: random.Random, folder: Path) -> None:
        self.scene, self.chance, self.folder = scene, chance, folder
        self.lost, self.doubled, self.late = (chance.choice((0, 0.1, 0.3, 0.6)) for _ in range(3))
        self.captured: list[bytes] = []
        self.backups: list[Path] = []
        self.skew_s = 0
        self.counts = dict.fromkeys(("replays", "resets", "restores", "late", "wrong_clocks", "states_lost"), 0)
        scene.carry = self.carry
        self.device = scene.add(1, chance.choice((1, 1, 12, 48)))
        scene.water(self.device, chance, chance.choice((0.3, 0.8, 1.0)))

    # Air ------------------------------------------------------------------------------------------------------------
    def carry(self, device: Device, frame: bytes) -> None:
        self.captured.append(frame)
        for _ in range(1 + (self.chance.random() < self.doubled)):
            if self.chance.random() >= self.lost:
                self.scene.later(self._delay_s(), self._arrive, frame)

    def _delay_s(self) -> int:
        if self.chance.random() >= self.late:
            return self.chance.randint(0, 5)
        self.counts["late"] += 1
        return self.chance.randint(60, LATE_S_MAX)

    def _arrive(self, frame: bytes) -> None:
        for downlink in self.scene.hand_in(self.device.meter_id, frame, self.skew_s):
            if self.chance.random() >= self.lost:
                self.scene.later(self._delay_s() + 1, self.device.sense, link.record(link.RADIO, downlink))

    # What happens ---------------------------------------------------------------------------------------------------
    def live(self, days: int) -> None:
        until_s = self.scene.now_s + days * DAY_S
        acts = (
            self._replay,
            self._replay,
            self._reset,
            self._reset,
            self._dark,
            self._rekey,
            self._order,
            self._back_up,
        )
        while self.scene.now_s < until_s:
            self.scene.run(self.chance.randint(HOUR_S, DAY_S))
            self.chance.choice(acts)()
        self.lost = self.late = self.doubled = 0
        self.device.on_air = True
        self.scene.run(DAY_S)
        for frame in self.captured:
            self._arrive(frame)
        self.counts["replays"] += len(self.captured)

    def _replay(self) -> None:
        """Somebody plays back what he captured, old or new."""
        frames = self.chance.sample(self.captured, min(len(self.captured), self.chance.randint(1, 40)))
        self.counts["replays"] += len(frames)
        for frame in frames:
            self.scene.later(self.chance.randint(0, HOUR_S), self._arrive, frame)

    def _reset(self) -> None:
        error_s = self.chance.choice(CLOCK_ERRORS_S)
        self.counts["resets"] += 1
        self.counts["wrong_clocks"] += error_s != 0
        self.device.meter.kill()
        self.scene.run(self.chance.choice((0, 600, 10 * HOUR_S)))
        if self.chance.random() < 0.02:
            self.counts["states_lost"] += 1
            for copy in ("a", "b"):
                self.device.meter.files.content.pop(f"{copy}/state", None)
        self.device.power_on(error_s, self.chance.random() < 0.7)

    def _dark(self) -> None:
        self.device.on_air = False
        self.scene.later(self.chance.choice((HOUR_S, DAY_S, 7 * DAY_S)), setattr, self.device, "on_air", True)

    def _rekey(self) -> None:
        self._office(lambda tx: ask_rekey(tx, self.device.meter_id) and None)

    def _order(self) -> None:
        code, argument = self.chance.choice(((TELL, 0), (TELL, 0), (REPORT_PERIOD, 1), (REPORT_PERIOD, 48)))
        until_s = self.scene.now_s + 7 * DAY_S
        self._office(lambda tx: commands.order(tx, self.device.meter_id, code, argument, 0, until_s) and None)

    def _office(self, act: Callable[[Tx], None]) -> None:
        self.scene.world.clock.set((self.scene.now_s + self.skew_s) * 1_000_000)
        try:
            self.scene.world.writer.run(act)
        except Refused:
            return  # too many orders wait, or a change of keys is under way

    def _back_up(self) -> None:
        """A backup, or the return of an old one: grants, uplinks and counters since then are forgotten."""
        if not self.backups or self.chance.random() < 0.5:
            self.backups.append(self.folder / f"backup-{len(self.backups)}")
            back_up(self.scene.world.path, self.backups[-1])
            return
        self.counts["restores"] += 1
        world = self.scene.world
        world.close()
        self.skew_s = self.chance.choice((0, HOUR_S, -HOUR_S))
        clock = SimClock((self.scene.now_s + self.skew_s) * 1_000_000)
        restore(world.path, self.chance.choice(self.backups), self.folder / "keys", SYSTEM, None, clock)
        self.scene.world = open_world(self.folder, self.chance)
