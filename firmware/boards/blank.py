"""Whether a flash is blank: asked when it does not mount, before anything is decided about it."""

CHUNK_BYTES = 256
ERASED = b"\xff" * CHUNK_BYTES
BLOCK_COUNT = 4  # what ioctl is asked for
BLOCK_SIZE = 5


def is_blank(device):
    """`device`: a block device as littlefs takes it."""
    blocks, size = device.ioctl(BLOCK_COUNT, 0), device.ioctl(BLOCK_SIZE, 0)
    chunk = bytearray(CHUNK_BYTES)
    for block in range(blocks):
        for offset in range(0, size, CHUNK_BYTES):
            device.readblocks(block, chunk, offset)
            if chunk != ERASED:
                return False
    return True
