"""Frame counters and key epochs: what must outlive everything else, the state included (SEMANTICS D2, D4, I15).

Uplink counters are reserved in blocks of 64 at the first seal after a boot, in a flash record of their own, so that
losing the state does not lose them; what a boot did not use of its block is skipped. The record also keeps a floor for
the downlink window and the key epochs, because a counter counts under a key. Counters run on through epochs. The same
record goes into the keepsake, after the flash and before a counter of it is used. When no copy of it is left anywhere,
or the counters are spent, the radio stays silent until the meter is provisioned anew.
"""

from firmware import keepsake
from protocol.compat import const
from protocol.wire.limits import COUNTER_MAX
from protocol.wire.window import SIZE, Window

BLOCK = const(64)
WIDTHS = (5, 5, 4, 4)  # uplink counters reserved, downlink floor + 1, epoch, the epoch before it
RECORD_BYTES = const(18)
# Beyond what the keepsake says, where the flash says nothing: an EEPROM may have failed to take the last blocks.
SKIP = const(4096)


class FrameCounter:
    def __init__(self, record, eeprom=None, kept=b""):
        """`kept`: the payload that the keepsake in `eeprom` holds for this meter, empty for none."""
        self.record = record
        self.eeprom = eeprom
        self.kept = False  # the keepsake was seen to hold what is reserved
        self.restored = False
        self.reserved = self.epoch = self.epoch_before = 0
        self.downlink_floor = -1
        payload = record.load()
        self.lost = payload is None or len(payload) != RECORD_BYTES
        if len(kept) == RECORD_BYTES and (self.lost or kept[: WIDTHS[0]] > payload[: WIDTHS[0]]):
            self.lost = False  # the flash has lost it, or went back to an older one
            self.restored = True
            self._decode(kept)
            self.reserved += SKIP
        elif not self.lost:
            self._decode(payload)
        self.next = self.reserved

    def _decode(self, payload):
        values = []
        for width in WIDTHS:
            values.append(int.from_bytes(payload[:width], "big"))
            payload = payload[width:]
        self.reserved, floor, self.epoch, self.epoch_before = values
        self.downlink_floor = floor - 1

    def create(self):
        """The first record of a new meter."""
        self.lost = False
        self.save(-1)

    def save(self, downlink_highest):
        self.downlink_floor = max(self.downlink_floor, downlink_highest)
        payload = self.payload()
        self.record.save(payload)
        if self.eeprom is not None:
            self.kept = keepsake.keep(self.eeprom, keepsake.COUNTERS, payload)

    def payload(self):
        values = (self.reserved, self.downlink_floor + 1, self.epoch, self.epoch_before)
        return b"".join([values[index].to_bytes(WIDTHS[index], "big") for index in range(len(WIDTHS))])

    def set_epochs(self, epoch, epoch_before, downlink_highest):
        """Both key epochs that are accepted, on flash before this returns."""
        self.epoch = epoch
        self.epoch_before = epoch_before
        self.save(downlink_highest)

    @property
    def silent(self):
        """No frame may be sealed: the counters are lost or spent."""
        return self.lost or self.next > COUNTER_MAX

    def take(self, downlink_highest):
        """The next uplink counter; it is reserved on flash before this returns. Not when `silent`."""
        assert not self.silent
        if self.next >= self.reserved:
            self.reserved = self.next + BLOCK
            self.save(downlink_highest)
        self.next += 1
        return self.next - 1

    def window_after_loss(self):
        """A window that accepts nothing at or below the floor, for a meter whose state is gone."""
        if self.downlink_floor < 0:
            return Window(-1, 0)
        return Window(self.downlink_floor, (1 << SIZE) - 1)
