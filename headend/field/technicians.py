"""Technicians and their tools: a technician is the API key of that name, with the scope `field`.

A tool has an Ed25519 key of its own, made on the laptop; the headend knows the public half and takes records signed
with it from this technician alone.
"""

import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from headend.refusals import Code, Refused
from headend.storage.writer import Tx

FIELD = "field"
FINGERPRINT_DIGITS = 16
KEY_LENGTH = 32


def require_technician(tx: Tx, name: str) -> None:
    """Raises Refused unless this is a key in use with the scope `field`."""
    row = tx.cursor.execute("SELECT scope FROM api_key WHERE name = ? AND revoked_us IS NULL", (name,)).fetchone()
    if row is None or FIELD not in row[0].split(","):
        raise Refused(Code.TECHNICIAN_UNKNOWN, "technician", name)


def fingerprint(public_key: bytes) -> str:
    """What people compare: the first 16 hexadecimal digits of the key's SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:FINGERPRINT_DIGITS]


def enrol(tx: Tx, technician: str, public_key: bytes, tool: str) -> str:
    """Take records signed with this key from now on; its fingerprint. The same key again is no change."""
    _require_key(public_key)
    row = tx.cursor.execute("SELECT technician FROM field_tool WHERE public_key = ?", (public_key,)).fetchone()
    if row is not None and row[0] != technician:
        raise Refused(Code.TOOL_TAKEN, "public_key", fingerprint(public_key))
    if row is None:
        values = (public_key, technician, fingerprint(public_key), tool, tx.now_us)
        tx.cursor.execute(
            "INSERT INTO field_tool (public_key, technician, fingerprint, tool, enrolled_us) VALUES (?, ?, ?, ?, ?)",
            values,
        )
    return fingerprint(public_key)


def require_signed(tx: Tx, technician: str, fingerprint: str, message: bytes, signature: bytes) -> None:
    """Raises Refused unless a tool of this technician signed exactly these bytes."""
    row = tx.cursor.execute(
        "SELECT public_key FROM field_tool WHERE fingerprint = ? AND technician = ?", (fingerprint, technician)
    ).fetchone()
    if row is None:
        raise Refused(Code.TOOL_UNKNOWN, "fingerprint", fingerprint)
    try:
        Ed25519PublicKey.from_public_bytes(bytes(row[0])).verify(signature, message)
    except InvalidSignature:
        raise Refused(Code.RECORD_SIGNATURE, "signature", fingerprint) from None


def _require_key(public_key: bytes) -> None:
    """Raises Refused for what is no point of the curve, and for the few points that would verify anything."""
    y = int.from_bytes(public_key, "little") & (1 << 255) - 1
    x_squared = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if len(public_key) != KEY_LENGTH or y in _SMALL_ORDER or y >= _P or pow(x_squared, (_P - 1) // 2, _P) != 1:
        raise Refused(Code.TOOL_KEY, "public_key", public_key.hex())


# Edwards25519 (RFC 8032 §5.1), and the y of its points of order 1, 2, 4 and 8.
_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P
_Y8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_ORDER = frozenset({0, 1, _P - 1, _Y8, _P - _Y8})
