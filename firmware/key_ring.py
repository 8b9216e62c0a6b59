"""The keys in force, and how they change without a moment at which meter and headend cannot talk (SEMANTICS D4).

REKEY names the next epoch, sealed under the present keys. From then on uplinks are sealed under the new epoch, and
downlinks are opened under both, until the first one under the new epoch shows that the headend has it; then the old
epoch is forgotten. Each step is on flash, with the frame counters, before anything is sent under it: a power cut leaves
either the state before the step or the one after, and the headend accepts both.
"""

from protocol.compat import const
from protocol.wire.keys import derive

EPOCH_STEP_MAX = const(7)  # 3 bits of the epoch are on air


class KeyRing:
    def __init__(self, identity, counter):
        """`counter` is the FrameCounter that keeps the epochs."""
        self.root = identity.root
        self.meter_id = identity.meter_id
        self.generation = identity.generation
        self.counter = counter
        self.up = self._derive(counter.epoch)
        self.before = self.up if counter.epoch_before == counter.epoch else self._derive(counter.epoch_before)

    def service_secret(self, boot_count):
        """(root, meter_id, generation, bytes that no other boot has) for the service port."""
        fresh = boot_count.to_bytes(4, "big") + self.counter.reserved.to_bytes(5, "big")
        return self.root, self.meter_id, self.generation, fresh

    def _derive(self, epoch):
        return derive(self.root, self.meter_id, self.generation, epoch)

    @property
    def down(self):
        """The key sets a downlink may be sealed under, the newest first."""
        return (self.up,) if self.before is self.up else (self.up, self.before)

    def change(self, epoch, downlink_highest):
        """Begin a change to `epoch`. False when refused; the epoch under way, asked for again, changes nothing."""
        counter = self.counter
        changing = counter.epoch_before != counter.epoch
        if epoch == counter.epoch and changing:
            return True
        if changing or not counter.epoch < epoch <= counter.epoch + EPOCH_STEP_MAX:
            return False
        counter.set_epochs(epoch, counter.epoch, downlink_highest)
        self.up = self._derive(epoch)
        return True

    def heard_under(self, keys, downlink_highest):
        """A fresh downlink opened under `keys`: the first one under the new epoch ends the change."""
        if keys is self.up and self.before is not self.up:
            self.counter.set_epochs(self.counter.epoch, self.counter.epoch, downlink_highest)
            self.before = self.up
