"""Sealed statements that the headend handed out, kept for the next visit, and the handing over.

What the cable carries is what the radio would: the meter alone judges it, and takes none twice. A statement leaves the
folder when the meter has answered, whether it took it or knew it already.
"""

from __future__ import annotations

from .access import CARRIERS, Meter
from .refusals import Refusal
from .store import FRAMES, Store


def waiting(store: Store, meter_id: bytes) -> list[bytes]:
    """What is to be handed to a meter, oldest first."""
    document = store.read(FRAMES, meter_id.hex()) or {}
    try:
        return [bytes.fromhex(text) for text in document.get("frames", [])]
    except (TypeError, ValueError):
        raise Refusal("store_damaged", file=store.home / FRAMES / f"{meter_id.hex()}.json", why="frames") from None


def keep(store: Store, meter_id: bytes, frame: bytes) -> None:
    """Keep one for the next visit; a second time changes nothing."""
    kept = waiting(store, meter_id)
    if frame not in kept:
        _write(store, meter_id, [*kept, frame])


def hand_over(store: Store, meter: Meter) -> list[bool]:
    """Hand over what waits; for each, whether the meter took it. Needs a grant of a role that carries frames."""
    assert meter.meter_id is not None and meter.grant is not None and meter.grant.role in CARRIERS
    heard = []
    for frame in waiting(store, meter.meter_id):
        answer = meter.ask("frame", frame)
        if len(answer) != 1 or answer[0] not in (0, 1):
            raise Refusal("nonsense", command="frame")
        heard.append(bool(answer[0]))
        _write(store, meter.meter_id, [one for one in waiting(store, meter.meter_id) if one != frame])
    return heard


def _write(store: Store, meter_id: bytes, frames: list[bytes]) -> None:
    if frames:
        store.keep(FRAMES, meter_id.hex(), {"frames": [frame.hex() for frame in frames]})
    else:
        store.drop(FRAMES, meter_id.hex())
