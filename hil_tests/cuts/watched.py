"""A flash that notes what is looked at, so that what two flashes share is judged once.

A boot is decided by what it reads and by nothing else. Two flashes that are equal wherever one boot looked therefore
make the same boot, down to each byte it writes and says: a cut in the middle of a block that nobody reads any more, of
which there are many, is known before it is booted. Where a block was erased first its old content was never looked at.
"""

from hil_tests.cuts.nor_ram import EEPROM_BYTES, ERASE_BYTES, SIZE, NorRam, apply, tear

CLASSES_MAX = 64  # flashes that are remembered of one act
UNIT_BITS = 6  # what was looked at is noted in units of 64 bytes, the least that littlefs reads or programs
UNITS = SIZE >> UNIT_BITS
ONES = b"\1" * (SIZE >> UNIT_BITS)
NOTHING = bytes(UNITS)


class WatchedRam(NorRam):
    """A NorRam that is laid again and again as copies of another flash, a little changed."""

    def __init__(self, image):
        super().__init__(bytearray(image))
        self.touched = set()  # blocks that may differ from that flash; the EEPROM always may
        self.looked = bytearray(UNITS)
        self.erased = set()

    def lay(self, source, operation=None, number=-1):
        """As `source`, with this operation of it torn as `number` says."""
        self.touched.add(SIZE // ERASE_BYTES)
        for block in self.touched:
            at = block * ERASE_BYTES
            self.image[at : at + ERASE_BYTES] = source[at : at + ERASE_BYTES]
        self.touched.clear()
        self.look_afresh()
        if operation is not None:
            self.touched.add(operation[0] // ERASE_BYTES)
            tear(self.image, operation, number)

    def look_afresh(self):
        """From here on it is noted what is looked at, and what is done."""
        self.looked[:] = NOTHING
        self.erased.clear()
        self.operations = 0
        self.journal = []

    def stale(self, operation):
        """`source` has gone on by this operation."""
        self.touched.add(operation[0] // ERASE_BYTES)

    # What a boot does -------------------------------------------------------------------------------------------------
    def reader(self):
        view, erased, looked = self.view, self.erased, self.looked

        def read(config, block, offset, size):
            at = block * ERASE_BYTES + offset
            if block not in erased:
                looked[at >> UNIT_BITS : at + size >> UNIT_BITS] = ONES[: size >> UNIT_BITS]
            return bytes(view[at : at + size])

        return read

    def readblocks(self, block, buffer, offset=0):
        at = block * ERASE_BYTES + offset
        if block not in self.erased:
            self._note(at, len(buffer))
        buffer[:] = self.view[at : at + len(buffer)]

    def _note(self, at, size):
        self.looked[at >> UNIT_BITS : at + size >> UNIT_BITS] = ONES[: size >> UNIT_BITS]

    def writeblocks(self, block, buffer, offset=0):
        self.touched.add(block)
        if block not in self.erased:
            self._note(block * ERASE_BYTES + offset, len(buffer))  # a program keeps the zeros that stand there
        super().writeblocks(block, buffer, offset)

    def erase(self, block):
        self.touched.add(block)
        self.erased.add(block)
        super().erase(block)

    def ranges(self):
        """(start, end) of all that was looked at since `lay`, the whole EEPROM included."""
        found = []
        start = self.looked.find(b"\1")
        while start >= 0:
            end = self.looked.find(b"\0", start)
            end = UNITS if end < 0 else end
            found.append((start << UNIT_BITS, end << UNIT_BITS))
            start = self.looked.find(b"\1", end)
        found.append((SIZE, SIZE + EEPROM_BYTES))
        return found


class Classes:
    """The flashes that were judged after cuts of one act, each known by what its boot looked at."""

    def __init__(self):
        self.known = []  # (key, ranges, their contents, what was found)

    def find(self, device, key):
        """What was found on a flash that this one cannot be told from, or None. `key`: what else decides a verdict."""
        image = device.image
        for at in range(len(self.known) - 1, -1, -1):
            known, ranges, contents, found = self.known[at]
            if known == key and _equal(image, ranges, contents):
                return found
        return None

    def keep(self, key, ranges, image, found):
        """`image`: the flash as it was laid, before the boot."""
        contents = [bytes(image[start:end]) for start, end in ranges]
        self.known.append((key, ranges, contents, found))
        if len(self.known) > CLASSES_MAX:
            self.known.pop(0)


def _equal(image, ranges, contents):
    for at in range(len(ranges)):
        start, end = ranges[at]
        if image[start:end] != contents[at]:
            return False
    return True


def advance(source, operation, device):
    """`source` and what lies as a copy of it go on by one operation."""
    apply(source, operation)
    device.stale(operation)
