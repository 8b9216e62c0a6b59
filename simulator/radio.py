"""The air between a meter and the headend: loss, duplication, reordering and delay, each an explicit option.

Delivery is LoRaWAN class A: the meter listens only in windows after its own uplink, the first one second after its
end, so a downlink exists only as the answer to an uplink that arrived in time. Airtime is LoRa's at 125 kHz (Semtech
AN1200.13), computed in integers; this world's air is SF10. Everything is per mille and microseconds.
"""

from __future__ import annotations

from typing import NamedTuple

from .clock import MINUTE_US, SECOND_US
from .prng import Stream

_CHIP_US = 8  # at 125 kHz
_PREAMBLE_QUARTER_SYMBOLS = 4 * (8 + 4) + 1
_PHY_OVERHEAD_BYTES = 13  # LoRaWAN MHDR, FHDR, port and MIC around our frame
_WINDOW_US = 1 * SECOND_US
WINDOWS = 4


class RadioOptions(NamedTuple):
    """How bad the air is, the same for every meter. Each `_permille` is a chance per frame."""

    loss_up_permille: int = 50
    loss_down_permille: int = 50
    duplicate_permille: int = 20
    reorder_permille: int = 10
    delay_min_us: int = 60_000
    delay_max_us: int = 450_000
    reorder_delay_max_us: int = 40 * MINUTE_US

    def quiet(self) -> RadioOptions:
        """The same air without faults."""
        return self._replace(loss_up_permille=0, loss_down_permille=0, duplicate_permille=0, reorder_permille=0)


class Arrival(NamedTuple):
    """One copy of an uplink: when the headend hears it and whether the meter still listens for an answer then."""

    time_us: int
    answerable: bool


def airtime_us(frame_bytes: int, spreading_factor: int = 10) -> int:
    """Time on air of one frame at SF7..SF12: coding rate 4/5, explicit header, CRC, 8 symbols of preamble.

    From SF11 on symbols are so long that the low-data-rate optimisation is mandatory: two bits fewer in each.
    """
    if not 7 <= spreading_factor <= 12:
        raise ValueError("a spreading factor is 7 to 12")
    bits_per_symbol = spreading_factor - (2 if spreading_factor >= 11 else 0)
    payload_bits = 8 * (frame_bytes + _PHY_OVERHEAD_BYTES) - 4 * spreading_factor + 28 + 16
    symbols = 8 + 5 * max(-(-payload_bits // (4 * bits_per_symbol)), 0)
    return (_CHIP_US << spreading_factor) * (_PREAMBLE_QUARTER_SYMBOLS + 4 * symbols) // 4


class Radio:
    """One meter's air. It draws as many numbers for a frame whatever the options: options do not shift a world."""

    def __init__(self, options: RadioOptions, stream: Stream) -> None:
        self.options = options
        self.reachable = True
        self._stream = stream

    def uplink(self, now_us: int, frame_bytes: int) -> list[Arrival]:
        """Copies of a frame that reach the headend; empty when it is lost."""
        options, draws = self.options, [self._stream.below(1000) for _ in range(3)]
        delay_us = self._stream.between(options.delay_min_us, options.delay_max_us)
        late_us = self._stream.below(options.reorder_delay_max_us)
        echo_us = self._stream.between(100_000, 5 * SECOND_US)
        if not self.reachable or draws[0] < options.loss_up_permille:
            return []
        heard_us = now_us + airtime_us(frame_bytes) + delay_us
        reordered = draws[1] < options.reorder_permille
        copies = [Arrival(heard_us + late_us, False) if reordered else Arrival(heard_us, True)]
        if draws[2] < options.duplicate_permille:
            copies.append(Arrival(copies[0].time_us + echo_us, False))
        return copies

    def downlink(self, sent_us: int, window: int, frame_bytes: int) -> list[int]:
        """Times at which the meter hears copies of the answer's frame number `window` (0, 1, …)."""
        options, draws = self.options, [self._stream.below(1000) for _ in range(3)]
        if not self.reachable or window >= WINDOWS or draws[0] < options.loss_down_permille:
            return []
        slip = 1 if draws[1] < options.reorder_permille else 0
        heard_us = sent_us + (window + 1 + 2 * slip) * _WINDOW_US + airtime_us(frame_bytes)
        return [heard_us, heard_us + _WINDOW_US // 2] if draws[2] < options.duplicate_permille else [heard_us]
