"""ECDSA on P-256 as an update is signed with it: what a verifier must say of right, wrong and hollow signatures."""

import pytest

from protocol.compat import p256_verify, sha256

# RFC 6979, A.2.5: the key, and its signatures with SHA-256 of "sample" and "test".
KEY = bytes.fromhex(
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
SAMPLE = bytes.fromhex(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)
TEST = bytes.fromhex(
    "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
    "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"
)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def test_the_published_signatures_are_right() -> None:
    assert p256_verify(KEY, sha256(b"sample"), SAMPLE) is True
    assert p256_verify(KEY, sha256(b"test"), TEST) is True


def test_any_flipped_bit_is_wrong() -> None:
    for at in range(0, 512, 7):
        flipped = (int.from_bytes(SAMPLE, "big") ^ 1 << at).to_bytes(64, "big")
        assert p256_verify(KEY, sha256(b"sample"), flipped) is False
    assert p256_verify(KEY, sha256(b"simple"), SAMPLE) is False
    assert p256_verify(KEY, sha256(b"sample"), TEST) is False


@pytest.mark.parametrize("key", [bytes(64), b"\xff" * 64, KEY[:63] + b"\x98", KEY[32:] + KEY[:32]])
def test_a_key_that_is_no_point_of_the_curve_signs_nothing(key: bytes) -> None:
    assert p256_verify(key, sha256(b"sample"), SAMPLE) is False


@pytest.mark.parametrize("r", [0, ORDER, 2**256 - 1])
def test_numbers_outside_of_the_group_sign_nothing(r: int) -> None:
    assert p256_verify(KEY, sha256(b"sample"), r.to_bytes(32, "big") + SAMPLE[32:]) is False
    assert p256_verify(KEY, sha256(b"sample"), SAMPLE[:32] + r.to_bytes(32, "big")) is False
