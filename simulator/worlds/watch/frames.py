"""Every frame of a world: whose it is, that it is used once, that no other one moves anything (I14, I15, I24, I25).

The judge keeps its own lists of what each meter sent and of what the headend sent to it. A frame that is on no list was
made, bent or carried over by somebody; one that was accepted already is a repetition. Neither may change anything.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any

from protocol.wire.envelope import DOWN, UP, open_frame
from protocol.wire.keys import derive

from ...clock import unix_s
from .watch import Watch

if TYPE_CHECKING:
    from ..home import WorldHome
    from ..life import Life

FRAME_MAX = 242
_COUNTERS = 1 << 16
_WINDOWS = 40
_NAMES = (
    *("C", "D", "statement", "command", "order", "opened", "epochs", "packs", "acknowledged", "period", "window"),
    *("end of order",),
)
_BY_FRAMES = ("C", "D", "statement", "command", "packs", "acknowledged", "period")
_DONE, _CLOSE = 0, 2  # an outcome and a code of a command
_OPEN, _OPEN_UNSURE = 1, 3  # what order is in force
_LATE_S = 120  # how far a clock that is sure may be off


class FrameWatch(Watch):
    """Looks at what is sent, heard and taken."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[tuple[bytes, int], set[bytes]] = {}
        self._used: dict[tuple[bytes, int, int, int], bytes] = {}
        self._accepted: dict[int, set[bytes]] = {}
        self._taken: dict[bytes, set[bytes]] = {}
        self._before: dict[int, tuple[Any, ...]] = {}
        self._done: dict[tuple[bytes, int, int], tuple[int, int]] = {}
        self._restores = 0

    def event(self, life: Life, what: str, home: WorldHome | None, data: bytes) -> None:
        """Frames only."""
        if home is None:
            return
        if what == "up":
            self._sent(life, home, UP, data)
        elif what == "down":
            self._sent(life, home, DOWN, data)
        elif what == "heard":
            self._before[home.number] = _print_of(home)
        elif what == "listened":
            self._listened(life, home, data)
        elif what == "taken":
            self._take(life, home, data)

    def _sent(self, life: Life, home: WorldHome, direction: int, frame: bytes) -> None:
        if len(frame) > FRAME_MAX:
            self.say(life, "I25", home, "length", f"a frame of {len(frame)} bytes")
        self._made.setdefault((home.meter_id, direction), set()).add(_name(frame))
        # A clone has its original's keys and counters: what is promised is promised of each device.
        sender = home.number if direction == UP else 0
        place = (home.meter_id, sender, direction << 3 | frame[0] & 7, frame[1] << 8 | frame[2])
        before = self._used.setdefault(place, frame)
        if before != frame:
            self._used[place] = frame
            if _same_counter(life, home, direction, before, frame):
                self.say(life, "I15", home, f"nonce {direction}", f"counter …{place[3]} sealed two frames")

    def _listened(self, life: Life, home: WorldHome, frame: bytes) -> None:
        before, after = self._before.pop(home.number, ()), _print_of(home)
        if not before or not after or before == after:
            return
        accepted = self._accepted.setdefault(home.number, set())
        name = _name(frame)
        strange = name not in self._made.get((home.meter_id, DOWN), ())
        if strange or name in accepted:
            changed = [which for which, old, new in zip(_NAMES, before, after, strict=True) if old != new]
            kind = "nobody's" if strange else "repeated"
            self.say(life, "I14", home, f"downlink {kind} {changed}", f"a {kind} frame changed {', '.join(changed)}")
        accepted.add(name)
        changed = [which for which, old, new in zip(_NAMES, before, after, strict=True) if old != new]
        if "window" not in changed and "opened" not in changed and set(changed) & set(_BY_FRAMES):
            self.say(life, "I14", home, "unseen", f"a frame changed {', '.join(changed)}, and its counter is not kept")
        if any(new < old for old, new in zip(before[7][1:], after[7][1:], strict=True)):
            self.say(life, "I6", home, "packs", f"an older policy or plan was taken: {before[7]}, now {after[7]}")
        self._commands(life, home, before, after)

    def _commands(self, life: Life, home: WorldHome, before: tuple[Any, ...], after: tuple[Any, ...]) -> None:
        """A command is done once, in order: whatever it orders changes with a higher number only, and what became of a
        number is told the same for ever."""
        state = home.state
        meter: Any = home.meter.application
        found = before[4] == _OPEN_UNSURE and after[4] == _OPEN  # its clock was set: what was left of it is left
        ordered = not found and (after[4] not in (before[4], 0) or after[11] != before[11])
        if after[3] == before[3] and (after[9] != before[9] or ordered):
            self.say(life, "I24", home, "again", f"an order came into force without a number above {before[3]}")
        if after[3] != before[3] and state.command_outcome == _DONE:
            self._in_time(life, home)
        key = (home.meter_id, meter.keys.generation, state.command)
        told = (state.command_code, state.command_outcome)
        if state.command and self._done.setdefault(key, told) != told:
            self.say(life, "I24", home, "outcome", f"command {state.command} came to {told}, before {self._done[key]}")

    def _in_time(self, life: Life, home: WorldHome) -> None:
        """What was just done on a clock that was sure, and right, had not expired; nothing was closed on another."""
        state = home.state
        if not state.sure and state.command_code == _CLOSE:
            self.say(life, "I11", home, "unsure", f"command {state.command} closes on a clock that is not sure")
        if not state.sure or "by_slot" in home.excused or not life.office.up:
            return
        query = "SELECT expires_unix_s FROM meter_command WHERE meter_id = ? AND number = ?"
        now_s = unix_s(life.world.now_us)
        for (expires_s,) in life.office.rows(query, home.meter_id, state.command):
            if expires_s < now_s - _LATE_S:
                text = f"command {state.command} was done {now_s - expires_s} s after its end"
                self.say(life, "I24", home, "expired", text)

    def _take(self, life: Life, home: WorldHome, frame: bytes) -> None:
        name = _name(frame)
        if life.office.restores != self._restores:
            self._restores = life.office.restores
            self._taken.clear()  # older books may take again what they forgot
        taken = self._taken.setdefault(home.meter_id, set())
        if name not in self._made.get((home.meter_id, UP), ()):
            self.say(life, "I14", home, "uplink", "the headend took a frame that no meter of this name has sent")
        if name in taken:
            self.say(life, "I14", home, "uplink twice", "the headend took a frame for new for the second time")
        taken.add(name)


