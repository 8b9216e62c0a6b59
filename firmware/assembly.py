"""Packs that come in parts, put together in RAM: a power cut costs a repetition, never more (SEMANTICS B4).

At most one pack of each kind is being put together. Parts may come in any order and more than once. A part of another
pack takes the place of a lower version and is ignored beside an equal or higher one.
"""

from protocol.wire.messages import Pack


class Assembly:
    def __init__(self):
        self.begun = {}  # kind -> (what all parts of the pack share, the chunks in order, None for a missing one)

    def add(self, kind, part):
        """The pack, its whole body in `chunk`, when `part` was the last one missing; else None. The hash is not checked
        here."""
        shared = (part.version, part.from_slot, part.count, part.hash4)
        begun = self.begun.get(kind)
        if begun is None or begun[0][0] < part.version:
            begun = self.begun[kind] = (shared, [None] * part.count)
        if begun[0] != shared:
            return None
        chunks = begun[1]
        chunks[part.index] = part.chunk
        if None in chunks:
            return None
        del self.begun[kind]
        return Pack(part.version, part.from_slot, 0, 1, part.hash4, b"".join(chunks))
