"""Safe mode: the flash cannot be read, so the meter knows neither its wallet nor its log.

It leaves the valve as it stands (a flash error never cuts water), never formats, shows the alarm on its face and
answers the console with `safe_mode`. Where the keepsake tells its name, keys and counters it also says so by radio, at
boot and once a day: an EVENT, which carries no counter of water or money (none is known), under counters that are
reserved in the keepsake beyond all that may have been used (I15). Without a keepsake it is silent. What it hears it
ignores.
"""

from firmware import console, face, identity
from firmware.clock import SECOND_US
from firmware.frame_counter import FrameCounter
from firmware.key_ring import KeyRing
from firmware.without_state import WithoutState
from protocol.compat import const
from protocol.wire import event_codes
from protocol.wire.console_codes import MAINTAINER, NOT_ALLOWED, UNKNOWN_COMMAND
from protocol.wire.envelope import UP, seal
from protocol.wire.messages import Event, EventEntry
from protocol.wire.uplinks import encode_up

ALARM_US = const(86400000000)
# The meter's own numbers of events are lost with its state: these are above them all, one for each frame counter.
EVENT_NUMBERS = const(0x80000000)
SILENT = const(1)
TELLING = const(2)


class NoRecord:
    """The flash record that is not there."""

    def load(self):
        return None

    def save(self, payload):
        pass


class SafeMode(WithoutState):
    mode = SILENT
    counter = None
    argument = 0

    def __init__(self, board, data, counters):
        """`data`: the identity as the keepsake holds it, empty for none; `counters`: what it says of them."""
        WithoutState.__init__(self, board)
        self.booted_us = self.next_alarm_us = board.now_us()
        self.booted_s, _ = board.rtc()
        self.shown = False
        if data:
            who = identity.decode(data)
            self.mode = TELLING
            self.meter_id = who.meter_id
            self.counter = FrameCounter(NoRecord(), board.eeprom, counters)
            self.keys = KeyRing(who, self.counter)
            self.argument = int(board.flash_blank())

    def service_secret(self):
        """The keepsake's counters rise with each boot, as each boot sends an alarm."""
        return None if self.counter is None else self.keys.service_secret(0)

    def unix_s(self):
        return self.booted_s + (self.board.now_us() - self.booted_us) // SECOND_US

    def command(self, parts, port):
        """New firmware may be what it needs: where there is a key to prove, the maintainer may bring it."""
        name = parts[0] if parts and isinstance(parts[0], str) else ""
        if self.counter is None or (name != "update" and not name.startswith("update-")):
            return [console.REFUSED, UNKNOWN_COMMAND]
        if name != "update" and (port is None or port.role != MAINTAINER):
            return [console.REFUSED, NOT_ALLOWED]
        from firmware.updating import command

        return command(self, parts)

    def wake_up(self):
        self.board.log("safe mode: the flash does not mount or holds no identity")

    def next_us(self):
        return self.next_alarm_us

    def tick(self):
        board = self.board
        while board.receive() is not None:
            pass
        if not self.shown:
            self.shown = True
            board.face(face.flash_lost())
        now_us = board.now_us()
        if now_us >= self.next_alarm_us:
            self.next_alarm_us = now_us + ALARM_US
            if self.counter is not None and not self.counter.silent:
                self.alarm(self.unix_s())
        console.serve(self)

    def alarm(self, unix_s):
        """Tell it. Not when the keepsake does not take the reservation: then the same counters would come again."""
        number = self.counter.take(-1)
        if not self.counter.kept:
            return
        entry = EventEntry(EVENT_NUMBERS | number, unix_s, event_codes.FLASH_LOST, self.argument)
        message_type, plaintext = encode_up(Event((entry,)))
        self.board.transmit(seal(self.keys.up, UP, message_type, number, plaintext))
