"""The uplink that an answer answers."""

from dataclasses import dataclass

from headend.downlink.reply import Message
from protocol.wire.downlinks import encode_down
from protocol.wire.messages import Time


@dataclass(frozen=True, slots=True)
class Heard:
    """An uplink's type and counter, when it was heard, whether for the first time, whether slots had been missing
    before it already, whether it is a PROGRESS, which asks for the next bytes of an update, and whether all the slots
    that it tells of were posted before: then the meter does not know that."""

    type: int
    counter: int
    at_us: int
    fresh: bool
    was_waiting: bool
    asks_update: bool = False
    repeats: bool = False

    @property
    def time(self) -> Message:
        """The TIME that names this uplink (SEMANTICS C3)."""
        message: Message = encode_down(Time(self.counter, self.at_us // 1_000_000))
        return message
