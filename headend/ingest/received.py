"""What bearers hand to ingest, what ingest answers, and why it may refuse."""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

from headend.downlink.reply import Reply


class Bearer(IntEnum):
    """How a frame came; the number is stored with the uplink."""

    UDP = 1
    HTTP = 2
    LORAWAN = 3
    HAND = 4  # a technician's laptop: heard long before it is handed in, and nothing can be answered


class Refusal(IntEnum):
    """Why an uplink was not taken. Nothing was changed, unless said otherwise."""

    UNKNOWN_METER = 200
    FRAME = 201  # too short, too long or of another version
    BAD_TAG = 202  # not sealed by this meter
    RESERVED_TYPE = 204  # authentic, of a message type that is not in use; the counter is spent
    UNREADABLE = 205  # authentic, but no message of the specification; the counter is spent and a case opened
    PACK_UNKNOWN = 206  # a log under a pack that was never published to the meter; the counter is spent, a case opened
    RETIRED = 207
    NO_WALLET = 208  # authentic, of a meter that counts as opened, and the books know a spare; the counter is spent
    REPLAYED = 209  # sealed by this meter, older than the replay window or under the keys of before: nothing is taken


class Signal(NamedTuple):
    """How well a radio bearer heard a frame, at the gateway that heard it best; tenths are of a decibel."""

    rssi_dbm: int
    snr_tenths_db: int
    spreading_factor: int


@dataclass(frozen=True, slots=True)
class Received:
    """Bytes from a bearer. `address` is where a push would reach the meter, or None; `at_us` when it was heard;
    `signal` is None where the bearer tells none."""

    meter_id: bytes
    frame: bytes
    bearer: Bearer
    address: str | None
    at_us: int
    signal: Signal | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of an uplink: a refusal, or the row it became; `reply` is to be sealed and sent after the commit."""

    refusal: Refusal | None
    uplink_id: int | None
    duplicate: bool
    reply: Reply | None
