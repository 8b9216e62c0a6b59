"""How a question reaches a meter's console, and its answer comes back."""

from __future__ import annotations

from collections.abc import Callable

from protocol.wire import cbor
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


def provision_question(identity: bytes) -> bytes:
    """The question that makes a meter of a blank board."""
    return cbor.encode_sequence([_PROVISION_ID, "provision", identity])


def check_provisioned(answer: bytes) -> None:
    """MeterFailed unless the board says that it is a meter now."""
    said = cbor.decode_sequence(answer)
    if said != [_PROVISION_ID, "provisioned"]:
        raise MeterFailed(f"provisioning was answered {said}")
