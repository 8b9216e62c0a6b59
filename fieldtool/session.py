"""Questions to a meter over a line, and its answers: sealed under a grant, or unsealed before a meter's life.

session = Session(line)
session.hello()                      who is there: a Greeting; needs no key
session.plain(["read"])              a meter that was never provisioned
session.begin(grant, key)            then session.ask(["read"]), as often as it takes

Lost and damaged answers are asked for again; every refusal of the meter is a Refusal with a remedy.
"""

from __future__ import annotations

import secrets
import time
from typing import Any, NamedTuple

from protocol.console_client import Client
from protocol.errors import Refused
from protocol.wire import cbor, console

from .line import Line
from .refusals import Refusal

PATIENCE_S = 3.0
TRIES = 3
_DEPTH, _ITEMS = 4, 600

# Refusals of the port (protocol/wire/console.py), and those of a command that was understood.
_PORT = {
    1: "sealed_only", 2: "port_locked", 3: "no_answer", 4: "grant_foreign", 5: "no_answer", 6: "blank_meter",
    7: "port_version", 8: "grant_expired", 9: "grant_not_yet", 10: "grant_spent", 11: "grant_terms",
}  # fmt: skip
_COMMAND = {
    1: "meter_unknown_command", 2: "meter_not_allowed", 3: "meter_bad_arguments", 4: "meter_valve_moving",
    5: "meter_clock_unsure", 6: "meter_not_now", 7: "meter_not_authentic", 8: "meter_not_erased",
    20: "update_hardware", 21: "update_downgrade", 22: "update_too_old", 23: "update_too_large",
    24: "update_signature", 25: "update_hash", 26: "update_no_verifier", 27: "update_no_slots",
    28: "meter_valve_moving", 29: "update_nothing_begun", 30: "update_offset", 31: "update_manifest",
    32: "update_on_trial", 33: "update_flash", 34: "update_tried",
}  # fmt: skip


class Greeting(NamedTuple):
    """Who answers: a meter of an id and a wallet generation, or one that was never provisioned (None, 0)."""

    meter_id: bytes | None
    generation: int


class Session:
    """One conversation. `patience_s` is how long one answer may take."""

    def __init__(self, line: Line, patience_s: float = PATIENCE_S) -> None:
        self.line = line
        self.patience_s = patience_s
        self.meter_id = b""
        self.generation = 0
        self.has_answered = False  # there is a meter at the other end
        self._key = bytes(16)
        self._grant: Any = None
        self._client = Client(lambda _meter_id, _generation: self._key, secrets.token_bytes)
        self._id = 0

    def hello(self, tries: int = TRIES, patience_s: float | None = None) -> Greeting:
        """Who is there. Changes nothing, and proves nothing either: the meter's id is not sealed."""
        self._grant, self._key = None, bytes(16)
        kind, told = self._exchange(self._client.hello, ("session",), "hello", tries, patience_s, silent="silent")
        if kind == "refused":
            if told[0] == console.NOT_PROVISIONED:
                return Greeting(None, 0)
            raise self._refusal(told)
        self.meter_id, self.generation = told
        return Greeting(*told)

    def plain(self, question: list[Any], patience_s: float | None = None, tries: int = TRIES) -> list[Any]:
        """Ask a meter before its life; the answer without its id."""
        number, text = self._question(question)
        kind, told = self._exchange(
            lambda: self._client.ask_unsealed(text), ("plain",), str(question[0]), tries, patience_s, number=number
        )
        if kind == "refused":
            raise self._refusal(told)
        return self._answer(number, told, str(question[0]))

    def begin(self, grant: Any, key: bytes) -> None:
        """A sealed session under a grant. It proves itself with its first answer; each one costs one use."""
        self._grant, self._key = grant, key
        kind, told = self._exchange(
            lambda: self._client.hello_grant(grant, key), ("session",), "hello", TRIES, None, silent="silent"
        )
        if kind == "refused":
            raise self._refusal(told)
        meter_id, generation = told
        if meter_id != grant.meter_id:
            raise Refusal("other_meter", found=meter_id.hex(), expected=grant.meter_id.hex())
        if generation != grant.generation:
            raise Refusal("grant_foreign", meter_id=meter_id.hex())
        self.meter_id, self.generation = meter_id, generation

    def ask(self, question: list[Any], patience_s: float | None = None, tries: int = TRIES) -> list[Any]:
        """Ask within the session that `begin` began; the answer without its id.

        A session that ended meanwhile (five minutes of silence, a reset) is begun again, once.
        """
        number, text = self._question(question)
        for renewed in (False, True):
            kind, told = self._exchange(
                lambda: self._client.ask(text), ("answer",), str(question[0]), tries, patience_s
            )
            if kind == "answer":
                break
            if renewed or told[0] != console.NO_SESSION:
                raise self._refusal(told)
            self.begin(self._grant, self._key)
        return self._answer(number, told, str(question[0]))

    def _question(self, question: list[Any]) -> tuple[int, bytes]:
        self._id = self._id % 0xFFFF + 1
        return self._id, cbor.encode_sequence([self._id, *question])

    def _exchange(
        self,
        say: Any,
        expected: tuple[str, ...],
        command: str,
        tries: int,
        patience_s: float | None,
        silent: str = "no_answer",
        number: int = 0,
    ) -> tuple[str, Any]:
        """Say it until an expected event or a refusal comes. `say()` makes the bytes anew for each try.

        An unsealed answer to an earlier question, come late, is known by its `number` and passed over.
        """
        for _ in range(tries):
            self.line.write(say())
            until = time.monotonic() + (self.patience_s if patience_s is None else patience_s)
            while (left := until - time.monotonic()) > 0:
                for kind, told in self._client.feed(self.line.read(left)):
                    if kind == "refused" and told[0] == console.STALE:
                        break  # the answer to an earlier try was lost: take the next number
                    if kind == "refused" or (kind in expected and not (number and _is_late(told, number))):
                        self.has_answered = True
                        return kind, told
                else:
                    continue
                break
        raise Refusal(silent, port=self.line.path, command=command)

    def _answer(self, number: int, text: bytes, command: str) -> list[Any]:
        try:
            parts = cbor.decode_sequence(text, _DEPTH, _ITEMS, console.MESSAGE_MAX)
        except Refused:
            raise Refusal("nonsense", command=command) from None
        if not parts or parts[0] != number:
            raise Refusal("nonsense", command=command)
        if len(parts) > 1 and parts[1] == "refused":
            why = parts[2] if len(parts) > 2 else 1
            code = _COMMAND.get(why) if isinstance(why, int) else None
            raise Refusal(code or "meter_refused", command=command, why=why, meter_id=self.meter_id.hex())
        return parts[1:]

    def _refusal(self, told: tuple[int, int]) -> Refusal:
        code, wait_s = told
        meter_id = self._grant.meter_id if self._grant is not None else self.meter_id
        name = _PORT.get(code, "port_version")
        return Refusal(name, wait_s=wait_s, meter_id=meter_id.hex(), port=self.line.path, command="hello")


def _is_late(text: bytes, number: int) -> bool:
    """Whether an unsealed answer is that to a question before the one of this number."""
    try:
        first = cbor.decode_sequence(text, _DEPTH, _ITEMS, console.MESSAGE_MAX)[:1]
    except Refused:
        return False
    return bool(first) and isinstance(first[0], int) and 0 < first[0] != number
