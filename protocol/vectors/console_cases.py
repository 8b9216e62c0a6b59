"""Examples of the service port (docs/SPEC.md, Appendix B): lines that are taken, and lines that are not. Host side."""

from binascii import crc32
from typing import Any

from protocol.vectors import cases
from protocol.wire import cbor, cobs, console, grants
from protocol.wire.grants import Grant
from protocol.wire.limits import U32_MAX

KEY = console.console_key(cases.ROOT, cases.METER_ID, cases.GENERATION)
NONCE = bytes(range(0x20, 0x28))
CHALLENGE = bytes(range(0x40, 0x48))
SESSION = console.Session(KEY, cases.METER_ID, NONCE, CHALLENGE)
READ = cbor.encode_sequence([7, "read"])
TEXTS = (
    ("a question", console.QUESTION, 1, READ),
    ("its answer", console.ANSWER, 1, cbor.encode_sequence([7, 0, 0])),
    ("a question of no bytes", console.QUESTION, 2, b""),
    ("the last number", console.QUESTION, console.NUMBER_MAX, READ),
    ("a text with zeros in it", console.ANSWER, 3, bytes(300)),
    ("a text without a zero", console.ANSWER, 4, bytes(range(1, 256)) * 2),
)
GRANT = Grant(cases.METER_ID, cases.GENERATION, 41, 2, 3, 1_793_491_200, 1_793_491_200 + grants.GRANT_S_MAX)
UNDER_GRANT = console.Session(grants.grant_key(cases.ROOT, GRANT), cases.METER_ID, NONCE, CHALLENGE)
GRANTS = (
    ("a technician's, of 72 hours", GRANT),
    ("the first number, a reader's, one second, once", Grant(cases.METER_ID, 0, 1, 1, 1, 0, 1)),
    ("every limit", Grant(bytes(8), U32_MAX, U32_MAX, 4, 100, U32_MAX - grants.GRANT_S_MAX, U32_MAX)),
)
# name, terms: what no meter takes, whoever made a key for it.
NO_TERMS = (
    ("the number 0", "000000000203" + "00000001" + "00000002"),
    ("the owner's role", "000000010003" + "00000001" + "00000002"),
    ("a role that nobody has", "000000010503" + "00000001" + "00000002"),
    ("no use", "000000010200" + "00000001" + "00000002"),
    ("101 uses", "000000010265" + "00000001" + "00000002"),
    ("it ends as it begins", "000000010203" + "00000002" + "00000002"),
    ("it ends before it begins", "000000010203" + "00000002" + "00000001"),
    ("72 hours and a second", "000000010203" + "00000000" + "0003f481"),
    ("all of time", "000000010203" + "00000000" + "ffffffff"),
    ("a byte short", "000000010203" + "00000001" + "000000"),
    ("a byte more", "000000010203" + "00000001" + "0000000200"),
)
BARE = (
    ("HELLO", console.hello(NONCE)),
    ("HELLO_GRANT", console.hello_grant(NONCE, grants.encode_terms(GRANT))),
    ("CHALLENGE", console.challenge(cases.METER_ID, cases.GENERATION, CHALLENGE)),
    ("REFUSED: locked for an hour", console.refused(console.LOCKED, 3600)),
    ("PLAIN: read", bytes([console.PLAIN]) + READ),
)
# S. Cheshire and M. Baker's rule at its edges.
COBS = (
    (b"", "01"),
    (b"\x00", "0101"),
    (b"\x00\x00", "010101"),
    (b"\x11\x22\x00\x33", "0311220233"),
    (b"\x11\x00\x00\x00", "0211010101"),
    (bytes(range(1, 255)), "ff" + bytes(range(1, 255)).hex()),
    (bytes(255), "01" * 256),
    (bytes(range(1, 256)), "ff" + bytes(range(1, 255)).hex() + "02ff"),
    (b"\x00" + bytes(range(1, 255)), "01ff" + bytes(range(1, 255)).hex()),
)


def lines() -> list[dict[str, Any]]:
    """Every example; `result` says what is to come of it."""
    head = {"root": cases.ROOT.hex(), "meter_id": cases.METER_ID.hex(), "generation": cases.GENERATION}
    keyed = {**head, "nonce": NONCE.hex(), "challenge": CHALLENGE.hex()}
    found: list[dict[str, Any]] = [
        {"name": "keys", "result": "keys", **keyed, "console_key": KEY.hex(), "session_key": SESSION.key.hex()}
    ]
    for data, encoded in COBS:
        found.append({"name": f"COBS {len(data)}", "result": "cobs", "data": data.hex(), "encoded": encoded})
    for encoded in ("00", "02", "0500", "031122024433", "ff01", "0211000133"):
        found.append({"name": f"no COBS {encoded}", "result": "no cobs", "encoded": encoded})
    for name, message in BARE:
        found.append({"name": name, "result": "bare", "message": message.hex(), "line": console.to_line(message).hex()})
    for name, kind, number, text in TEXTS:
        message = SESSION.seal(kind, number, text)
        sealed = {"kind": kind, "number": number, "text": text.hex(), "message": message.hex()}
        on_the_line = console.to_line(message).hex()
        found.append({"name": name, "result": "opened", **keyed, **sealed, "line": on_the_line})
    found += _grants(keyed)
    for name, kind, message in _strange():
        found.append({"name": name, "result": "not opened", **keyed, "kind": kind, "message": message.hex()})
    for name, line in _damaged():
        found.append({"name": name, "result": "no message", "line": line.hex()})
    return found


