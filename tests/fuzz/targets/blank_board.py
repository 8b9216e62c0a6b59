"""A board that was never provisioned, or has just been: whatever is asked unsealed, it answers in CBOR, and it takes an
identity only whole (I14, I25). Input: `what | question or identity`."""

from firmware import boot
from firmware.console import port_of
from protocol.console_client import Client
from protocol.wire import cbor, console
from simulator import link
from simulator.meter_in_memory import MeterInMemory
from tests.fuzz.targets.identities import made


def seeds() -> list[bytes]:
    asked = ([1, "read"], [2, "update"], [3, "provision", b"\x01"], [4, "update-begin", bytes(132)], [5], ["x", {}])
    return [b"\x00" + cbor.encode_sequence(question) for question in asked] + [b"\x01" + one for one in made()]


def one(data: bytes) -> None:
    meter = MeterInMemory("blank", "")
    meter.start(0, [link.real_time(1_798_761_600, True)])
    application = meter.application
    question = cbor.encode_sequence([1, "provision", data[1:]]) if data[:1] == b"\x01" else data[1:]
    client = Client(lambda _meter_id, _generation: bytes(16), bytes)
    said = port_of(application).take(client.ask_unsealed(question))
    answers = [told for kind, told in client.feed(said) if kind == "plain"]
    assert len(answers) <= 1
    for told in answers:
        (number, word), *_ = [cbor.decode_sequence(told, 4, 600, console.MESSAGE_MAX)[:2]]
        assert isinstance(number, int) and word is not None
        assert application.ended == (word == "provisioned")
    if application.ended:
        assert boot.boot(application.board).meter_id is not None
