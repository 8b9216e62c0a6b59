"""A NOR-like flash in a file: 4 KB erase blocks, 64-byte program granularity, every operation counted.

The file is written straight through to the kernel, so a SIGKILL is a power cut: what was programmed stays, what was not
does not. A test rig can name the operation at which the power goes (`cut_at`): a clean cut leaves that operation
undone, a torn one leaves its first half.
"""

from firmware.boards.littlefs import BLOCKS, ERASE_BYTES

ERASED = b"\xff" * 256

CUT_CLEAN = 0
CUT_TORN = 1


class NorFile:
    def __init__(self, path, on_cut):
        """`on_cut(operation)` is called at the cut point and must not return."""
        try:
            self.file = open(path, "r+b")
        except OSError:
            self.file = open(path, "w+b")
        self.file.seek(0, 2)
        while self.file.tell() < ERASE_BYTES * BLOCKS:
            self.file.write(ERASED)
        self.on_cut = on_cut
        self.operations = 0
        self.cut_at = None
        self.cut_mode = CUT_CLEAN

    def arm_cut(self, operations_from_now, mode):
        self.cut_at = self.operations + operations_from_now
        self.cut_mode = mode

    def counted(self, size):
        """How many bytes of this operation reach the flash."""
        self.operations += 1
        if self.cut_at is None or self.operations < self.cut_at:
            return size
        return size // 2 if self.cut_mode == CUT_TORN else 0

    def cut_if_due(self):
        if self.cut_at is not None and self.operations >= self.cut_at:
            self.on_cut(self.operations)

    def readblocks(self, block, buffer, offset=0):
        self.file.seek(block * ERASE_BYTES + offset)
        self.file.readinto(buffer)

    def writeblocks(self, block, buffer, offset=0):
        size = self.counted(len(buffer))
        if size:
            self.file.seek(block * ERASE_BYTES + offset)
            self.file.write(buffer if size == len(buffer) else buffer[:size])
        self.cut_if_due()

    def _erase(self, block):
        self.file.seek(block * ERASE_BYTES)
        for _ in range(self.counted(ERASE_BYTES) // len(ERASED)):
            self.file.write(ERASED)
        self.cut_if_due()

    def ioctl(self, operation, argument):
        if operation == 4:  # block count
            return BLOCKS
        if operation == 5:  # block size
            return ERASE_BYTES
        if operation == 6:  # erase
            self._erase(argument)
        return 0
