"""The identity that `provision` writes into a box: from what the headend answered, in the bytes a meter keeps.

[1, meter_id 8, root 16, generation, pulse_ml, report_slots, installation_grace_mills, opening frame,
 [[kind, version, from_slot, body], ...]]

The meter checks every field again and refuses by name; nothing here knows what a pack means.
"""

from typing import Any

from protocol.wire import cbor
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF

FORMAT = 1
REPORT_EVERY_SLOT = 1


class AnswerRefused(Exception):
    """A field of the headend's answer that is missing or not of its kind; the argument names it."""


def encode(added: Any, installation_grace_mills: int) -> bytes:
    """The identity's bytes. `added` holds bytes in hex, as POST /v1/meters answers. Raises AnswerRefused."""
    packs = []
    for name, kind in (("tariff", DOWN_TARIFF), ("policy", DOWN_POLICY)):
        pack = _field(added, name, dict)
        packs.append([kind, _field(pack, "version", int), _field(pack, "from_slot", int), _bytes(pack, "body")])
    return cbor.encode(
        [
            FORMAT,
            _bytes(added, "meter_id"),
            _bytes(added, "root"),
            _field(added, "generation", int),
            1000 * _field(added, "litres_per_pulse", int),
            REPORT_EVERY_SLOT,
            installation_grace_mills,
            _bytes(added, "opening_frame"),
            packs,
        ]
    )


def _field(given: Any, name: str, kind: type) -> Any:
    value = given.get(name) if isinstance(given, dict) else None
    if not isinstance(value, kind) or isinstance(value, bool):
        raise AnswerRefused(name)
    return value


def _bytes(given: Any, name: str) -> bytes:
    text: str = _field(given, name, str)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise AnswerRefused(name) from None
