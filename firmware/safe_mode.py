"""Safe mode: the flash cannot be read, so the meter knows neither its keys nor its wallet.

It leaves the valve as it stands (a flash error never cuts water), transmits nothing, and answers the console with the
flag `safe_mode`, so that a technician finds out. It never formats.
"""

from firmware import reading
from firmware.console_fields import FIELDS
from protocol.errors import Refused
from protocol.wire import cbor

LOOK_AGAIN_US = 3600000000


class SafeMode:
    meter_id = None

    def __init__(self, board):
        self.board = board

    def reading(self):
        known = {
            "safe_mode": 1,
            "interpreter": reading.interpreter(),
            "interpreter_version": reading.interpreter_version(),
            "heap_free_min": self.board.heap_free(),
            "flash_operations": self.board.flash_operations(),
        }
        return [known.get(name, 0) for name in FIELDS]

    def answer(self, question):
        try:
            parts = cbor.decode_sequence(question)
        except Refused:
            parts = []
        number = parts[0] if parts and isinstance(parts[0], int) else 0
        return cbor.encode_sequence([number] + (self.reading() if parts[1:] == ["read"] else ["refused"]))

    def run(self):
        self.board.log("safe mode: the flash does not mount or holds no identity")
        while True:
            question = self.board.console_receive()
            while question is not None:
                self.board.console_send(self.answer(question))
                question = self.board.console_receive()
            self.board.wait_until(self.board.now_us() + LOOK_AGAIN_US)
