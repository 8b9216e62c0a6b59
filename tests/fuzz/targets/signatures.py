"""Signature headers: whatever stands in them, the verdict is a word, and "good" only for the tag of a known secret over
these very bytes within five minutes (P4, I14). Input: lines `id | timestamp | signatures`, the body behind them; the
first byte, if odd, adds the right signature of what stands there."""

from headend.payments import signature
from headend.payments.signature import Verdict
from tests.fuzz.judge import text_of

SECRET, NOW_S = bytes(range(32)), 1_798_761_600
HEADERS = ("webhook-id", "webhook-timestamp", "webhook-signature")


def seeds() -> list[bytes]:
    good = signature.sign(SECRET, "msg_1", NOW_S, b"{}").encode()
    return [
        b"\x00msg_1\n1798761600\n" + good + b"\n{}",
        b"\x01msg_1\n1798761600\nv1,AAAA v1a,x\n{}",
        b"\x01msg_1\n1798761901\nv1\nbody",
        b"\x00\n01\n\n",
        b"\x01m.1\n1\xff\nv1,\xc3\xa9\n",
    ]


def one(data: bytes) -> None:
    lines = data[1:].split(b"\n", 3)
    if len(lines) < 4:
        return
    message_id, timestamp, given = map(text_of, lines[:3])
    right = _right(message_id, timestamp, lines[3])
    if sum(data[:1]) & 1 and right:
        given = f"{given} {right}"[:1_000]
    headers = dict(zip(HEADERS, (message_id, timestamp, given), strict=True))
    verdict = signature.verify([bytes(32), SECRET], headers, lines[3], NOW_S)
    assert bool(signature.missing(headers)) == (verdict is Verdict.MISSING)
    if verdict is Verdict.GOOD:
        assert right and right in given.split(" ") and abs(NOW_S - int(timestamp)) <= signature.WINDOW_S
    elif right and right in given.split(" ")[:8]:
        assert verdict in (Verdict.STALE, Verdict.FUTURE)


def _right(message_id: str, timestamp: str, body: bytes) -> str:
    """The signature of these, where they can be signed at all."""
    named = message_id.isascii() and message_id.replace("_", "").replace("-", "").isalnum() and len(message_id) <= 64
    timed = timestamp.isascii() and timestamp.isdigit() and timestamp[:1] != "0" and len(timestamp) <= 12
    return signature.sign(SECRET, message_id, int(timestamp), body) if named and timed else ""
