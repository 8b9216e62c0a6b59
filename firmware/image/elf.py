"""Reads of an image's ELF file how much flash and RAM it takes, and changes a number or some bytes of it. Host-side."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

from firmware.image.sources import FirmwareFailed

_HEAD = struct.Struct("<4sBBB9x2HI3II6H")
_SECTION = struct.Struct("<10I")
_SYMBOL = struct.Struct("<IIIBBH")
_NO_BITS, _SYMBOL_TABLE = 8, 2
_WRITABLE, _IN_MEMORY = 1, 2


class Section(NamedTuple):
    """One section header."""

    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int


class Size(NamedTuple):
    """What the image takes: flash for code, constants and first values; RAM for data, heap and stack."""

    text_bytes: int
    ram_bytes: int


class Image:
    """An ELF file of a 32-bit little-endian machine, as the linker of the image writes it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._data = path.read_bytes()
        except FileNotFoundError:
            raise FirmwareFailed(f"there is no {path}: build it with `make firmware`") from None
        if self._data[:6] != b"\x7fELF\x01\x01" or len(self._data) < _HEAD.size:
            raise FirmwareFailed(f"{path} is no image: build it again with `make firmware`")
        head = _HEAD.unpack_from(self._data)
        at, entry_size, count = head[9], head[14], head[15]
        self.sections = [self._section(at + number * entry_size) for number in range(count)]

    def size(self) -> Size:
        """By sections that lie in memory: not writable ones and first values in flash, writable ones in RAM."""
        lying = [section for section in self.sections if section.flags & _IN_MEMORY]
        writable = [section for section in lying if section.flags & _WRITABLE]
        first_values = sum(section.size for section in writable if section.kind != _NO_BITS)
        ram = sum(section.size for section in writable)
        return Size(sum(section.size for section in lying) - ram + first_values, ram)

    def with_number(self, name: str, value: int) -> bytes:
        """The file with another value in the 32-bit number of that name."""
        return self.with_bytes(name, value.to_bytes(4, "little"))

    def with_bytes(self, name: str, value: bytes) -> bytes:
        """The file with other bytes in the object of that name."""
        at = self._offset(name)
        return self._data[:at] + value + self._data[at + len(value) :]

    def number(self, name: str) -> int:
        """The 32-bit number of that name."""
        at = self._offset(name)
        return int.from_bytes(self._data[at : at + 4], "little")

    def _offset(self, name: str) -> int:
        """Where in the file it stands."""
        address = self.address(name)
        for section in self.sections:
            is_stored = section.kind != _NO_BITS and section.flags & _IN_MEMORY
            if is_stored and 0 <= address - section.address < section.size:
                return section.offset + address - section.address
        raise FirmwareFailed(f"{self.path} holds no value of {name}: build it again with `make firmware`")

    def address(self, name: str) -> int:
        """Where it stands in the machine's memory."""
        for table in self.sections:
            if table.kind != _SYMBOL_TABLE:
                continue
            names = self.sections[table.link]
            for at in range(table.offset, table.offset + table.size, _SYMBOL.size):
                name_at, address, *_ = _SYMBOL.unpack_from(self._data, at)
                begin = names.offset + name_at
                if self._data[begin : self._data.index(b"\0", begin)] == name.encode():
                    return int(address)
        raise FirmwareFailed(f"{self.path} has no {name}: build it again with `make firmware`")

    def _section(self, at: int) -> Section:
        _, kind, flags, address, offset, size, link, *_ = _SECTION.unpack_from(self._data, at)
        return Section(kind, flags, address, offset, size, link)
