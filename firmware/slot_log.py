"""The slot log: one 48-byte record per closed half-hour, in a ring of 92 day files, kept in two directories.

    record = slot u32 | generation u16 | V at start 5 | litres u16 | flags u8 | instalments u16 | S at end 7
             | R at end 7 | remainder u16 | block position u32 | chain 8 | crc32 u32
    flags  = pack version low 4 bits <<4 | 1 when the clock was unsure

A record tells every counter at its end, so that whatever is lost before it can be declared exactly (SEMANTICS C4). The
state record is written first and holds the newest slot record whole, so the log is at most that one record behind;
`recover` writes it again. A record that does not check is absent: that costs detail, never money.
"""

from array import array
from binascii import crc32
from collections import namedtuple

from protocol.compat import const, sha256

RECORD_BYTES = const(48)
SLOTS_PER_FILE = const(48)
FILES = const(92)
_LITRES_AT = const(11)
_FLAGS_AT = const(13)
_CHAIN_AT = const(36)
_CRC_AT = const(44)
DIRECTORIES = ("a", "b")
FIRST_CHAIN = bytes(8)

# volume_l: V at the slot's first second; all that follow `sure`: the counters at its end.
ClosedSlot = namedtuple(
    "ClosedSlot",
    (
        "slot",
        "generation",
        "volume_l",
        "litres",
        "pack4",
        "sure",
        "instalments",
        "spent_mills",
        "collected_mills",
        "remainder",
        "position_l",
    ),
)


def encode(closed, previous_record):
    chain = previous_record[_CHAIN_AT:_CRC_AT] if previous_record else FIRST_CHAIN
    payload = b"".join(
        (
            closed.slot.to_bytes(4, "big"),
            (closed.generation & 0xFFFF).to_bytes(2, "big"),
            closed.volume_l.to_bytes(5, "big"),
            closed.litres.to_bytes(2, "big"),
            bytes((closed.pack4 << 4 | (not closed.sure),)),
            (closed.instalments & 0xFFFF).to_bytes(2, "big"),
            closed.spent_mills.to_bytes(7, "big"),
            closed.collected_mills.to_bytes(7, "big"),
            closed.remainder.to_bytes(2, "big"),
            closed.position_l.to_bytes(4, "big"),
        )
    )
    record = payload + sha256(chain + payload)[: _CRC_AT - _CHAIN_AT]
    return record + crc32(record).to_bytes(4, "big")


def _is_whole(record):
    return len(record) == RECORD_BYTES and crc32(record[:_CRC_AT]) == int.from_bytes(record[_CRC_AT:], "big")


def decode(record):
    """The ClosedSlot of a record, or None when its CRC is wrong."""
    if not _is_whole(record):
        return None
    return ClosedSlot(
        int.from_bytes(record[0:4], "big"),
        int.from_bytes(record[4:6], "big"),
        int.from_bytes(record[6:11], "big"),
        int.from_bytes(record[11:13], "big"),
        record[13] >> 4,
        not record[13] & 1,
        int.from_bytes(record[14:16], "big"),
        int.from_bytes(record[16:23], "big"),
        int.from_bytes(record[23:30], "big"),
        int.from_bytes(record[30:32], "big"),
        int.from_bytes(record[32:36], "big"),
    )