def _name(frame: bytes) -> bytes:
    return sha256(frame).digest()[:12]


def _print_of(home: WorldHome) -> tuple[Any, ...]:
    """What a downlink may change, in the order of _NAMES."""
    state = home.state
    if state is None:
        return ()
    meter: Any = home.meter.application
    counter = meter.store.counter
    return (
        state.credited_mills,
        state.debited_mills,
        state.statement,
        state.command,
        state.order,
        state.opened,
        (counter.epoch, counter.epoch_before),
        tuple(meter.packs.newest_version(kind) for kind in (3, 4, 6)),
        (state.report_generation, state.acked_slot),
        state.report_slots,
        state.window,
        state.order_until_s,
    )


def _same_counter(life: Life, home: WorldHome, direction: int, one: bytes, other: bytes) -> bool:
    """Whether two frames whose counters have the same low 16 bits open under the same whole counter."""
    meter: Any = home.meter.application
    keys = getattr(meter, "keys", None)
    if keys is None:
        return False
    newest = max(keys.counter.epoch, keys.counter.epoch_before)
    for epoch in range(newest, -1, -1):
        if epoch & 7 != one[0] & 7:
            continue
        key_set = derive(keys.root, home.meter_id, keys.generation, epoch)
        low = one[1] << 8 | one[2]
        for window in range(_WINDOWS):
            counter = low + window * _COUNTERS
            if all(open_frame(key_set, direction, frame, counter) is not None for frame in (one, other)):
                return True
    return False
