"""The service port's messages, at the tool's end: each reader takes its own message, which is then the only way to
write it, and says None to all else; what was not sealed in this session is no answer (I14, I25)."""

from protocol.console_client import Client
from protocol.wire import console

METER_ID = bytes.fromhex("6775656c74610001")
KEY = bytes(range(16))
FRESH = bytes(8)


def seeds() -> list[bytes]:
    session = console.Session(KEY, METER_ID, bytes(8), FRESH)
    return [
        console.hello(bytes(8)),
        console.hello_grant(bytes(8), bytes(14)),
        console.challenge(METER_ID, 1, FRESH),
        console.refused(2, 60),
        session.seal(console.ANSWER, 1, b"\x01"),
        session.seal(console.QUESTION, 1, b"\x01"),
        bytes([console.PLAIN]) + b"\x01\x02",
    ]


GENUINE = seeds()[4]


def one(data: bytes) -> None:
    nonce, asked = console.read_hello(data), console.read_hello_grant(data)
    met, refusal = console.read_challenge(data), console.read_refused(data)
    assert nonce is None or console.hello(nonce) == data
    assert asked is None or console.hello_grant(*asked) == data
    assert met is None or console.challenge(*met) == data
    assert refusal is None or console.refused(*refusal) == data
    client = Client(lambda _meter_id, _generation: KEY, bytes)
    client.feed(client.hello())
    (begun,) = client.feed(console.to_line(console.challenge(METER_ID, 1, FRESH)))
    assert begun == ("session", (METER_ID, 1))
    client.ask(b"\x01")
    for kind, told in client.feed(console.to_line(data)):
        assert kind in ("plain", "refused") or (kind == "answer" and data == GENUINE and told == b"\x01")
