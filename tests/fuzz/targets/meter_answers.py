"""What comes back over the cable, as the technician's tool reads it: an answer that is used, or one of the tool's own
refusals, whatever a meter says, also one that proved its key (I25).

Input: records `what | length | bytes`: 0 bytes on the line as they are, 1 a message, 2 an unsealed answer, 3 a sealed
answer, 4 the same with the question's number before it."""

from typing import Any

from fieldtool import log, meter, reading_text, session
from fieldtool.access import Meter as Met
from fieldtool.clock import Clock
from fieldtool.fields import NAMES, values_of
from fieldtool.refusals import Refusal
from fieldtool.store import Store
from protocol.wire import cbor, console
from protocol.wire.cobs import Decoder
from protocol.wire.grants import Grant
from tests.fuzz.a_meter import METER_ID, records

KEY, FRESH = bytes(16), bytes(8)
GRANT = Grant(METER_ID, 1, 1, 2, 3, 0, 1)


class ScriptedLine:
    """Answers each question with the next record, and greets when it is greeted."""

    path = "/dev/a-line"

    def __init__(self, data: bytes) -> None:
        self._script = [*records(data)][:6]
        self._waiting: list[bytes] = []
        self._decoder = Decoder(console.MESSAGE_MAX)
        self._session: console.Session | None = None
        self.number = 1

    def write(self, data: bytes) -> None:
        for message in map(console.from_frame, self._decoder.feed(data)):
            assert message is not None
            if message[0] == console.HELLO_GRANT:
                nonce = message[1:9]
                self._session = console.Session(KEY, METER_ID, nonce, FRESH)
                self._waiting.append(console.to_line(console.challenge(METER_ID, 1, FRESH)))
            elif self._script:
                self._waiting.append(self._say(*self._script.pop(0), message))

    def _say(self, what: int, content: bytes, asked: bytes) -> bytes:
        if what % 5 == 0 or (what % 5 == 1 and not content):
            return content
        if what % 5 == 1:
            return console.to_line(content)
        if what % 5 == 2:
            return console.to_line(bytes([console.PLAIN]) + content)
        number = asked[1] << 8 | asked[2]
        if what % 5 == 4:
            content = cbor.encode(self.number) + content
        assert self._session is not None
        return console.to_line(self._session.seal(console.ANSWER, number, content))

    def read(self, _timeout_s: float) -> bytes:
        if self._waiting:
            return self._waiting.pop(0)
        raise Refusal("port_gone", port=self.path)


class Still(Clock):
    """Time stands: nobody waits for a meter that is a script."""

    def sleep(self, _seconds: float) -> None:
        pass


def seeds() -> list[bytes]:
    def answers(*each: list[Any]) -> bytes:
        return b"".join(_record(4, cbor.encode_sequence(parts)) for parts in each)

    read = list(range(len(NAMES)))
    return [
        answers(read, [[1, 2, 3, 1, 5]], [7, b"frame"], [8], [123, bytes(16)], [10_203]),
        answers(["refused", 3], ["refused"], ["refused", "x"], []),
        answers([b"x", None, True, {}, [], "text"], [[1, 2]], [[2**63, 0, 0, 0, 0]]),
        _record(2, cbor.encode_sequence([1, "provisioned"])) + _record(1, console.refused(2, 60)) + _record(0, b"\x00"),
    ]


def _record(what: int, content: bytes) -> bytes:
    return bytes([what, len(content)]) + content


def one(data: bytes) -> None:
    line = ScriptedLine(data)
    talk = session.Session(line, 0.05)  # type: ignore[arg-type]
    on_site = meter.Meter(talk, Store(), METER_ID.hex(), Still())
    on_site._within = True
    try:
        talk.begin(GRANT, KEY)
    except Refusal as refused:
        _told(refused)
        return
    for number, ask in enumerate(_asks(talk, on_site), 1):
        line.number = number
        try:
            ask()
        except Refusal as refused:
            _told(refused)


def _asks(talk: session.Session, on_site: meter.Meter) -> list[Any]:
    return [
        lambda: [reading_text.lines(values_of(talk.ask(["read"], tries=1)), lang) for lang in ("en", "fr")],
        lambda: _half_hours(talk),
        on_site.report,
        lambda: on_site.attest(bytes(32)),
        on_site.make,
        lambda: on_site.read()["valve"],
    ]


def _half_hours(talk: session.Session) -> None:
    found = log.slots_of(Met(talk, METER_ID, GRANT, {}), 0, 16)
    assert log._as_csv(found)


def _told(refused: Refusal) -> None:
    assert refused.sentence("en") and refused.sentence("fr")
