"""AES-CCM (RFC 3610, NIST SP 800-38C) over a block cipher that is handed in: what the meter runs.

MicroPython's `cryptolib` has the bare AES block only. CCM needs nothing but encryption, so this file is the whole
mode. It refuses nothing: lengths are the envelope's business; a wrong tag gives None.
"""

TYPE_CHECKING = False  # not taken from compat.py, which imports this file on the meter

if TYPE_CHECKING:
    from typing import Callable

    Block = Callable[[bytes], bytes]

_BLOCK = 16


def equal(left: bytes, right: bytes) -> bool:
    """Compare two secrets in time that depends on their length only."""
    if len(left) != len(right):
        return False
    difference = 0
    for index in range(len(left)):
        difference |= left[index] ^ right[index]
    return difference == 0


def _xor(left: bytes, right: bytes) -> bytes:
    """`left` and `right` joined bit by bit, as long as the shorter one."""
    length = min(len(left), len(right))
    return bytes([left[index] ^ right[index] for index in range(length)])


def _authenticate(block: "Block", nonce: bytes, plaintext: bytes, aad: bytes, tag_length: int) -> bytes:
    """The CBC-MAC T of RFC 3610 §2.2, whole; `aad` shorter than 65280 bytes."""
    length_bytes = 15 - len(nonce)
    flags = (0x40 if aad else 0) | ((tag_length - 2) // 2) << 3 | (length_bytes - 1)
    text = bytes([flags]) + nonce + len(plaintext).to_bytes(length_bytes, "big")
    if aad:
        head = len(aad).to_bytes(2, "big") + aad
        text += head + bytes(-len(head) % _BLOCK)
    text += plaintext + bytes(-len(plaintext) % _BLOCK)
    state = bytes(_BLOCK)
    for start in range(0, len(text), _BLOCK):
        state = block(_xor(state, text[start : start + _BLOCK]))
    return state


def _counter_block(nonce: bytes, number: int) -> bytes:
    """The counter block A_number of RFC 3610 §2.3."""
    length_bytes = 15 - len(nonce)
    return bytes([length_bytes - 1]) + nonce + number.to_bytes(length_bytes, "big")


def _crypt(block: "Block", nonce: bytes, text: bytes) -> bytes:
    """Encrypt or decrypt `text` with the key stream from A_1 on."""
    out = b""
    for start in range(0, len(text), _BLOCK):
        out += _xor(text[start : start + _BLOCK], block(_counter_block(nonce, start // _BLOCK + 1)))
    return out


def seal(block: "Block", nonce: bytes, plaintext: bytes, aad: bytes, tag_length: int) -> bytes:
    """Ciphertext followed by the tag of `tag_length` bytes (4, 6, … 16)."""
    tag = _xor(_authenticate(block, nonce, plaintext, aad, tag_length), block(_counter_block(nonce, 0)))
    return _crypt(block, nonce, plaintext) + tag[:tag_length]


def open_sealed(block: "Block", nonce: bytes, sealed: bytes, aad: bytes, tag_length: int) -> "bytes | None":
    """The plaintext, or None when `sealed` is shorter than a tag or its tag is wrong."""
    if len(sealed) < tag_length:
        return None
    plaintext = _crypt(block, nonce, sealed[: len(sealed) - tag_length])
    tag = _xor(_authenticate(block, nonce, plaintext, aad, tag_length), block(_counter_block(nonce, 0)))
    return plaintext if equal(tag[:tag_length], sealed[len(sealed) - tag_length :]) else None
