"""The asking end of the service port, for rigs and tools: bytes in, bytes out, no line of its own. Host side.

client = Client(lambda meter_id, generation: key, random_bytes)
write(client.hello()); events = client.feed(read()); write(client.ask(question)); …
write(client.hello_grant(grant, key)) begins a session under a grant instead.
"""

from protocol.compat import TYPE_CHECKING
from protocol.wire import console, grants
from protocol.wire.cobs import Decoder

if TYPE_CHECKING:
    from typing import Any, Callable


class Client:
    def __init__(self, key_of: "Callable[[bytes, int], bytes]", random_bytes: "Callable[[int], bytes]") -> None:
        """`key_of(meter_id, generation)` is the console key; `random_bytes` a cryptographic source."""
        self.key_of = key_of
        self.random_bytes = random_bytes
        self.decoder = Decoder(console.MESSAGE_MAX)
        self.nonce = b""
        self.grant_key = b""
        self.session: "console.Session | None" = None
        self.number = 0

    def hello(self) -> bytes:
        """Asks for a session under the console key."""
        self._begin(b"")
        return console.to_line(console.hello(self.nonce))

    def hello_grant(self, grant: "grants.Grant", key: bytes = b"") -> bytes:
        """Asks for a session under a grant, whose key the headend gave; without `key`, `key_of` is asked for it."""
        self._begin(key)
        return console.to_line(console.hello_grant(self.nonce, grants.encode_terms(grant)))

    def _begin(self, key: bytes) -> None:
        self.nonce = self.random_bytes(console.NONCE_LENGTH)
        self.grant_key = key
        self.session = None

    def ask(self, question: bytes) -> bytes:
        """A sealed question; there must be a session."""
        assert self.session is not None and self.number < console.NUMBER_MAX
        self.number += 1
        return console.to_line(self.session.seal(console.QUESTION, self.number, question))

    def ask_unsealed(self, question: bytes) -> bytes:
        """What a meter that was never provisioned takes."""
        return console.to_line(bytes([console.PLAIN]) + question)

    def feed(self, data: bytes) -> "list[tuple[str, Any]]":
        """What came: ("session", (meter_id, generation)), ("answer", text), ("plain", text), ("refused", (code, wait)).

        A session under a grant may be with another meter than its own: look at meter_id before a question is spent on
        it. What is damaged, or not sealed by this session's meter, is no event.
        """
        events: "list[tuple[str, Any]]" = []
        for frame in self.decoder.feed(data):
            message = console.from_frame(frame)
            event = None if message is None else self._event(message)
            if event is not None:
                events.append(event)
        return events

    def _event(self, message: bytes) -> "tuple[str, Any] | None":
        told = console.read_challenge(message)
        if told is not None and self.nonce:
            meter_id, generation, fresh = told
            nonce, self.nonce = self.nonce, b""
            key = self.grant_key or self.key_of(meter_id, generation)
            self.session = console.Session(key, meter_id, nonce, fresh)
            self.number = 0
            return "session", (meter_id, generation)
        refusal = console.read_refused(message)
        if refusal is not None:
            return "refused", refusal
        if message[0] == console.PLAIN:
            return "plain", message[1:]
        opened = None if self.session is None else self.session.open(console.ANSWER, message)
        return ("answer", opened[1]) if opened is not None and opened[0] == self.number else None
