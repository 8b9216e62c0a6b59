"""Records on a byte stream, stdin/stdout or a UART: `chan u8 | len u16 | bytes`, big endian."""

CONSOLE = 0
RADIO = 1
FIELD = 2
CLOCK = 3

HEAD_BYTES = 3
PAYLOAD_BYTES_MAX = 1024


class LinkClosed(Exception):
    """The other end of the link went away."""


def write_record(stream, channel, payload):
    size = len(payload)
    stream.write(bytes((channel, size >> 8, size & 255)) + payload)


def read_record(stream):
    """(channel, payload) of the next record. Blocks until it is complete; LinkClosed at the end of the stream."""
    head = stream.read(HEAD_BYTES)
    if head is None or len(head) < HEAD_BYTES:
        raise LinkClosed()
    size = head[1] << 8 | head[2]
    if size > PAYLOAD_BYTES_MAX:
        raise LinkClosed()
    payload = stream.read(size) if size else b""
    if len(payload) < size:
        raise LinkClosed()
    return head[0], payload


class Records:
    """The records of a UART that never blocks: bytes are held until a record is whole."""

    def __init__(self, stream):
        self.stream = stream
        self.held = b""

    def take(self):
        """The payload of the oldest whole record, or None."""
        waiting = self.stream.any()  # a read of the most there may be would take that much heap each time
        if waiting:
            self.held += self.stream.read(waiting)
        held = self.held
        if len(held) < HEAD_BYTES:
            return None
        end = HEAD_BYTES + (held[1] << 8 | held[2])
        if len(held) < end:
            return None
        self.held = held[end:]
        return held[HEAD_BYTES:end]
