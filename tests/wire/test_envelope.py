"""The envelope: 11 bytes, one sender, one counter, one generation, and readable by any COSE implementation."""

from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESCCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol.errors import COUNTER_RANGE, FIELD_RANGE, FRAME_LENGTH, FRAME_VERSION, KEY_LENGTH, WireRefused
from protocol.wire import envelope, keys, messages, uplinks
from protocol.wire.envelope import DOWN, UP

ROOT = bytes(range(16))
METER = bytes.fromhex("4755454c54410001")
KEYS = keys.derive(ROOT, METER, 1, 9)


def code_of(function: Any, *arguments: Any) -> int:
    with pytest.raises(WireRefused) as caught:
        function(*arguments)
    code: int = caught.value.code
    return code


def test_the_overhead_is_11_bytes_and_a_poll_is_nothing_else() -> None:
    kind, plaintext = uplinks.encode_up(messages.Poll())
    assert len(envelope.seal(KEYS, UP, kind, 5, plaintext)) == 11
    assert len(envelope.seal(KEYS, UP, messages.UP_EVENT, 5, bytes(40))) == 51


def test_the_header_tells_version_type_epoch_and_sequence() -> None:
    frame = envelope.seal(KEYS, UP, messages.UP_EVENT, 0x12345, b"x")
    assert envelope.read_header(frame) == envelope.Header(version=1, type=3, epoch3=1, seq=0x2345)


@pytest.mark.parametrize("direction", [UP, DOWN])
@pytest.mark.parametrize("counter", [0, 1, 0xFFFF, 0x10000, 0xFFFFFFFF])
def test_a_cose_library_reads_every_frame(direction: int, counter: int) -> None:
    """RFC 9052 §5.3 with nothing of ours but the frame: cbor2 builds, cryptography derives and decrypts."""
    frame = envelope.seal(KEYS, direction, 3, counter, b"four litres")
    context = METER + (1).to_bytes(4, "big") + (9).to_bytes(4, "big")
    sender = b"\x00" if direction == UP else b"\x01"

    def derived(identity: bytes, use: str, length: int) -> bytes:
        info = cbor2.dumps([identity, context, 10, use, length])
        return HKDF(SHA256(), length, b"guelta1", info).derive(ROOT)

    padded = b"\x01" + bytes(6) + sender + counter.to_bytes(5, "big")
    nonce = bytes(a ^ b for a, b in zip(padded, derived(b"", "IV", 13), strict=True))
    cose_encrypt0 = cbor2.loads(cbor2.dumps(cbor2.CBORTag(16, [cbor2.dumps({1: 10}), {5: nonce}, frame[3:]]))).value
    protected, unprotected, ciphertext = cose_encrypt0
    aad = cbor2.dumps(["Encrypt0", protected, METER + frame[:1]])
    cipher = AESCCM(derived(sender, "Key", 16), tag_length=8)
    assert cipher.decrypt(unprotected[5], ciphertext, aad) == b"four litres"


def test_a_frame_opens_only_for_its_own_direction_counter_generation_epoch_and_meter() -> None:
    """A4: the wallet generation is part of the key; D4: so is the whole epoch, though 3 bits of it are on air."""
    frame = envelope.seal(KEYS, UP, 3, 7, b"text")
    assert envelope.open_frame(KEYS, UP, frame, 7) == b"text"
    assert envelope.open_frame(KEYS, DOWN, frame, 7) is None
    assert envelope.open_frame(KEYS, UP, frame, 8) is None
    assert envelope.open_frame(KEYS, UP, frame, 7 + 0x10000) is None
    for other in (
        keys.derive(ROOT, METER, 2, 9),
        keys.derive(ROOT, METER, 1, 17),
        keys.derive(ROOT, METER, 1, 10),
        keys.derive(ROOT, bytes(8), 1, 9),
        keys.derive(bytes(16), METER, 1, 9),
    ):
        assert envelope.open_frame(other, UP, frame, 7) is None


def test_the_two_directions_never_share_key_or_nonce() -> None:
    assert KEYS.up_key != KEYS.down_key
    nonces = {keys.nonce(KEYS.common_iv, s, c) for s in (keys.SENDER_UP, keys.SENDER_DOWN) for c in range(300)}
    assert len(nonces) == 600


def test_every_changed_bit_is_noticed() -> None:
    frame = envelope.seal(KEYS, UP, 3, 7, b"text")
    for bit in range(8 * len(frame)):
        changed = bytearray(frame)
        changed[bit // 8] ^= 0x80 >> bit % 8
        assert envelope.open_frame(KEYS, UP, bytes(changed), 7) is None


def test_headers_that_are_none_are_refused() -> None:
    frame = envelope.seal(KEYS, UP, 2, 7, b"")
    assert code_of(envelope.read_header, frame[:10]) == FRAME_LENGTH
    assert code_of(envelope.read_header, frame + bytes(212)) == FRAME_LENGTH
    assert code_of(envelope.read_header, b"\x80" + frame[1:]) == FRAME_VERSION


def test_what_cannot_be_sealed_is_refused() -> None:
    assert code_of(envelope.seal, KEYS, UP, 2, 2**32, b"") == COUNTER_RANGE
    assert code_of(envelope.seal, KEYS, UP, 2, -1, b"") == COUNTER_RANGE
    assert code_of(envelope.seal, KEYS, UP, 0, 1, bytes(212)) == FRAME_LENGTH
    assert code_of(envelope.seal, KEYS, DOWN, 0, 1, bytes(41)) == FRAME_LENGTH
    assert len(envelope.seal(KEYS, UP, 0, 1, bytes(211))) == 222
    assert len(envelope.seal(KEYS, DOWN, 0, 1, bytes(40))) == 51


def test_key_inputs_of_another_size_are_refused() -> None:
    assert code_of(keys.derive, ROOT[:15], METER, 1, 0) == KEY_LENGTH
    assert code_of(keys.derive, ROOT, METER + b"x", 1, 0) == KEY_LENGTH
    assert code_of(keys.derive, ROOT, METER, 2**32, 0) == FIELD_RANGE
    assert code_of(keys.derive, ROOT, METER, 1, -1) == FIELD_RANGE
