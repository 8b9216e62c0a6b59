"""The driver of the EEPROM against a model of the part: pages that wrap, and no answer while it writes."""

import pytest

from firmware import keepsake
from firmware.boards.qemu_mps2.eeprom import PAGE_BYTES, At24c32


class Part:
    """An AT24C32 as its data sheet tells: after each page it answers nothing for `busy` addressings."""

    def __init__(self, busy: int = 3) -> None:
        self.content, self.cursor, self.busy, self.deaf = bytearray(b"\xff" * 4096), 0, busy, 0
        self.pages_written = 0

    def _addressed(self, address: int) -> None:
        if address != 0x50:
            raise OSError(19)
        if self.deaf:
            self.deaf -= 1
            raise OSError(19)

    def writeto(self, address: int, data: bytes, stop: bool = True) -> int:
        self._addressed(address)
        if len(data) >= 2:
            self.cursor = int.from_bytes(data[:2], "big") % 4096
        page = self.cursor // PAGE_BYTES * PAGE_BYTES
        for byte in data[2:]:
            self.content[self.cursor] = byte
            self.cursor = page + (self.cursor + 1) % PAGE_BYTES
        if len(data) > 2:
            assert stop
            self.deaf = self.busy
            self.pages_written += 1
        return len(data)

    def readfrom(self, address: int, size: int) -> bytes:
        self._addressed(address)
        return bytes(self.content[(self.cursor + at) % 4096] for at in range(size))


@pytest.mark.parametrize("offset", [0, 1, 31, 32, 33, 1_000, 4_000])
@pytest.mark.parametrize("size", [1, 31, 32, 33, 96])
def test_what_is_written_across_pages_is_read_back(offset: int, size: int) -> None:
    part = Part()
    eeprom, data = At24c32(part), bytes(range(size))
    eeprom.write(offset, data)
    assert eeprom.read(offset, size) == data
    assert part.content == b"\xff" * offset + data + b"\xff" * (4096 - offset - size)
    assert part.pages_written == (offset + size - 1) // PAGE_BYTES - offset // PAGE_BYTES + 1


def test_the_keepsake_lives_in_it() -> None:
    eeprom = At24c32(Part())
    assert keepsake.keep(eeprom, keepsake.IDENTITY, bytes(300))
    assert keepsake.keep(eeprom, keepsake.COUNTERS, bytes(range(18)))
    assert keepsake.look(eeprom, keepsake.IDENTITY) == (keepsake.KEPT, bytes(300), True)
    assert keepsake.look(eeprom, keepsake.COUNTERS) == (keepsake.KEPT, bytes(range(18)), True)


def test_a_part_that_stays_deaf_is_an_error_and_no_hang() -> None:
    with pytest.raises(OSError):
        At24c32(Part(busy=10**6)).write(0, b"x")
