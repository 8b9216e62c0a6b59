"""Runs every line of protocol/vectors that the code generated; prints each name and whether it came out as told."""

import json

from protocol.errors import WireRefused
from protocol.rules import debt, policy, rating, tariff
from protocol.rules.calendar import Offsets
from protocol.wire import cbor, cobs, console, downlinks, envelope, grants, keys, log_codec, messages, parts, uplinks

FOLDER = "protocol/vectors/"
KINDS = {
    "Day": messages.Day,
    "Range": messages.Range,
    "Poll": messages.Poll,
    "Event": messages.Event,
    "Anchor": messages.Anchor,
    "Device": messages.Device,
    "Statement": messages.Statement,
    "Time": messages.Time,
    "Pack": messages.Pack,
    "Opening": messages.Opening,
    "Gap": messages.Gap,
    "Result": messages.Result,
    "Nack": messages.Nack,
    "Command": messages.Command,
    "Rekey": messages.Rekey,
    "Progress": messages.Progress,
    "Fragment": messages.Fragment,
}


def lines_of(name):
    with open(FOLDER + name) as lines:
        for line in lines:
            yield json.loads(line)


def verdict(is_right):
    return "right" if is_right else "WRONG"


def refusal(function, *arguments):
    """(code, field) of the refusal, or None when it was accepted."""
    try:
        function(*arguments)
    except WireRefused as refused:
        return refused.code, refused.field
    return None


def message_of(case):
    """The message of a line of frames.jsonl."""
    fields = case["fields"]
    if case["message"] == "Event":
        fields = [tuple([messages.EventEntry(*entry) for entry in fields[0]])]
    if case["message"] == "Nack":
        fields = [fields[0], tuple([tuple(pair) for pair in fields[1]])]
    if case["message"] == "Pack":
        fields[4:] = [bytes.fromhex(fields[4]), bytes.fromhex(fields[5])]
    if case["message"] == "Fragment":
        fields[2] = bytes.fromhex(fields[2])
    return KINDS[case["message"]](*fields)


def check_frame(case):
    """Encode, seal, open and decode; everything must be as the line says."""
    key_set = keys.derive(
        bytes.fromhex(case["root"]), bytes.fromhex(case["meter_id"]), case["generation"], case["epoch"]
    )
    message, kind, direction, phase = message_of(case), case["type"], case["direction"], case["phase"]
    frame, counter = bytes.fromhex(case["frame"]), case["counter"]
    up = direction == envelope.UP
    encoded = uplinks.encode_up(message, phase) if up else downlinks.encode_down(message, kind)
    plaintext = bytes.fromhex(case["plaintext"])
    opened = envelope.open_frame(key_set, direction, frame, counter)
    decoded = uplinks.decode_up(kind, opened, phase) if up else downlinks.decode_down(kind, opened)
    header = envelope.read_header(frame)
    return (
        encoded == (kind, plaintext)
        and envelope.seal(key_set, direction, kind, counter, plaintext) == frame
        and opened == plaintext
        and decoded == message
        and header == envelope.Header(1, kind, case["epoch"] & 7, counter & 0xFFFF)
    )


def check_refused_frame(case, key_set):
    frame = bytes.fromhex(case["frame"])
    said = refusal(envelope.read_header, frame)
    if case["code"] is not None:
        return said == (case["code"], case["field"])
    return said is None and envelope.open_frame(key_set, case["direction"], frame, case["counter"]) is None


def check_cbor(case):
    data = bytes.fromhex(case["bytes"])
    if case["accepted"]:
        return cbor.encode(cbor.decode(data)) == data
    return refusal(cbor.decode, data) == (case["code"], case["field"])


def check_log(case):
    data = bytes.fromhex(case["bytes"])
    if "litres" in case:
        litres, phase = case["litres"], case["phase"]
        return log_codec.encode(litres, phase) == data and log_codec.decode(data, len(litres), phase) == litres
    return refusal(log_codec.decode, data, case["count"], case["phase"]) == (case["code"], case["field"])


def check_refused_plaintext(case):
    plaintext = bytes.fromhex(case["plaintext"])
    if case["direction"] == envelope.UP:
        said = refusal(uplinks.decode_up, case["type"], plaintext, 0)
    else:
        said = refusal(downlinks.decode_down, case["type"], plaintext)
    return said == (case["code"], case["field"])


def check_pack(case):
    """A body is cut into these plaintexts and joined again; or the parts are refused as the line says."""
    plaintexts = [bytes.fromhex(text) for text in case["plaintexts"]]
    found = tuple([parts.decode_part(plaintext) for plaintext in plaintexts])
    if "body" not in case:
        return refusal(parts.join_parts, found) == (case["code"], case["field"])
    body = bytes.fromhex(case["body"])
    cut = parts.pack_parts(found[0].version, found[0].from_slot, body)
    return cut == found and [parts.encode_part(part) for part in cut] == plaintexts and parts.join_parts(found) == body


def tuples(value):
    """Lists of a JSON line as the tuples that records hold."""
    return tuple([tuples(item) for item in value]) if isinstance(value, list) else value


def pack_of(kind, fields):
    """The pack of a line of bodies.jsonl."""
    values = tuples(fields)
    if kind == "tariff":
        return tariff.Tariff(*values[:3], Offsets(*values[3]), *values[4:])
    return policy.Policy(*values) if kind == "policy" else debt.Plan(*values)


