"""The log codec: what is accepted is what the second encoder, written from the specification, makes of it (I25)."""

from protocol.errors import WireRefused
from protocol.vectors import cases
from protocol.wire import log_codec
from protocol.wire.limits import SLOT_LITRES_MAX, SLOTS_PER_DAY
from tests.wire import log_oracle


def seeds() -> list[bytes]:
    short = [(phase, litres) for _, phase, litres in cases.LOGS if len(litres) <= SLOTS_PER_DAY]
    good = [bytes([len(litres), phase]) + log_codec.encode(litres, phase) for phase, litres in short]
    return good + [bytes([count, phase]) + bytes.fromhex(text) for _, phase, count, text in cases.LOGS_REFUSED]


def one(data: bytes) -> None:
    if len(data) < 2:
        return
    count, phase, log = data[0], data[1] % SLOTS_PER_DAY, data[2:]
    try:
        litres = log_codec.decode(log, count, phase)
    except WireRefused:
        return
    assert len(litres) == count and all(0 <= one <= SLOT_LITRES_MAX for one in litres)
    assert log_oracle.encode(litres, phase) == log
