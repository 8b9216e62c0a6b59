"""Who sent this, and when: Standard Webhooks signatures over the raw bytes. Pure: all it needs is handed in.

    webhook-signature: v1,BASE64(HMAC-SHA256(secret, webhook-id + "." + webhook-timestamp + "." + body))

Several signatures may stand in the header, separated by spaces, while a secret is being rotated; one good one is
enough. A request without a body signs its target instead (`/biller/v1/NAME/status/ID`), so that a signature fits one
address only. Identifiers hold no ".", so that no two splits of the signed bytes mean different things.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from enum import Enum

WINDOW_S = 300
SECRET_PREFIX = "whsec_"
SECRET_BYTES = 32

_ID = re.compile(r"^[A-Za-z0-9_-]{1,64}(?![\s\S])")
_TIMESTAMP = re.compile(r"^[1-9][0-9]{0,11}(?![\s\S])")
_SIGNATURES_MAX = 8


class Verdict(Enum):
    """What the signature headers prove. The value is the problem code, or "" for a good one."""

    GOOD = ""
    MISSING = "signature_missing"
    WRONG = "signature_wrong"
    STALE = "signature_stale"
    FUTURE = "signature_future"


def sign(secret: bytes, message_id: str, timestamp_s: int, body: bytes) -> str:
    """The `webhook-signature` value for one secret."""
    return "v1," + base64.b64encode(_tag(secret, message_id, str(timestamp_s), body)).decode()


def verify(secrets: Iterable[bytes], headers: Mapping[str, str], body: bytes, now_unix_s: int) -> Verdict:
    """Judge a request by its headers and raw bytes; the signature before the time, so that strangers learn nothing."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    given = _given(headers.get("webhook-signature", ""))
    if missing(headers) or not given:
        return Verdict.MISSING
    wanted = [_tag(secret, message_id, timestamp, body) for secret in secrets]
    # Every pair is compared in constant time, without stopping at the first match.
    matches = [hmac.compare_digest(tag, candidate) for tag in wanted for candidate in given]
    if not any(matches):
        return Verdict.WRONG
    age_s = now_unix_s - int(timestamp)
    if age_s > WINDOW_S:
        return Verdict.STALE
    return Verdict.FUTURE if age_s < -WINDOW_S else Verdict.GOOD


def missing(headers: Mapping[str, str]) -> str:
    """The name of the first signature header that is absent or unreadable; "" when all are there."""
    if _ID.match(headers.get("webhook-id", "")) is None:
        return "webhook-id"
    if _TIMESTAMP.match(headers.get("webhook-timestamp", "")) is None:
        return "webhook-timestamp"
    return "" if _given(headers.get("webhook-signature", "")) else "webhook-signature"


def secret_text(secret: bytes) -> str:
    """A secret as it is printed once and kept by the provider: `whsec_` + base64."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def _tag(secret: bytes, message_id: str, timestamp: str, body: bytes) -> bytes:
    return hmac.new(secret, b".".join((message_id.encode(), timestamp.encode(), body)), hashlib.sha256).digest()


def _given(header: str) -> list[bytes]:
    """The 32-byte v1 signatures in the header; others (v1a, unreadable) are passed over."""
    found = []
    for part in header.split(" ")[:_SIGNATURES_MAX]:
        version, _, text = part.partition(",")
        if version != "v1":
            continue
        try:
            tag = base64.b64decode(text, validate=True)
        except (binascii.Error, ValueError):
            continue
        if len(tag) == hashlib.sha256().digest_size:
            found.append(tag)
    return found
