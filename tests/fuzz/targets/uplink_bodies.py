"""Bodies of POST /v1/uplinks and datagrams: read into pairs that, written again, are the same bytes, or refused (I25).
The first byte chooses: even for a body, odd for a datagram."""

from headend.bearers.http import CONTENT_TYPE, PAIRS_MAX, BodyRefused, problem, read_pairs
from headend.bearers.udp import DATAGRAM_VERSION, parse_address, read_datagram
from protocol.wire import cbor
from protocol.wire.limits import FRAME_UP_MAX, METER_ID_LENGTH, OVERHEAD

ADDRESS = ("2001:db8::1", 5683)


def seeds() -> list[bytes]:
    pairs = [[bytes(8), bytes(11)], [b"\x01" * 8, bytes(40)]]
    bodies = [cbor.encode(value) for value in (pairs, [pairs[0]], [], [[1, 2]], [[b"short", b"frame"]], {1: 2})]
    return [b"\x00" + body for body in bodies] + [b"\x01\x01" + bytes(8 + 11), b"\x01\x02" + bytes(30)]


def one(data: bytes) -> None:
    if sum(data[:1]) & 1:
        _datagram(data[1:])
        return
    try:
        pairs = read_pairs(CONTENT_TYPE, data[1:])
    except BodyRefused as refused:
        assert problem(refused).status == refused.status and 400 <= refused.status < 500
        return
    assert 1 <= len(pairs) <= PAIRS_MAX and all(len(meter_id) == METER_ID_LENGTH for meter_id, _ in pairs)
    assert cbor.encode([list(pair) for pair in pairs]) == data[1:]


def _datagram(data: bytes) -> None:
    received = read_datagram(data, ADDRESS, 7)
    if received is not None:
        assert bytes([DATAGRAM_VERSION]) + received.meter_id + received.frame == data
        assert OVERHEAD <= len(received.frame) <= FRAME_UP_MAX
        assert received.address is not None and parse_address(received.address) == ADDRESS