def check_body(case):
    """Fields to bytes and back."""
    rules = {"tariff": tariff, "policy": policy, "plan": debt}[case["kind"]]
    pack, body = pack_of(case["kind"], case["fields"]), bytes.fromhex(case["body"])
    from_slot = pack.from_slot if case["kind"] == "tariff" else 0
    return rules.encode_body(pack) == body and rules.decode_body(pack.version, from_slot, body) == pack


def check_rating(case):
    """Every state after every slot, from the body that a meter holds."""
    pack = tariff.decode_body(2, case["first_slot"], bytes.fromhex(case["body"]))
    state, states = rating.NEW, []
    for at, litres in enumerate(case["litres"]):
        is_sure = case["unsure_from"] is None or at < case["unsure_from"]
        state = rating.rate_slot(state, pack, case["first_slot"] + at, litres, is_sure)
        states.append(list(state))
    return states == case["states"]


def session_of(case):
    """(console key, session) of a line of console.jsonl."""
    meter_id = bytes.fromhex(case["meter_id"])
    key = console.console_key(bytes.fromhex(case["root"]), meter_id, case["generation"])
    return key, console.Session(key, meter_id, bytes.fromhex(case["nonce"]), bytes.fromhex(case["challenge"]))


def message_on(line):
    """The one message that the bytes of a line hold, or None."""
    frames = cobs.Decoder(console.MESSAGE_MAX).feed(line)
    return console.from_frame(frames[0]) if len(frames) == 1 else None


def check_grant(case):
    """Whether terms are what they are meant to be: a grant of this key, or none."""
    terms, meter_id = bytes.fromhex(case["terms"]), bytes.fromhex(case.get("meter_id", "00" * 8))
    refused = refusal(grants.decode_terms, terms, meter_id, case.get("generation", 0))
    if case["result"] == "no grant":
        return refused is not None
    grant = grants.decode_terms(terms, meter_id, case["generation"])
    key = grants.grant_key(bytes.fromhex(case["root"]), grant)
    if case["result"] == "grant":
        values = tuple([case[field] for field in ("number", "role", "uses", "from_s", "until_s")])
        return grant[2:] == values and grants.encode_terms(grant) == terms and key.hex() == case["grant_key"]
    session = console.Session(key, meter_id, bytes.fromhex(case["nonce"]), bytes.fromhex(case["challenge"]))
    kind, message, said = case["kind"], bytes.fromhex(case["message"]), (case["number"], bytes.fromhex(case["text"]))
    return session.seal(kind, said[0], said[1]) == message and session.open(kind, message) == said


def check_attested(case):
    key = grants.attest_key(bytes.fromhex(case["root"]), bytes.fromhex(case["meter_id"]), case["generation"])
    tag = grants.attest_tag(key, bytes.fromhex(case["hash"]), case["unix_s"])
    return (key.hex(), tag.hex()) == (case["attest_key"], case["tag"])


def check_console(case):
    result = case["result"]
    if result in ("grant", "no grant", "under a grant"):
        return check_grant(case)
    if result == "attested":
        return check_attested(case)
    if result == "cobs":
        data, encoded = bytes.fromhex(case["data"]), bytes.fromhex(case["encoded"])
        return cobs.encode(data) == encoded and cobs.decode(encoded) == data
    if result == "no cobs":
        return cobs.decode(bytes.fromhex(case["encoded"])) is None
    if result == "keys":
        key, session = session_of(case)
        return (key.hex(), session.key.hex()) == (case["console_key"], case["session_key"])
    if result == "no message":
        return message_on(bytes.fromhex(case["line"])) is None
    message = bytes.fromhex(case["message"])
    if result == "not opened":
        return session_of(case)[1].open(case["kind"], message) is None
    line = bytes.fromhex(case["line"])
    if console.to_line(message) != line or message_on(line) != message:
        return False
    if result == "bare":
        return True
    text, session = bytes.fromhex(case["text"]), session_of(case)[1]
    sealed = session.seal(case["kind"], case["number"], text)
    return sealed == message and session.open(case["kind"], message) == (case["number"], text)


first = None
for case in lines_of("frames.jsonl"):
    first = first or case
    print("frame", case["name"], verdict(check_frame(case)))
key_set = keys.derive(
    bytes.fromhex(first["root"]), bytes.fromhex(first["meter_id"]), first["generation"], first["epoch"]
)
for case in lines_of("frames_refused.jsonl"):
    print("refused frame", case["name"], verdict(check_refused_frame(case, key_set)))
for case in lines_of("plaintexts_refused.jsonl"):
    print("refused plaintext", case["name"], verdict(check_refused_plaintext(case)))
for case in lines_of("packs.jsonl"):
    print("pack", case["name"], verdict(check_pack(case)))
for case in lines_of("cbor.jsonl"):
    print("cbor", case["bytes"], verdict(check_cbor(case)))
for case in lines_of("logs.jsonl"):
    print("log", case["name"], verdict(check_log(case)))
for case in lines_of("bodies.jsonl"):
    print("body", case["name"], verdict(check_body(case)))
for case in lines_of("ratings.jsonl"):
    print("rating", case["name"], verdict(check_rating(case)))
for case in lines_of("console.jsonl"):
    print("console", case["name"], verdict(check_console(case)))
