"""One-time tokens of jobs: 80 random bits in sixteen signs that people can read to each other, kept as a hash only.

Crockford's alphabet: no I, L, O or U, and what looks like 0 or 1 is read as such. Guessing is bounded by the job
(claims.py), so a plain hash is enough; it covers the job, so that equal tokens would not show.
"""

import hashlib
import hmac
from collections.abc import Callable

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TOKEN_BYTES = 10
SIGNS = 16
_GROUP = 4
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", " ": "", "-": ""})


def make(random_bytes: Callable[[int], bytes]) -> str:
    """A fresh token, as "K7QM-4T2D-9XNP-0ABC"."""
    number = int.from_bytes(random_bytes(TOKEN_BYTES), "big")
    signs = "".join(ALPHABET[number >> 5 * at & 31] for at in reversed(range(SIGNS)))
    return "-".join(signs[at : at + _GROUP] for at in range(0, SIGNS, _GROUP))


def hash_of(job: int, typed: str) -> bytes:
    """What is kept of a token; however it was typed, it is the same."""
    read = typed.upper().translate(_READ_AS)
    return hashlib.sha256(b"guelta job token\0" + str(job).encode() + b"\0" + read.encode()).digest()


def matches(kept: bytes, job: int, typed: str) -> bool:
    """Whether this is the token of the job; takes the same time for every wrong one."""
    return hmac.compare_digest(kept, hash_of(job, typed))
