"""How a question reaches a meter's console, and its answer comes back."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from firmware.identity import Identity
from protocol.console_client import Client
from protocol.wire import cbor
from protocol.wire.console import console_key
from simulator import link
from simulator.meter_process import MeterFailed

_PROVISION_ID = 1


class PlainConsole:
    """The test board's console: a question is a record of channel 0, unsealed."""

    def ask(self, question: bytes, exchange: Callable[[bytes], bytes]) -> bytes:
        """The answer to one question, both as CBOR sequences."""
        said = exchange(link.record(link.CONSOLE, question))
        return b"".join(payload for _, payload in link.Records().feed(said))

    def provision(self, identity: bytes, exchange: Callable[[bytes], bytes]) -> None:
        """Give a meter that was never provisioned its identity."""
        answer = self.ask(provision_question(identity), exchange)
        check_provisioned(answer)


class SealedConsole:
    """The service port of a meter in the field: questions sealed under its console key, in a session of their own."""

    def __init__(self, identity: Identity) -> None:
        self._client = Client(
            lambda meter_id, generation: console_key(identity.root, meter_id, generation), self._nonce
        )
        self._nonces = 0

    def ask(self, question: bytes, exchange: Callable[[bytes], bytes]) -> bytes:
        """The answer to one question, both as CBOR sequences."""
        self._hear("session", exchange(self._client.hello()))
        return bytes(self._hear("answer", exchange(self._client.ask(question))))

    def provision(self, identity: bytes, exchange: Callable[[bytes], bytes]) -> None:
        """Give a meter that was never provisioned its identity."""
        check_provisioned(self._hear("plain", exchange(self._client.ask_unsealed(provision_question(identity)))))

    def _hear(self, wanted: str, said: bytes) -> Any:
        events = self._client.feed(said)
        if [name for name, _ in events] != [wanted]:
            raise MeterFailed(f"the console was to give {wanted}, it gave {events or said!r}")
        return events[0][1]

    def _nonce(self, size: int) -> bytes:
        """Never twice, and the same in each run: a repeatable world needs a repeatable rig."""
        self._nonces += 1
        return sha256(self._nonces.to_bytes(8, "big")).digest()[:size]


def provision_question(identity: bytes) -> bytes:
    """The question that makes a meter of a blank board."""
    return cbor.encode_sequence([_PROVISION_ID, "provision", identity])


def check_provisioned(answer: bytes) -> None:
    """MeterFailed unless the board says that it is a meter now."""
    said = cbor.decode_sequence(answer)
    if said != [_PROVISION_ID, "provisioned"]:
        raise MeterFailed(f"provisioning was answered {said}")