def _name(slot):
    return "log/{:02}".format(slot // SLOTS_PER_FILE % FILES)


def _belongs(content, slot):
    """Whether a file's records are of the same day file round as `slot`."""
    return bool(content) and int.from_bytes(content[:4], "big") // SLOTS_PER_FILE == slot // SLOTS_PER_FILE


class SlotLog:
    def __init__(self, files):
        self.files = files
        self.open_file = None  # day number of the file that the last append went to

    def append(self, record):
        """Add the newest record to both copies; the first one of a day replaces a file of 92 days ago."""
        slot = int.from_bytes(record[:4], "big")
        continues = self.open_file == slot // SLOTS_PER_FILE
        for directory in DIRECTORIES:
            path = directory + "/" + _name(slot)
            if continues or _belongs(self.files.read(path), slot):
                self.files.append(path, record)
            else:
                self.files.replace(path, record)
        self.open_file = slot // SLOTS_PER_FILE

    def recover(self, record):
        """Write the newest record again where a power cut came between the state and the log."""
        slot = int.from_bytes(record[:4], "big")
        for directory in DIRECTORIES:
            path = directory + "/" + _name(slot)
            content = self.files.read(path)
            if not _belongs(content, slot):
                self.files.replace(path, record)
            elif content[-RECORD_BYTES:] != record:
                whole = len(content) - len(content) % RECORD_BYTES
                self.files.replace(path, content[:whole] + record)

    def _records(self, directory, slot, generation):
        """The whole records from `slot` on of `generation` in one copy of its day file, in the order of writing."""
        for record in self.files.parts(directory + "/" + _name(slot), RECORD_BYTES):
            begins, of = int.from_bytes(record[:4], "big"), int.from_bytes(record[4:6], "big")
            if begins >= slot and of == generation & 0xFFFF and _is_whole(record):
                yield record

    def find(self, generation, slot):
        """The ClosedSlot, or None when neither copy of the log holds it."""
        found = None
        for directory in DIRECTORIES:
            for record in self._records(directory, slot, generation):
                if int.from_bytes(record[:4], "big") == slot:
                    found = decode(record)
            if found is not None:
                break
        return found

    def run(self, generation, first_slot, end_slot, count_max):
        """(first ClosedSlot, litres of it and of the slots after it) as long as no slot is missing and neither the pack
        nor the sureness of the clock changes (B4, C2), before `end_slot`; None and no litres when the first is missing.

        One pass over the day files: a small heap has no room for a day of records.
        """
        first = None
        litres = array("H")
        slot = first_slot
        stop = min(end_slot, first_slot + count_max)
        reached = -1
        while reached < slot < stop:
            reached = slot
            for directory in DIRECTORIES:
                for record in self._records(directory, reached, generation):
                    if slot == stop or int.from_bytes(record[:4], "big") != slot:
                        continue
                    if first is None:
                        first = decode(record)
                        flags = record[_FLAGS_AT]
                    if record[_FLAGS_AT] == flags:
                        litres.append(int.from_bytes(record[_LITRES_AT : _LITRES_AT + 2], "big"))
                        slot += 1
                if slot == stop or slot // SLOTS_PER_FILE != reached // SLOTS_PER_FILE:
                    break
        return first, litres

    def first_held(self, generation, first_slot, end_slot):
        """The first slot at or after `first_slot` that the log still holds; `end_slot` when there is none."""
        slot = max(first_slot, end_slot - FILES * SLOTS_PER_FILE)  # the ring reaches no further back
        while slot < end_slot:
            after = min(end_slot, slot - slot % SLOTS_PER_FILE + SLOTS_PER_FILE)
            held = after
            for directory in DIRECTORIES:
                for record in self._records(directory, slot, generation):
                    one = int.from_bytes(record[:4], "big")
                    if slot <= one < held:
                        held = one
            if held < after:
                return held
            slot = after
        return end_slot

    def last_held(self, generation, first_slot, end_slot):
        """The ClosedSlot of the last slot before `end_slot` and not before `first_slot` that the log holds, or None.

        One look at each day file of the ring at most: a NACK may name slots of long ago.
        """
        first_slot = max(first_slot, end_slot - FILES * SLOTS_PER_FILE)
        while first_slot < end_slot:
            begin = max(first_slot, (end_slot - 1) // SLOTS_PER_FILE * SLOTS_PER_FILE)
            held = -1
            for directory in DIRECTORIES:
                for record in self._records(directory, begin, generation):
                    one = int.from_bytes(record[:4], "big")
                    if begin <= one < end_slot:
                        held = max(held, one)
            if held >= 0:
                return self.find(generation, held)
            end_slot = begin
        return None

    def highest_generation(self):
        """The highest log generation of any record in the ring; -1 when there is none."""
        highest = -1
        for number in range(FILES):
            for record in self.files.parts(DIRECTORIES[0] + "/" + _name(number * SLOTS_PER_FILE), RECORD_BYTES):
                if _is_whole(record):
                    highest = max(highest, int.from_bytes(record[4:6], "big"))
        return highest
