"""The lock-step link's records: both ends cut a stream into the same records however it arrives, the meter's inputs
take any payload, and a meter's clock record is one or refused (I25). Input: a byte that says how to cut, the stream."""

from firmware.boards.streams.field import Field
from firmware.boards.streams.records import LinkClosed, read_record
from simulator import link


class Stream:
    """A pipe that holds these bytes and is then closed."""

    def __init__(self, data: bytes) -> None:
        self._left = data

    def read(self, size: int) -> bytes:
        taken, self._left = self._left[:size], self._left[size:]
        return taken


class Said:
    """Takes what is written."""

    def write(self, data: bytes) -> None:
        assert data[0] <= link.CLOCK


def seeds() -> list[bytes]:
    said = (
        link.pulses(7), link.reverse_pulses(1), link.button(), link.real_time(1_798_761_600, True), link.tamper(True),
        link.battery(3_600), link.temperature(-125), link.end_stop(1), link.cut_power(9, 1), link.grant(1, 2),
        link.record(link.CLOCK, b"W" + bytes(20)),
    )  # fmt: skip
    return [b"\x03" + record for record in said] + [b"\x05" + b"".join(said)]


def one(data: bytes) -> None:
    step, stream = 1 + sum(data[:1]) % 31, data[1:]
    pieces = [stream[at : at + step] for at in range(0, len(stream), step)]
    found, broken = _rig_reads(pieces)
    at_once, broken_at_once = _rig_reads([stream])
    assert broken == broken_at_once and found[: len(at_once)] == at_once[: len(found)]
    meter_found = _meter_reads(stream)
    assert [record for record, _ in zip(meter_found, at_once, strict=False)] == at_once[: len(meter_found)]
    for channel, payload in meter_found:
        _meter_takes(channel, payload)


def _rig_reads(pieces: list[bytes]) -> tuple[list[tuple[int, bytes]], bool]:
    """The records, and whether the stream broke."""
    records, found = link.Records(), []
    try:
        for piece in pieces:
            found += records.feed(piece)
    except link.LinkBroken:
        return found, True
    return found, False


def _meter_reads(stream: bytes) -> list[tuple[int, bytes]]:
    source, found = Stream(stream), []
    try:
        while True:
            found.append(read_record(source))
    except LinkClosed:
        return found


def _meter_takes(channel: int, payload: bytes) -> None:
    field = Field(Said(), lambda _operation, _mode: None)
    field.handle(payload)
    assert 0 <= field.pulses < 2**32 and field.end_stop in (None, 0, 1, 2)
    if channel == link.CLOCK:
        try:
            wait = link.parse_wait(payload)
        except link.LinkBroken:
            return
        assert wait.deadline_us < 2**64
