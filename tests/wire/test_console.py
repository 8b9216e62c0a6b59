"""The service port's pieces: COBS, sealed messages and the asking end (docs/SPEC.md, Appendix B)."""

import re
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.console_client import Client
from protocol.errors import WireRefused
from protocol.vectors import cases
from protocol.wire import cobs, console, console_codes, grants, keys

SPEC = (Path(__file__).resolve().parents[2] / "docs" / "SPEC.md").read_text()
KEY = console.console_key(cases.ROOT, cases.METER_ID, cases.GENERATION)


@given(st.binary(max_size=1_200))
def test_any_bytes_go_through_without_a_zero(data: bytes) -> None:
    encoded = cobs.encode(data)
    assert 0 not in encoded and cobs.decode(encoded) == data
    assert len(encoded) <= len(data) + len(data) // 254 + 1


@given(st.lists(st.binary(min_size=1, max_size=300), max_size=6), st.lists(st.integers(1, 40), min_size=1))
def test_frames_come_out_whole_in_whatever_pieces_they_come(messages: list[bytes], pieces: list[int]) -> None:
    line, decoder, found, at, turn = b"".join(map(console.to_line, messages)), cobs.Decoder(1_088), [], 0, 0
    while at < len(line):
        size = pieces[turn % len(pieces)]
        found += decoder.feed(line[at : at + size])
        at, turn = at + size, turn + 1
    assert [console.from_frame(frame) for frame in found] == messages


@given(st.lists(st.binary(max_size=400), max_size=8))
def test_noise_is_bounded_and_never_raises(chunks: list[bytes]) -> None:
    decoder = cobs.Decoder(64)
    for chunk in chunks:
        for frame in decoder.feed(chunk):
            assert len(frame) <= 64
            console.from_frame(frame)
        assert len(decoder.held) <= 64 + 1
    assert decoder.feed(console.to_line(b"still here"))[-1][:-4] == b"still here"


@given(st.binary(max_size=60))
@settings(max_examples=200)
def test_readers_take_any_bytes(message: bytes) -> None:
    session = console.Session(KEY, cases.METER_ID, bytes(8), bytes(8))
    console.read_hello(message), console.read_challenge(message), console.read_refused(message)
    assert session.open(console.QUESTION, message) is None
    assert session.open(console.ANSWER, message) is None


def test_no_key_of_the_console_is_a_key_of_frames() -> None:
    """Two labels, two worlds: what a tool is handed opens no frame, and no two meters or generations share it."""
    epochs = [keys.derive(cases.ROOT, cases.METER_ID, generation, epoch) for generation in (0, 1) for epoch in (0, 9)]
    frame_keys = {key for one in epochs for key in (one.up_key, one.down_key)}
    consoles = {
        console.console_key(cases.ROOT, meter_id, generation)
        for meter_id in (cases.METER_ID, bytes(8))
        for generation in (0, 1, 9)
    }
    session = console.Session(KEY, cases.METER_ID, bytes(8), bytes(8))
    assert len(consoles) == 6 and not frame_keys & consoles
    assert session.key not in frame_keys | consoles


def test_every_bit_of_a_grant_makes_another_key_and_none_is_a_key_of_anything_else() -> None:
    """CT-33: terms, meter, generation and root are all in it."""
    one = grants.Grant(cases.METER_ID, 1, 5, 2, 3, 1_000, 2_000)
    others = [
        *[one._replace(**{name: getattr(one, name) + 1}) for name in ("number", "role", "uses", "from_s", "until_s")],
        *[one._replace(generation=2), one._replace(meter_id=bytes(8))],
    ]
    made = {grants.grant_key(cases.ROOT, each) for each in (one, *others)} | {grants.grant_key(bytes(16), one)}
    assert len(made) == 9 and not made & {KEY, grants.attest_key(cases.ROOT, cases.METER_ID, 1)}
    assert grants.decode_terms(grants.encode_terms(one), cases.METER_ID, 1) == one


@given(st.binary(max_size=20))
def test_terms_are_a_grant_that_encodes_to_them_or_are_refused(terms: bytes) -> None:
    try:
        grant = grants.decode_terms(terms, cases.METER_ID, 1)
    except WireRefused:
        return
    assert grants.encode_terms(grant) == terms and grant.until_s - grant.from_s <= grants.GRANT_S_MAX


def test_a_client_begins_under_a_grant_and_proves_its_key() -> None:
    grant, key = grants.Grant(cases.METER_ID, 1, 5, 2, 3, 1_000, 2_000), bytes(range(16))
    client = Client(lambda meter_id, generation: KEY, lambda size: bytes(size))
    hello = console.from_frame(cobs.Decoder(1_088).feed(client.hello_grant(grant, key))[0])
    assert console.read_hello_grant(hello or b"") == (bytes(8), grants.encode_terms(grant))
    assert console.read_hello(hello or b"") is None
    client.feed(console.to_line(console.challenge(cases.METER_ID, 1, bytes(8))))
    meter = console.Session(key, cases.METER_ID, bytes(8), bytes(8))
    asked = console.from_frame(cobs.Decoder(1_088).feed(client.ask(b"one"))[0])
    assert meter.open(console.QUESTION, asked or b"") == (1, b"one")


def test_the_client_believes_only_the_answer_to_its_last_question() -> None:
    client = Client(lambda meter_id, generation: KEY, lambda size: bytes(size))
    fresh = b"\x07" * 8
    told = console.to_line(console.challenge(cases.METER_ID, 1, fresh))
    assert client.feed(told) == []  # nobody asked
    client.hello()
    assert client.feed(told) == [("session", (cases.METER_ID, 1))]
    assert client.feed(told) == []
    meter = console.Session(KEY, cases.METER_ID, bytes(8), fresh)
    client.ask(b"one"), client.ask(b"two")
    old, new = (console.to_line(meter.seal(console.ANSWER, number, b"said")) for number in (1, 2))
    forged = console.Session(bytes(16), cases.METER_ID, bytes(8), fresh).seal(console.ANSWER, 2, b"lie")
    assert client.feed(old + console.to_line(forged) + new) == [("answer", b"said")]
    assert client.feed(console.to_line(console.refused(console.LOCKED, 60))) == [("refused", (2, 60))]
    assert client.feed(console.to_line(bytes([console.PLAIN]) + b"x")) == [("plain", b"x")]


def named(part: str) -> dict[str, int]:
    """The codes of its table of refusals."""
    part = part.split("| code | name | what to do |")[1]
    return {name: int(code) for code, name in re.findall(r"^\| (\d+) \| ([A-Z_]+) \|", part, re.MULTILINE)}


def test_the_specification_names_every_refusal_of_the_port_and_of_its_commands() -> None:
    port, commands = SPEC.split("## Appendix B")[1].split("## Appendix C")[0].split("**Commands.**")
    refusals = named(port)
    assert sorted(refusals.values()) == list(range(1, 12))
    assert {name: getattr(console, name) for name in refusals} == refusals
    names = [name for name, value in vars(console_codes).items() if name.isupper() and isinstance(value, int)]
    roles = {"OWNER", "READER", "TECHNICIAN", "MAINTAINER", "RETIRER"}
    assert named(commands) == {name: getattr(console_codes, name) for name in set(names) - roles}