def _grants(keyed: dict[str, Any]) -> list[dict[str, Any]]:
    """Grants, their keys and what is sealed under one; terms that are none; an attestation."""
    root, found = cases.ROOT, []
    for name, grant in GRANTS:
        values = {**grant._asdict(), "meter_id": grant.meter_id.hex(), "root": root.hex()}
        terms, key = grants.encode_terms(grant).hex(), grants.grant_key(root, grant).hex()
        found.append({"name": "grant: " + name, "result": "grant", **values, "terms": terms, "grant_key": key})
    for name, terms in NO_TERMS:
        found.append({"name": "no grant: " + name, "result": "no grant", "terms": terms})
    terms, message = grants.encode_terms(GRANT).hex(), UNDER_GRANT.seal(console.QUESTION, 1, READ)
    sealed = {**keyed, "terms": terms, "kind": console.QUESTION, "number": 1, "text": READ.hex()}
    found.append({"name": "a question under a grant", "result": "under a grant", **sealed, "message": message.hex()})
    hash32, unix_s = bytes(range(0x80, 0xA0)), 1_793_491_205
    secret = grants.attest_key(root, cases.METER_ID, cases.GENERATION)
    tag = grants.attest_tag(secret, hash32, unix_s)
    said = {"hash": hash32.hex(), "unix_s": unix_s, "attest_key": secret.hex(), "tag": tag.hex()}
    head = {name: keyed[name] for name in ("root", "meter_id", "generation")}
    return [*found, {"name": "an attestation", "result": "attested", **head, **said}]


def _strange() -> list[tuple[str, int, bytes]]:
    """Whole messages that were not sealed for this question of this session of this meter."""
    good = SESSION.seal(console.QUESTION, 5, READ)
    other_meter = console.Session(KEY, bytes(8), NONCE, CHALLENGE)
    other_session = console.Session(KEY, cases.METER_ID, NONCE, NONCE)
    other_tool = console.Session(KEY, cases.METER_ID, CHALLENGE, CHALLENGE)
    other_generation = console.console_key(cases.ROOT, cases.METER_ID, cases.GENERATION + 1)
    return [
        ("another number", console.QUESTION, good[:2] + b"\x06" + good[3:]),
        ("a question turned into an answer", console.ANSWER, bytes([console.ANSWER]) + good[1:]),
        ("an answer where a question is due", console.QUESTION, SESSION.seal(console.ANSWER, 5, READ)),
        ("one bit of the text", console.QUESTION, good[:3] + bytes([good[3] ^ 1]) + good[4:]),
        ("one bit of the tag", console.QUESTION, good[:-1] + bytes([good[-1] ^ 0x80])),
        ("a tag cut short", console.QUESTION, good[:-1]),
        ("shorter than a tag", console.QUESTION, good[:10]),
        ("nothing but a kind", console.QUESTION, good[:1]),
        ("another meter", console.QUESTION, other_meter.seal(console.QUESTION, 5, READ)),
        ("another challenge", console.QUESTION, other_session.seal(console.QUESTION, 5, READ)),
        ("another nonce", console.QUESTION, other_tool.seal(console.QUESTION, 5, READ)),
        (
            "a question under a grant, for the owner's session",
            console.QUESTION,
            UNDER_GRANT.seal(console.QUESTION, 5, READ),
        ),
        (
            "another wallet generation",
            console.QUESTION,
            console.Session(other_generation, cases.METER_ID, NONCE, CHALLENGE).seal(console.QUESTION, 5, READ),
        ),
    ]


def _damaged() -> list[tuple[str, bytes]]:
    """Bytes of a line that hold no message."""
    message = console.hello(NONCE)
    crc = crc32(message).to_bytes(4, "big")
    wrong = bytes([crc[0] ^ 1]) + crc[1:]
    return [
        ("nothing between two delimiters", b"\x00\x00\x00"),
        ("a CRC alone", b"\x00" + cobs.encode(bytes(4)) + b"\x00"),
        ("a wrong CRC", b"\x00" + cobs.encode(message + wrong) + b"\x00"),
        ("a CRC cut short", b"\x00" + cobs.encode(message + crc[:3]) + b"\x00"),
        ("no delimiter at the end", console.to_line(message)[:-1]),
        ("longer than a message may be", console.to_line(bytes(console.MESSAGE_MAX))),
    ]
