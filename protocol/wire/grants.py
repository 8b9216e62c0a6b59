"""Grants: what a headend lets somebody do at a meter's service port, for how long and how often (Appendix B).

    terms     = number 4 | role 1 | uses 1 | from_s 4 | until_s 4                               14 bytes, big endian
    grant_key = expand(root, SALT, SENDER_NONE, meter_id | generation 4 | terms, "Grant", 16)

The key follows from the root and the terms: who holds it was given exactly these terms for exactly this meter, and
other terms make another key, so nothing on a meter has to verify a signature. A meter takes a number that is not below
the highest one that proved itself, and of that one as many sessions as it has uses.
"""

from collections import namedtuple

from protocol import errors
from protocol.compat import const, hmac_sha256
from protocol.wire.console_codes import READER, RETIRER
from protocol.wire.fields import require_integer, require_positive
from protocol.wire.keys import KEY_LENGTH, SALT, SENDER_NONE, expand
from protocol.wire.limits import METER_ID_LENGTH, U32_MAX

GRANT_S_MAX = const(259200)  # 72 hours
USES_MAX = const(100)
TERMS_LENGTH = const(14)
HASH_LENGTH = const(32)
ATTEST_TAG_LENGTH = const(16)

# meter_id 8 bytes; generation, number 0..2^32−1, number from 1 on; role of console_codes, not the owner's; uses: 1..100
# sessions; from_s, until_s: Unix seconds, the second one excluded, at most 72 hours apart.
Grant = namedtuple("Grant", ("meter_id", "generation", "number", "role", "uses", "from_s", "until_s"))


def check(grant: Grant) -> Grant:
    """The grant itself. Raises WireRefused with the name of the first field outside its limits."""
    if not isinstance(grant.meter_id, bytes) or len(grant.meter_id) != METER_ID_LENGTH:
        raise errors.WireRefused(errors.FIELD_LENGTH, "meter_id")
    require_integer(grant.generation, U32_MAX, "generation")
    require_positive(require_integer(grant.number, U32_MAX, "number"), "number")
    if require_integer(grant.role, RETIRER, "role") < READER:
        raise errors.WireRefused(errors.FIELD_RANGE, "role")
    require_positive(require_integer(grant.uses, USES_MAX, "uses"), "uses")
    require_integer(grant.from_s, U32_MAX, "from_s")
    require_integer(grant.until_s, U32_MAX, "until_s")
    if not 0 < grant.until_s - grant.from_s <= GRANT_S_MAX:
        raise errors.WireRefused(errors.FIELD_RANGE, "until_s")
    return grant


def encode_terms(grant: Grant) -> bytes:
    """The 14 bytes of a grant's terms. Raises WireRefused."""
    check(grant)
    packed = grant.number << 80 | grant.role << 72 | grant.uses << 64 | grant.from_s << 32 | grant.until_s
    terms: bytes = packed.to_bytes(TERMS_LENGTH, "big")
    return terms


def decode_terms(terms: bytes, meter_id: bytes, generation: int) -> Grant:
    """The grant that `terms` are for this meter and wallet generation. Raises WireRefused."""
    if len(terms) != TERMS_LENGTH:
        raise errors.WireRefused(errors.FIELD_LENGTH, "terms")
    number, times = int.from_bytes(terms[:4], "big"), terms[6:]
    from_s, until_s = int.from_bytes(times[:4], "big"), int.from_bytes(times[4:], "big")
    return check(Grant(meter_id, generation, number, terms[4], terms[5], from_s, until_s))


def grant_key(root: bytes, grant: Grant) -> bytes:
    """What opens a session under these terms, and no other. Raises WireRefused."""
    bound = grant.meter_id + grant.generation.to_bytes(4, "big") + encode_terms(grant)
    return expand(root, SALT, SENDER_NONE, bound, "Grant", KEY_LENGTH)


def attest_key(root: bytes, meter_id: bytes, generation: int) -> bytes:
    """What a meter attests records of work with, known to the headend alone besides."""
    return expand(root, SALT, SENDER_NONE, meter_id + generation.to_bytes(4, "big"), "Attest", KEY_LENGTH)


def attest_tag(key: bytes, digest: bytes, unix_s: int) -> bytes:
    """The 16 bytes by which a meter says that it was shown `digest` (32 bytes) when its clock stood at `unix_s`."""
    return hmac_sha256(key, b"attest" + digest + unix_s.to_bytes(4, "big"))[:ATTEST_TAG_LENGTH]
