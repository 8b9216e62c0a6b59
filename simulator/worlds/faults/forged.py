"""What somebody with an antenna can do with frames that he recorded: damage, cut, join, reflect, exchange and replay
them, and make up others. Every one of them is refused, or is a repetition: nothing of it excuses anything."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ...prng import Stream
from ..home import WorldHome
from ..scenario import Fault
from .kind import Kind, at_home, dice_of, often, seldom

if TYPE_CHECKING:
    from ..life import Life

Deliver = Callable[[bytes], None]
BIT, CUT, JOINED, LONGER, TAIL = range(5)


def _damage(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: which recorded frame; b: how (a bit, cut short, two joined, bytes behind it, its tag anew)."""
    dice = dice_of(life, fault)
    for frames, deliver in _ways(life, home):
        if frames:
            deliver(_damaged(frames[fault.a % len(frames)], frames[-1], fault.b, dice))


def _damaged(frame: bytes, other: bytes, way: int, dice: Stream) -> bytes:
    if way == BIT:
        at = dice.below(len(frame))
        return frame[:at] + bytes((frame[at] ^ 1 << dice.below(8),)) + frame[at + 1 :]
    if way == CUT:
        return frame[: dice.below(len(frame))]
    if way == JOINED:
        return frame + other
    if way == LONGER:
        return frame + bytes(dice.below(256) for _ in range(dice.between(1, 40)))
    return frame[:-8] + bytes(dice.below(256) for _ in range(8))


def _reflect(life: Life, fault: Fault, home: WorldHome) -> None:
    """What went up comes down, and what came down goes up; a: which frame."""
    (up, to_headend), (down, to_meter) = _ways(life, home)
    for frames, deliver in ((up, to_meter), (down, to_headend)):
        if frames:
            deliver(frames[fault.a % len(frames)])


def _splice(life: Life, fault: Fault, home: WorldHome) -> None:
    """The frames of this home are handed over as another's; a: which frame; b: which other home."""
    other = life.homes[fault.b % len(life.homes)]
    if other is home:
        return
    for (frames, _), (_, deliver) in zip(_ways(life, home), _ways(life, other), strict=True):
        if frames:
            deliver(frames[fault.a % len(frames)])


def _replay(life: Life, fault: Fault, home: WorldHome) -> None:
    """Everything that was recorded of this home, from the first frame on, again."""
    for frames, deliver in _ways(life, home):
        for frame in list(frames):
            deliver(frame)


def _flood(life: Life, fault: Fault, home: WorldHome) -> None:
    """a: so many frames under this meter's own header, with drawn counters, contents and tags."""
    dice = dice_of(life, fault)
    for frames, deliver in _ways(life, home):
        if frames:
            head = frames[-1][:1]
            for _ in range(fault.a):
                deliver(head + bytes(dice.below(256) for _ in range(len(frames[-1]) - 1)))


def _ways(life: Life, home: WorldHome) -> list[tuple[list[bytes], Deliver]]:
    """Recorded frames and where to bring one: up to the headend, down to the meter."""
    air = life.air
    up, down = air.sent.get(home.meter_id, []), air.answered.get(home.meter_id, [])
    return [(up, lambda frame: air.arrive(home, frame, False)), (down, home.hear)]


FORGED = (
    Kind("damaged", often("damaged", 4, (0, 999), (0, 4)), at_home(_damage)),
    Kind("reflected", often("reflected", 2, (0, 999)), at_home(_reflect)),
    Kind("spliced", often("spliced", 2, (0, 999), (0, 99)), at_home(_splice)),
    Kind("replayed", seldom("replayed", 3), at_home(_replay)),
    Kind("flooded", seldom("flooded", 3, (1, 60)), at_home(_flood)),
)
