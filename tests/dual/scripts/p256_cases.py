"""Signatures right, wrong and hollow, and what this interpreter says of each: tests/image/test_p256.py compares."""

from protocol.compat import p256_verify, sha256

# RFC 6979, A.2.5: its key, and its signature with SHA-256 of "sample".
KEY = bytes.fromhex(
    "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6"
    "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
)
SAMPLE = bytes.fromhex(
    "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
    "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
)
ORDER = bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551")


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


digest = sha256(b"sample")
print(p256_verify(KEY, digest, SAMPLE))
for bit in range(0, 512, 37):
    print(bit, p256_verify(KEY, digest, flipped(SAMPLE, bit)), p256_verify(flipped(KEY, bit), digest, SAMPLE))
    print(bit, p256_verify(KEY, flipped(digest, bit // 2), SAMPLE))
for part in (bytes(32), ORDER, b"\xff" * 32):
    print(p256_verify(KEY, digest, part + SAMPLE[32:]), p256_verify(KEY, digest, SAMPLE[:32] + part))
for key in (bytes(64), b"\xff" * 64, KEY[32:] + KEY[:32]):
    print(p256_verify(key, digest, SAMPLE))
