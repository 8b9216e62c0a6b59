"""What a meter is at every moment at which it rests: counters that never fall (I6), a balance that is their sum (I7),
credit that outlives cuts (I8), a bound to what flows unpaid (I9), a valve that tells the truth (I10), and closes for a
reason (I11)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ... import link
from ...clock import HOUR_US
from ..excuses import excuses
from .reasons import unjustified
from .watch import Watch

if TYPE_CHECKING:
    from ..home import WorldHome
    from ..life import Life

UNPERSISTED_L_MAX = 10
CLOSING_L_MAX = 30  # what taps of this world can draw in the eight seconds of a stroke, and some more
GUSH_L = 120  # so much in an hour through a valve that tells that it is shut is no leak
CLOSED = 1
_RESTING = frozenset({"face", "up", "motor", "listened"})


class Counters(NamedTuple):
    """What never falls while a meter lives in one wallet."""

    volume_l: int
    credited_mills: int
    debited_mills: int
    spent_mills: int
    collected_mills: int
    statement: int
    command: int
    event_number: int
    boot_count: int
    downlink: int
    uplink: int
    place: tuple[int, int]  # log generation, open slot


class _Seen:
    """What is remembered of one home."""

    def __init__(self) -> None:
        self.identity: tuple[Any, ...] = ()
        self.counters: Counters | None = None
        self.may_be_granted = True
        self.opened = False
        self.shut_pipe_l: int | None = None
        self.held_since: tuple[int, int] | None = None
        self.held_events = 0


class MeterWatch(Watch):
    """Looks at the meter's own state whenever it has done what there was to do."""

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[int, _Seen] = {}

    def event(self, life: Life, what: str, home: WorldHome | None, data: bytes) -> None:
        """After each burst of work; what a cut left is looked at after the boot."""
        if home is None:
            return
        seen = self._seen.setdefault(home.number, _Seen())
        if what in ("heard", "boot"):
            seen.may_be_granted = True
        elif what in _RESTING and home.state is not None:
            self._look(life, home, seen)
            if what == "face":
                self._face(life, home)

    def _look(self, life: Life, home: WorldHome, seen: _Seen) -> None:
        state, meter = home.state, home.meter.application
        identity = (home.meter, meter.keys.generation, home.meter_id, bool(state.opened))  # an OPENING begins S anew
        now = _counters(meter, state)
        before = seen.counters if seen.identity == identity else None
        if before is not None and "wallet" not in home.excused:
            self._falls(life, home, before, now)
            self._collected(life, home, before, now)
            if before[1:3] != now[1:3]:
                self._granted(life, home, seen.may_be_granted or not seen.opened, now)
        seen.identity, seen.counters, seen.may_be_granted, seen.opened = identity, now, False, bool(state.opened)
        balance_mills = now.credited_mills - now.debited_mills - now.spent_mills - now.collected_mills
        if state.balance_mills != balance_mills:
            self.say(life, "I7", home, "state", f"balance {state.balance_mills}, C − D − S − R is {balance_mills}")
        if meter.unpersisted_l > UNPERSISTED_L_MAX:
            self.say(life, "I8", home, "unpersisted", f"{meter.unpersisted_l} L are on no flash")
        if home in life.homes:  # a clone hangs on a pipe of its own, with a valve that it has never moved
            self._valve(life, home, seen, balance_mills)

    def _falls(self, life: Life, home: WorldHome, before: Counters, now: Counters) -> None:
        for name, old, new in zip(Counters._fields, before, now, strict=True):
            if new < old:
                check = "I8" if name == "credited_mills" else "I6"
                self.say(life, check, home, name, f"{name} fell from {old} to {new}")

    def _collected(self, life: Life, home: WorldHome, before: Counters, now: Counters) -> None:
        """An instalment is taken out of what is there (B7): where nothing else was charged since, something is left."""
        at_once = before.volume_l == now.volume_l and now.place[1] - before.place[1] <= 1
        balance_mills = now.credited_mills - now.debited_mills - now.spent_mills - now.collected_mills
        if at_once and now.collected_mills > before.collected_mills and balance_mills < 0:
            self.say(life, "I7", home, "instalment", f"an instalment left a balance of {balance_mills}")

    def _granted(self, life: Life, home: WorldHome, may_be: bool, now: Counters) -> None:
        """C and D come from a frame of the headend, or an OPENING by cable, and are those of a statement in the books:
        no meter ever grants itself anything."""
        told = f"C {now.credited_mills}, D {now.debited_mills}"
        if not may_be:
            self.say(life, "I11", home, "granted", f"{told} came from nowhere")
        if not life.office.up or "rows" in home.excused:
            return
        query = "SELECT credited_mills, debited_mills FROM statement WHERE meter_id = ?"
        granted = life.office.rows(query, home.meter_id)
        if now.credited_mills not in {row[0] for row in granted} or now.debited_mills not in {
            row[1] for row in granted
        }:
            self.say(life, "I11", home, "not granted", f"{told} are in no statement of the books")

    def _face(self, life: Life, home: WorldHome) -> None:
        face, state = home.face, home.state
        counted = state.credited_mills - state.debited_mills - state.rating.spent_mills - state.collected_mills
        if face is not None and face.balance_mills != counted:
            self.say(life, "I7", home, "face", f"the face shows {face.balance_mills}, C − D − S − R is {counted}")

    def _valve(self, life: Life, home: WorldHome, seen: _Seen, balance_mills: int) -> None:
        state, excused = home.state, home.excused
        meant_shut = state.valve_intent == CLOSED
        text = unjustified(home, balance_mills)
        if text:
            self.say(life, "I11", home, text, f"the valve is to be {'shut' if meant_shut else 'open'}: {text}")
        if not meant_shut or not home.meter.running:
            seen.shut_pipe_l = None
        elif seen.shut_pipe_l is None:
            seen.shut_pipe_l = home.pipe_l
        elif home.pipe_l - seen.shut_pipe_l > CLOSING_L_MAX and not _is_excused(life, home, "bound", "closed"):
            flowed_l = home.pipe_l - seen.shut_pipe_l
            self.say(life, "I9", home, "bound", f"{flowed_l} L flowed after it was to be shut, balance {balance_mills}")
        if state.valve_moving or state.valve_fault:
            seen.held_since = None
            return
        stands = home.valve.position
        if meant_shut and stands != link.END_CLOSED and "closed" not in excused:
            self.say(life, "I10", home, "shut", f"the meter holds its valve for shut; it stands at {stands}")
        if not meant_shut and not home.valve.lets_water_through and "open" not in excused:
            self.say(life, "I10", home, "open", "the meter holds its valve for open; it lets no water through")
        self._gush(life, home, seen, meant_shut)

    def _gush(self, life: Life, home: WorldHome, seen: _Seen, shut: bool) -> None:
        """Water in quantity through a valve that is told to be shut must have become an event."""
        now_us, events = life.world.now_us, home.state.event_number
        if not shut or seen.held_since is None or now_us - seen.held_since[0] > HOUR_US:
            seen.held_since, seen.held_events = ((now_us, home.counted_l), events) if shut else (None, 0)
            return
        flowed_l = home.counted_l - seen.held_since[1]
        if flowed_l > GUSH_L and events == seen.held_events:
            self.say(life, "I10", home, "gush", f"{flowed_l} L flowed through a shut valve, and nothing is told of it")


def _is_excused(life: Life, home: WorldHome, *names: str) -> bool:
    """Whether a fault that has struck so far excuses one of these of this home."""
    if any(name in home.excused for name in names):
        return True
    now_us = life.world.now_us
    kinds = [
        fault.kind for fault in life.scenario.faults if fault.at_us <= now_us and fault.home in (0, home.number)
    ]  # only asked when something is wrong
    return bool(excuses(kinds) & set(names))


def _counters(meter: Any, state: Any) -> Counters:
    return Counters(
        state.volume_l,
        state.credited_mills,
        state.debited_mills,
        state.rating.spent_mills,
        state.collected_mills,
        state.statement,
        state.command,
        state.event_number,
        state.boot_count,
        state.window.highest,
        meter.store.counter.next,
        (state.log_generation, state.open_slot),
    )
