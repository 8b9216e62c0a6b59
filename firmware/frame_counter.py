"""Frame counters that outlive everything else: no counter is ever used twice under one key (SEMANTICS D2, I15).

Uplink counters are reserved in blocks of 64 at the first seal after a boot, in a flash record of their own, so that
losing the state does not lose them; what a boot did not use of its block is skipped. The record also keeps a floor for
the downlink window. When both copies of it are gone the radio stays silent until the meter is provisioned anew.
"""

from protocol.compat import const
from protocol.wire.window import SIZE, Window

BLOCK = const(64)


class FrameCounter:
    def __init__(self, record):
        self.record = record
        payload = record.load()
        self.lost = payload is None or len(payload) != 9
        self.reserved = 0 if self.lost else int.from_bytes(payload[:4], "big")
        self.downlink_floor = -1 if self.lost else int.from_bytes(payload[4:], "big") - 1
        self.next = self.reserved

    def create(self):
        """The first record of a new meter."""
        self.lost = False
        self.save(-1)

    def save(self, downlink_highest):
        self.downlink_floor = max(self.downlink_floor, downlink_highest)
        self.record.save(self.reserved.to_bytes(4, "big") + (self.downlink_floor + 1).to_bytes(5, "big"))

    def take(self, downlink_highest):
        """The next uplink counter; it is reserved on flash before this returns."""
        assert not self.lost
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
