"""A serial line's bytes: frames come out alike however the bytes are cut, noise is dropped without a word, and no more
is ever held than the longest frame (I25). Input: a byte that says how to cut, and the line."""

from protocol.wire import cobs, console

BYTES_MAX = 200


def seeds() -> list[bytes]:
    texts = (b"", b"\x00", b"abc\x00def", bytes(range(256))[:190], b"\xff" * 199, console.hello(bytes(8)))
    lines = [console.to_line(text) for text in texts]
    return [b"\x01" + b"".join(lines), b"\x07" + lines[3] + b"noise\x00" + lines[5], b"\x00" + b"\x05abc\x00" * 3]


def one(data: bytes) -> None:
    step, line = 1 + sum(data[:1]) % 61, data[1:]
    at_once, piecewise, cut = cobs.Decoder(BYTES_MAX), cobs.Decoder(BYTES_MAX), []
    frames = at_once.feed(line)
    for at in range(0, len(line), step):
        cut += piecewise.feed(line[at : at + step])
        assert len(piecewise.held) <= piecewise.encoded_max
    assert cut == frames and bytes(piecewise.held) == bytes(at_once.held)
    for frame in frames:
        assert len(frame) <= BYTES_MAX and cobs.decode(cobs.encode(frame)) == frame
        console.from_frame(frame)
    encoded = cobs.encode(line)
    assert cobs.decode(encoded) == line and cobs.DELIMITER not in encoded
    decoded = cobs.decode(line)
    assert decoded is None or len(decoded) <= len(line)
