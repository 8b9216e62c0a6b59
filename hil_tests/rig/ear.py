"""Somebody with the meter's keys who listens to the air: what the frames say, whoever else hears them."""

from __future__ import annotations

from typing import Any

from firmware.identity import Identity
from protocol.wire import window
from protocol.wire.envelope import UP, open_frame, read_header
from protocol.wire.keys import derive
from protocol.wire.messages import UP_DEVICE, UP_EVENT
from protocol.wire.uplinks import decode_up


class Ear:
    """Opens every uplink of one meter. A frame that does not open, or repeats a counter, is a defect."""

    def __init__(self, identity: Identity) -> None:
        self.heard: list[tuple[int, bytes]] = []  # (type, plaintext)
        self._keys = derive(identity.root, identity.meter_id, identity.generation, 0)
        self._window = window.EMPTY

    def hear(self, frame: bytes) -> None:
        """One frame from the meter's antenna."""
        header = read_header(frame)
        for counter in window.candidates(self._window, header.seq, window.EXTRA_WINDOWS_HEADEND):
            plaintext = open_frame(self._keys, UP, frame, counter)
            if plaintext is not None:
                assert window.is_fresh(self._window, counter), f"counter {counter} was used twice"
                self._window = window.accept(self._window, counter)
                self.heard.append((header.type, plaintext))
                return
        raise AssertionError("the meter sent a frame that does not open")

    def messages(self, wanted: int) -> list[Any]:
        """All messages of a type so far, but for the log's (DAY, RANGE), which need a calendar."""
        return [decode_up(kind, plaintext, 0) for kind, plaintext in self.heard if kind == wanted]

    def events(self) -> list[int]:
        """Codes of the events told so far, each once, in the order of their numbers."""
        entries = {entry.event_no: entry.code for message in self.messages(UP_EVENT) for entry in message.events}
        return [entries[number] for number in sorted(entries)]

    def device(self) -> Any:
        """What the last DEVICE says."""
        return self.messages(UP_DEVICE)[-1]
