"""Whether a flash is blank, asked when it does not mount, before anything is decided about it; and making it so.

littlefs begins with blocks 0 and 1, of which the one with the higher revision holds: a flash without it does not mount.
The other one goes first, or a cut between the two would leave a file system of long ago. So a power cut at any instant
of `erase` leaves the whole file system, or none that mounts.
"""

CHUNK_BYTES = 256
ERASED = b"\xff" * CHUNK_BYTES
BLOCK_COUNT = 4  # what ioctl is asked for
BLOCK_SIZE = 5
ERASE = 6
BREATHS = 8  # blocks erased between two looks at the clock


def is_blank(device):
    """`device`: a block device as littlefs takes it."""
    for block in range(device.ioctl(BLOCK_COUNT, 0)):
        if not is_block_blank(device, block):
            return False
    return True


def is_block_blank(device, block):
    chunk = bytearray(CHUNK_BYTES)
    for offset in range(0, device.ioctl(BLOCK_SIZE, 0), CHUNK_BYTES):
        device.readblocks(block, chunk, offset)
        if chunk != ERASED:
            return False
    return True


def erase(device, breathe):
    """Erase what is not blank; True when all of it was seen to be. It takes long: `breathe()` is called on the way."""
    first = int(_revision(device, 0) > _revision(device, 1))
    for step in range(device.ioctl(BLOCK_COUNT, 0)):
        block = step ^ first if step < 2 else step
        try:
            if not is_block_blank(device, block):
                device.ioctl(ERASE, block)
        except OSError:
            if step < 2:
                return False  # it still mounts: then nothing else of it may go
        if step % BREATHS == 0:
            breathe()
    return is_blank(device)


def _revision(device, block):
    """The revision of a block of metadata, -1 for a blank one."""
    if is_block_blank(device, block):
        return -1
    head = bytearray(4)
    device.readblocks(block, head, 0)
    return int.from_bytes(head, "little")
