"""Every frame of the vectors, opened and sealed by an independent COSE library (cwt) as a COSE_Encrypt0 (RFC 9052)."""

import json
from typing import Any

import cbor2
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cwt import COSE, COSEKey, DecodeError

from protocol.vectors.generate import FOLDER, KEYS
from protocol.wire import envelope
from protocol.wire.envelope import DOWN, UP

Line = dict[str, Any]
LINES: list[Line] = [json.loads(line) for line in (FOLDER / "frames.jsonl").read_text().splitlines()]
ENCRYPT0 = 16
AES_CCM_16_64_128 = 10
NONCE = 5  # the header parameter IV


def derived(line: Line, identity: bytes, use: str, length: int) -> bytes:
    """Key material as docs/SPEC.md §3 gives it, with nothing of ours."""
    meter_id, root = bytes.fromhex(line["meter_id"]), bytes.fromhex(line["root"])
    context = meter_id + line["generation"].to_bytes(4, "big") + line["epoch"].to_bytes(4, "big")
    info = cbor2.dumps([identity, context, AES_CCM_16_64_128, use, length])
    return HKDF(SHA256(), length, b"guelta1", info).derive(root)


def key_of(line: Line, direction: int) -> COSEKey:
    """The COSE key of the side that seals."""
    secret = derived(line, bytes([direction]), "Key", 16)
    return COSEKey.new({1: 4, 3: AES_CCM_16_64_128, -1: secret})


def nonce_of(line: Line) -> bytes:
    """docs/SPEC.md §4."""
    sender = bytes([line["direction"]])
    plain = b"\x01" + bytes(6) + sender + line["counter"].to_bytes(5, "big")
    return bytes(a ^ b for a, b in zip(plain, derived(line, b"", "IV", 13), strict=True))


def external_aad(line: Line) -> bytes:
    """meter_id | hdr"""
    return bytes.fromhex(line["meter_id"]) + bytes.fromhex(line["frame"])[:1]


def expanded(line: Line) -> bytes:
    """The COSE_Encrypt0 that the frame stands for."""
    protected = cbor2.dumps({1: AES_CCM_16_64_128})
    body = [protected, {NONCE: nonce_of(line)}, bytes.fromhex(line["frame"])[3:]]
    return bytes(cbor2.dumps(cbor2.CBORTag(ENCRYPT0, body)))


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["name"])
def test_cwt_opens_every_frame_of_both_directions(line: Line) -> None:
    opened = COSE.new().decode(expanded(line), key_of(line, line["direction"]), external_aad=external_aad(line))
    assert opened.hex() == line["plaintext"]


@pytest.mark.parametrize("line", LINES, ids=lambda line: line["name"])
def test_what_cwt_seals_is_our_frame_and_opens_here(line: Line) -> None:
    """Given the nonce and the external aad, its encryptor gives the bytes that are on air."""
    message = COSE.new().encode_and_encrypt(
        bytes.fromhex(line["plaintext"]),
        key_of(line, line["direction"]),
        protected={1: AES_CCM_16_64_128},
        unprotected={NONCE: nonce_of(line)},
        external_aad=external_aad(line),
    )
    ciphertext = cbor2.loads(message).value[2]
    ours = bytes.fromhex(line["frame"])
    assert ciphertext == ours[3:]
    opened = envelope.open_frame(KEYS, line["direction"], ours[:3] + ciphertext, line["counter"])
    assert opened is not None and opened.hex() == line["plaintext"]


@pytest.mark.parametrize("direction", [UP, DOWN])
def test_cwt_opens_nothing_that_another_side_meter_or_counter_sealed(direction: int) -> None:
    line = next(line for line in LINES if line["direction"] == direction)
    wrong = [
        (expanded(line), key_of(line, 1 - direction), external_aad(line)),
        (expanded(line), key_of(line, direction), bytes(8) + external_aad(line)[8:]),
        (expanded({**line, "counter": line["counter"] + 1}), key_of(line, direction), external_aad(line)),
        (expanded({**line, "epoch": 10}), key_of({**line, "epoch": 10}, direction), external_aad(line)),
        (expanded({**line, "generation": 2}), key_of({**line, "generation": 2}, direction), external_aad(line)),
    ]
    for message, key, aad in wrong:
        with pytest.raises(DecodeError):
            COSE.new().decode(message, key, external_aad=aad)


def test_both_directions_are_in_the_vectors() -> None:
    assert {(line["direction"], line["type"]) for line in LINES} == {
        (way, kind) for way in (UP, DOWN) for kind in range(8)
    }
