"""A headend of a few lines, for tests that need one answer and no books: it opens a wallet and seals downlinks."""

from __future__ import annotations

from typing import Any

from firmware.identity import Identity, decode
from firmware.provisioning import identity_record, opening_frame
from protocol.wire import command_codes
from protocol.wire.downlinks import encode_down
from protocol.wire.envelope import DOWN, seal
from protocol.wire.keys import derive
from protocol.wire.messages import Command, Opening, Statement
from simulator import prices
from simulator.clock import START_UNIX_S
from simulator.prices import FIRST_BLOCK_MILLS_PER_L, Price

_METER_ID, _ROOT = bytes.fromhex("6775656c74610002"), bytes(range(16, 32))
_FAR_UNIX_S = START_UNIX_S + 10**8


class Desk:
    """One meter with credit from its first instant, and the downlinks it may be sent."""

    def __init__(self, credited_mills: int) -> None:
        opening = Opening(1, 0, 0, 0, 0, prices.START_SLOT, credited_mills, 0, 1)
        frame = opening_frame(_ROOT, _METER_ID, opening, counter=0)
        tariff = prices.tariff(1, Price(0, FIRST_BLOCK_MILLS_PER_L))
        self.record = identity_record(_METER_ID, _ROOT, 1, opening=frame, tariff=tariff)
        self.identity: Identity = decode(self.record)
        self._keys = derive(_ROOT, _METER_ID, 1, 0)
        self._counter = self._command = 0
        self._number = 1

    def statement(self, credited_mills: int) -> bytes:
        """So much was ever credited."""
        self._number += 1
        return self._seal(Statement(self._number, credited_mills, 0, 0, 0))

    def tell(self) -> bytes:
        """The order to send ANCHOR and DEVICE now."""
        self._command += 1
        return self._seal(Command(self._command, _FAR_UNIX_S, command_codes.TELL, 0, 0))

    def _seal(self, message: Any) -> bytes:
        kind, plaintext = encode_down(message)
        self._counter += 1
        return seal(self._keys, DOWN, kind, self._counter, plaintext)
