"""The image's loader, compiled for this machine, over a flash that is a bytearray: the same C, asked by a test.

Beside it `Flash`, which firmware/boot_slot.py reads and programs, and the parts of which a slot is put together.
"""

from __future__ import annotations

import ctypes
import hashlib
import subprocess
from collections.abc import Sequence
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from firmware import boot_slot
from firmware.image.build import C_MODULES, FOLDER, PORT
from firmware.image.release import public_key
from firmware.image.sources import APT, RELEASE, trees
from protocol.wire import manifest
from tests.firmware.update_cuts import SlotRam

HARDWARE = "qemu-mps2"
KEY, OTHER_KEY = (ec.derive_private_key(secret, ec.SECP256R1()) for secret in (20_261, 20_262))
PUBLIC = public_key(KEY)
_MBEDTLS = ("asn1parse", "asn1write", "bignum", "bignum_core", "constant_time", "ecdsa", "ecp", "ecp_curves")
_SOURCES = (*_MBEDTLS, "platform_util", "sha256")
_PROGRAM = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.POINTER(ctypes.c_uint8), ctypes.c_uint)


class _Loader(ctypes.Structure):
    _fields_ = (
        ("flash", ctypes.c_void_p),
        ("program", _PROGRAM),
        ("hardware", ctypes.c_char_p),
        ("release_key", ctypes.c_char_p),
        ("factory_version", ctypes.c_uint32),
    )


class Flash:
    """Two slots. Programming clears bits; `worn` has it clear none, `torn` only those of the first two bytes."""

    def __init__(self, slots: Sequence[bytes] = (b"", b""), *, worn: bool = False, torn: bool = False) -> None:
        self.content = bytearray(b"\xff" * (boot_slot.SLOTS * boot_slot.SLOT_BYTES))
        self.worn, self.torn = worn, torn
        self.programmed: list[int] = []
        for number, slot in enumerate(slots):
            at = number * boot_slot.SLOT_BYTES
            self.content[at : at + len(slot)] = slot

    def read(self, slot: int, offset: int, size: int) -> bytes:
        """As board.slots."""
        assert slot in (0, 1) and 0 <= offset <= offset + size <= boot_slot.SLOT_BYTES
        at = slot * boot_slot.SLOT_BYTES + offset
        return bytes(self.content[at : at + size])

    def program(self, slot: int, offset: int, data: bytes) -> None:
        """As board.slots."""
        self.program_at(slot * boot_slot.SLOT_BYTES + offset, data)

    def program_at(self, at: int, data: bytes) -> None:
        """What is worn or torn is left as it is."""
        self.programmed.append(at)
        for number, byte in enumerate(b"" if self.worn else data[: 2 if self.torn else len(data)]):
            self.content[at + number] &= byte

    def like(self) -> Flash:
        """Another flash in the same state."""
        return Flash((bytes(self.content),), worn=self.worn, torn=self.torn)


class HostLoader:
    """`loader_choose` of the C that is in the image."""

    def __init__(self, folder: Path) -> None:
        mbedtls = trees(FOLDER, APT, RELEASE)["mbedtls"]
        self.built = folder / "loader.so"
        sources = [PORT / "loader.c", *(C_MODULES / "p256" / f"{name}.c" for name in ("arena", "p256"))]
        sources += [mbedtls / "library" / f"{name}.c" for name in _SOURCES]
        include = [PORT, C_MODULES / "p256", C_MODULES / "mbedtls", mbedtls / "include"]
        config = '-DMBEDTLS_CONFIG_FILE="meter_mbedtls.h"'
        command = ["gcc", "-O2", "-shared", "-fPIC", config, *(f"-I{place}" for place in include)]
        subprocess.run([*command, *map(str, sources), "-o", str(self.built)], check=True)
        self.library = ctypes.CDLL(str(self.built))

    def choose(self, flash: Flash | SlotRam, key: bytes, factory_version: int, hardware: str = HARDWARE) -> int:
        """As boot_slot.choose."""

        def program(at: int, data: ctypes._Pointer[ctypes.c_uint8], size: int) -> None:
            flash.program_at(at, ctypes.string_at(data, size))

        content = (ctypes.c_uint8 * len(flash.content)).from_buffer(flash.content)
        ours = hardware.encode().ljust(manifest.HARDWARE_LENGTH, b"\0")
        asked = _Loader(ctypes.addressof(content), _PROGRAM(program), ours, key, factory_version)
        return int(self.library.loader_choose(ctypes.byref(asked)))


def signed(unsigned: bytes, key: ec.EllipticCurvePrivateKey = KEY) -> bytes:
    """The 68 bytes with their signature behind them, whatever they say."""
    r, s = utils.decode_dss_signature(key.sign(unsigned, ec.ECDSA(hashes.SHA256())))
    return unsigned + r.to_bytes(32, "big") + s.to_bytes(32, "big")


def unsigned(
    image: bytes,
    version: int,
    *,
    head: bytes = manifest.HEAD,
    hardware: bytes = HARDWARE.encode(),
    size: int | None = None,
) -> bytes:
    """The part of a manifest that is signed, right unless something else is asked for."""
    numbers = (version, 1, len(image) if size is None else size)
    told = head + hardware.ljust(manifest.HARDWARE_LENGTH, b"\0")
    return told + b"".join(number.to_bytes(4, "big") for number in numbers) + hashlib.sha256(image).digest()


def slot(told: bytes, image: bytes, marks: dict[int, bytes]) -> bytes:
    """A slot with that manifest, that image, and those marks; the others are not set."""
    content = bytearray(b"\xff" * boot_slot.IMAGE_AT) + image
    content[: len(told)] = told
    for mark, word in marks.items():
        at = boot_slot.MARKS_AT + boot_slot.MARK_APART * mark
        content[at : at + len(word)] = word
    return bytes(content)
