"""Answers to a meter: messages with counters reserved in a commit, sealed and sent only after it (SEMANTICS D2)."""

from dataclasses import dataclass, field

from protocol.wire.envelope import DOWN
from protocol.wire.envelope import seal as seal_frame
from protocol.wire.keys import KeySet

# (type, plaintext) of a downlink that has no counter yet.
Message = tuple[int, bytes]


@dataclass(frozen=True, slots=True)
class Reserved:
    """A message and the downlink counter that is its alone."""

    type: int
    counter: int
    plaintext: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send to one meter, in order; `address` as the bearer named it, None where there is no way to push."""

    meter_id: bytes
    bearer: int
    address: str | None
    messages: tuple[Reserved, ...]
    keys: KeySet = field(repr=False)


def seal(reply: Reply) -> list[bytes]:
    """The frames of a reply. Call it only after the commit that reserved their counters."""
    return [seal_frame(reply.keys, DOWN, item.type, item.counter, item.plaintext) for item in reply.messages]
