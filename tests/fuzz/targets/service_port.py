"""The service port of a whole meter: whatever comes by cable, sealed or not, it answers or is silent, no counter moves,
and what was not sealed in this session changes nothing but the count of wrong tags (I6, I14, I25).

Input: records `what | length | bytes`: 0 bytes on the line as they are, 1 a message, 2 a sealed question, 3 a sealed
question whose CBOR is `id, one of the commands, bytes`, 4 a HELLO again."""

from functools import cache

from firmware.service import ROLES
from firmware.service_port import ServicePort
from protocol.console_client import Client
from protocol.wire import cbor, console
from tests.fuzz.a_meter import METER_ID, ROOT, AMeter, counters, records

COMMANDS = (*sorted(ROLES), "update-begin", "update-data", "update-end", "update-start", "update-confirm", "provision")
KEY = console.console_key(ROOT, METER_ID, 1)


@cache
def meters() -> AMeter:
    return AMeter(uses=60)


def seeds() -> list[bytes]:
    def question(*parts: object) -> bytes:
        text = cbor.encode_sequence(parts)
        return bytes([2, len(text)]) + text

    asked = [question(1, name) for name in COMMANDS]
    asked += [question(1, "slots", 123_456, 16), question(1, "valve", 1, 900, 50), question(1, "report", 5)]
    asked += [
        question(1, "frame", bytes(20)),
        question(1, "attest", bytes(32)),
        question(1, "update-begin", bytes(132)),
    ]
    by_name = [bytes([3, 3, number, 1, 2]) for number in range(len(COMMANDS))]
    return [*asked, *by_name, bytes([1, 9]) + console.hello(bytes(8)), bytes([0, 12]) + console.to_line(b"\x11")[:12]]


def one(data: bytes) -> None:
    meter = meters().old()
    application = meter.application
    port = application.port = ServicePort(application)
    client = Client(lambda _meter_id, _generation: KEY, bytes)
    before = counters(meter)
    client.feed(port.take(client.hello()))
    for what, content in list(records(data))[:4]:
        if application.ended:
            break
        said = port.take(_line(client, what % 5, content))
        assert len(said) <= 4 * console.MESSAGE_MAX
        for kind, told in client.feed(said):
            if kind == "answer":
                assert cbor.decode_sequence(told, 4, 600, console.MESSAGE_MAX)
    if not application.ended:
        after = counters(meter)
        assert [new for new, old in zip(after, before, strict=True) if new < old] == []
        assert after[1:3] == before[1:3], "credit moved by cable"


def _line(client: Client, what: int, content: bytes) -> bytes:
    if what == 4:
        return client.hello()
    if what == 1 and content:
        return console.to_line(content)
    if what == 3 and content:
        name = COMMANDS[content[0] % len(COMMANDS)]
        content = cbor.encode_sequence([1, name]) + content[1:]
    if what in (2, 3) and client.session is not None:
        return client.ask(content)
    return content
