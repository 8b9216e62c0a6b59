"""What a meter without a state of its own has in common, in safe mode or before its life: a console and a loop."""

from firmware import console, reading
from firmware.console_fields import FIELDS
from protocol.errors import Refused
from protocol.wire import cbor
from protocol.wire.limits import CBOR_DEPTH_MAX, CBOR_ITEMS_MAX

QUESTION_BYTES_MAX = 1024


class WithoutState:
    meter_id = None
    port = None
    mode = 0  # what `safe_mode` says in the answer to "read"

    def __init__(self, board):
        self.board = board
        self.ended = False

    def service_secret(self):
        """None: there is no key, and the service port takes unsealed questions."""

    def console_locked(self, wrong_tags):
        """Told to nobody."""

    def reading(self):
        known = {
            "safe_mode": self.mode,
            "interpreter": reading.interpreter(),
            "interpreter_version": reading.interpreter_version(),
            "heap_free_min": self.board.heap_free(),
            "flash_operations": self.board.flash_operations(),
        }
        return [known.get(name, 0) for name in FIELDS]

    def answer(self, question):
        try:
            parts = cbor.decode_sequence(question, CBOR_DEPTH_MAX, CBOR_ITEMS_MAX, QUESTION_BYTES_MAX)
        except Refused:
            parts = []
        number = console.number_of(parts)
        said = self.reading() if parts[1:] == ["read"] else self.command(parts[1:])
        return cbor.encode_sequence([number] + said)

    def command(self, parts):
        return [console.REFUSED]

    def run(self):
        self.wake_up()
        while not self.ended:
            self.tick()
            self.board.wait_until(self.next_us())
