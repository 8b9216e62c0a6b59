"""What a meter without a state of its own has in common, in safe mode or before its life: a console and a loop."""

import sys

from firmware import console, reading
from protocol.errors import Refused
from protocol.wire import cbor
from protocol.wire.console_codes import UNKNOWN_COMMAND
from protocol.wire.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX


class WithoutState:
    meter_id = None
    port = valve = store = state = None
    must_persist = False
    update = None  # as of a Meter
    mode = 0  # what `safe_mode` says in the answer to "read"

    def __init__(self, board):
        self.board = board
        self.ended = False

    def service_secret(self):
        """None: there is no key, and the service port takes unsealed questions."""

    def console_locked(self, wrong_tags):
        """Told to nobody."""

    def reading(self):
        from firmware.console_fields import FIELDS

        sys.modules.pop("console_fields", None)  # a table of 2 KB: not in the heap while an identity is taken
        known = {
            "safe_mode": self.mode,
            "interpreter": reading.interpreter(),
            "interpreter_version": reading.interpreter_version(),
            "heap_free_min": self.board.heap_free(),
            "flash_operations": self.board.flash_operations(),
            "battery_mv": self.board.battery_mv(),
            "pulses": self.board.pulses(),
            "tampered": int(self.board.tampered()),
            "temperature_c10": self.board.temperature_c10(),
        }
        return [known.get(name, 0) for name in FIELDS]

    def listen(self):
        """Nothing: it hears nobody. A trial takes its turns here (trial.py)."""

    def persist(self):
        """There is nothing to keep it on."""

    def answer(self, question, port):
        try:
            parts = cbor.decode_sequence(question, CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, console.QUESTION_BYTES_MAX)
        except Refused:
            parts = []
        number = console.number_of(parts)
        said = self.reading() if parts[1:] == ["read"] else self.command(parts[1:], port)
        return cbor.encode_sequence([number] + said)

    def command(self, parts, port):
        return [console.REFUSED, UNKNOWN_COMMAND]

    def run(self):
        self.wake_up()
        while True:
            self.tick()
            self.listen()
            if self.ended:
                return
            self.board.wait_until(self.next_us())
