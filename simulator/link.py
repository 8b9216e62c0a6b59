"""The rig's end of the lock-step link: records `chan u8 | len u16 | bytes` on a meter's standard input and output.

Channels: 0 console, 1 radio, 2 field I/O, 3 clock. All integers big endian. The meter's end is
firmware/boards/unix/lockstep.py and the bytes are specified in firmware/README.md. This file is pure: bytes in,
values out.
"""

from __future__ import annotations

from typing import NamedTuple

CONSOLE, RADIO, FIELD, CLOCK = 0, 1, 2, 3

END_OPEN, END_CLOSED, END_NONE = 0, 1, 2
MOTOR_STOP, MOTOR_OPEN, MOTOR_CLOSE = 0, 1, 2
CUT_CLEAN, CUT_TORN = 0, 1

_HEAD = 3
_LENGTH_MAX = 0xFFFF


class LinkBroken(Exception):
    """The meter's end said something that is no record of this link."""


class Wait(NamedTuple):
    """The meter is idle: it wants to be woken at `deadline_us` and has read so many bytes of radio and field I/O."""

    sequence: int
    deadline_us: int
    radio_read: int
    field_read: int


def record(channel: int, payload: bytes) -> bytes:
    """One record as it travels."""
    if len(payload) > _LENGTH_MAX:
        raise ValueError("a record carries at most 65535 bytes")
    return bytes((channel,)) + len(payload).to_bytes(2, "big") + payload


def grant(sequence: int, now_us: int) -> bytes:
    """Answer to the Wait of that sequence: time is now `now_us`."""
    return record(CLOCK, b"G" + sequence.to_bytes(4, "big") + now_us.to_bytes(8, "big"))


def pulses(count: int) -> bytes:
    """Cumulative pulses since the counter's own power-on."""
    return record(FIELD, b"P" + (count & 0xFFFFFFFF).to_bytes(4, "big"))


def reverse_pulses(count: int) -> bytes:
    """Cumulative pulses of water that ran backwards, since the counter's own power-on."""
    return record(FIELD, b"Q" + (count & 0xFFFFFFFF).to_bytes(4, "big"))


def button() -> bytes:
    """Someone presses the button."""
    return record(FIELD, b"B")


def real_time(unix_s: int, valid: bool) -> bytes:
    """What the meter's clock chip says at boot, and whether it kept time."""
    return record(FIELD, b"R" + unix_s.to_bytes(4, "big") + bytes((1 if valid else 0,)))


def tamper(open_case: bool) -> bytes:
    """The tamper contact."""
    return record(FIELD, b"T" + bytes((1 if open_case else 0,)))


def battery(millivolts: int) -> bytes:
    """The battery's voltage."""
    return record(FIELD, b"V" + millivolts.to_bytes(2, "big"))


def temperature(tenths_c: int) -> bytes:
    """What the meter's thermometer says, in tenths of a degree Celsius."""
    return record(FIELD, b"C" + tenths_c.to_bytes(2, "big", signed=True))


def end_stop(position: int) -> bytes:
    """Which end the valve has reached: END_OPEN, END_CLOSED, or END_NONE after a stall."""
    return record(FIELD, b"E" + bytes((position,)))


def cut_power(operation: int, mode: int) -> bytes:
    """Cut the power at the n-th flash operation from now, cleanly before it or torn half-way."""
    return record(FIELD, b"K" + operation.to_bytes(4, "big") + bytes((mode,)))


def parse_wait(payload: bytes) -> Wait:
    """The meter's clock record."""
    if len(payload) != 21 or payload[:1] != b"W":
        raise LinkBroken(f"not a wait record: {payload.hex()}")
    return Wait(
        int.from_bytes(payload[1:5], "big"),
        int.from_bytes(payload[5:13], "big"),
        int.from_bytes(payload[13:17], "big"),
        int.from_bytes(payload[17:21], "big"),
    )


class Records:
    """Cuts a stream of bytes into (channel, payload) records; a partial record waits for the rest."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """The records completed by `data`, in order."""
        self._held += data
        complete: list[tuple[int, bytes]] = []
        while len(self._held) >= _HEAD:
            channel, length = self._held[0], int.from_bytes(self._held[1:3], "big")
            if channel > CLOCK:
                raise LinkBroken(f"no such channel: {channel}")
            if len(self._held) < _HEAD + length:
                break
            complete.append((channel, bytes(self._held[_HEAD : _HEAD + length])))
            del self._held[: _HEAD + length]
        return complete
