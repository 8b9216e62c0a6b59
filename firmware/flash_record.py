"""A record on flash: `magic 2 | sequence u32 | chain 8 | length u16 | payload | crc32 u32`, kept twice.

Both copies are written at each update, in two directories, each by a temporary file and a rename, so a power cut leaves
at least one whole copy and bit rot in one is outvoted by the other. The highest valid sequence wins. The chain is the
first 8 bytes of SHA-256(previous chain | payload): a copy restored from elsewhere does not continue it.
"""

from binascii import crc32

from protocol.compat import const, sha256

MAGIC = b"G1"
CHAIN_BYTES = const(8)
HEAD_BYTES = const(16)
CRC_BYTES = const(4)
DIRECTORIES = ("a", "b")

FIRST_CHAIN = bytes(8)


def pack(sequence, chain, payload):
    record = MAGIC + sequence.to_bytes(4, "big") + chain + len(payload).to_bytes(2, "big") + payload
    return record + crc32(record).to_bytes(4, "big")


def unpack(record):
    """(sequence, chain, payload), or None for anything that is not one whole record."""
    if record is None or len(record) < HEAD_BYTES + CRC_BYTES or record[:2] != MAGIC:
        return None
    body = record[:-CRC_BYTES]
    if crc32(body) != int.from_bytes(record[-CRC_BYTES:], "big"):
        return None
    if len(body) != HEAD_BYTES + int.from_bytes(record[14:16], "big"):
        return None
    return int.from_bytes(record[2:6], "big"), record[6:14], body[HEAD_BYTES:]


class TwoCopies:
    """One named payload kept in two directories."""

    def __init__(self, files, name):
        self.files = files
        self.name = name
        self.sequence = 0
        self.chain = FIRST_CHAIN
        self.bad_copies = 0

    def load(self):
        """The payload of the highest valid sequence, or None when no copy is valid."""
        best = None
        missing = 0
        for directory in DIRECTORIES:
            content = self.files.read(directory + "/" + self.name)
            found = unpack(content)
            if content is None:
                missing += 1
            elif found is None:
                self.bad_copies += 1
            elif best is None or found[0] > best[0]:
                best = found
        if best is None:
            return None
        self.bad_copies += missing  # the other one is there: this one was
        self.sequence, self.chain, payload = best
        return payload

    def save(self, payload):
        """Returns only when both copies are on flash."""
        self.sequence += 1
        self.chain = sha256(self.chain + payload)[:CHAIN_BYTES]
        record = pack(self.sequence, self.chain, payload)
        for directory in DIRECTORIES:
            self.files.replace(directory + "/" + self.name, record)
