"""A meter of a test that lives on while its headend falls: it keeps its log, answers NACK and TELL, changes its keys.

What it does by itself, a real meter does too (firmware/sync.py, firmware/key_ring.py); the test says when it speaks.
"""

from typing import Any

from headend.downlink.reply import Reply, seal
from headend.meters.registry import Provisioning
from protocol.wire import command_codes
from protocol.wire.downlinks import decode_down
from protocol.wire.envelope import DOWN, open_frame, read_header
from protocol.wire.keys import KeySet, derive
from protocol.wire.messages import DOWN_POLICY, Command, Device, Nack, Rekey
from protocol.wire.window import EXTRA_WINDOWS_METER, accept, candidates, is_fresh
from tests.headend.virtual_meter import VirtualMeter

FRAME_SLOTS = 48


class LivingMeter(VirtualMeter):
    """`to_say` are frames it owes: answers to what it heard. `heard_counters` is every (epoch, counter) it opened."""

    def __init__(self, record: Provisioning) -> None:
        self.to_say: list[bytes] = []
        self.heard_counters: list[tuple[int, int]] = []
        self.command = 0
        self.before: KeySet | None = None
        super().__init__(record)

    def hear(self, reply: Reply | None) -> None:
        for frame in seal(reply) if reply is not None else []:
            self.hear_frame(frame)

    def hear_frame(self, frame: bytes) -> object:
        """Under the present keys, or those before them until the first frame under the present ones (SEMANTICS D4)."""
        header = read_header(frame)
        for counter in candidates(self.window, header.seq, EXTRA_WINDOWS_METER):
            for keys in (self.keys, self.before):
                plaintext = None if keys is None else open_frame(keys, DOWN, frame, counter)
                if plaintext is None or keys is None:
                    continue
                assert (keys.epoch, counter) not in self.heard_counters, "I15: a downlink counter was used twice"
                self.heard_counters.append((keys.epoch, counter))
                if not is_fresh(self.window, counter):
                    return None
                if keys is self.keys:
                    self.before = None
                self.window = accept(self.window, counter)
                message = decode_down(header.type, plaintext)
                self._apply(header.type, message)
                return message
        raise AssertionError("a downlink that this meter cannot open")

    def say_log(self) -> list[bytes]:
        """Frames of all slots that are not acknowledged."""
        if not self.log:
            return []
        first = max(self.acked_slot, self.log[0].slot)
        return self._told(first, self.slot - first)

    def device(self) -> bytes:
        newest = max(pack.version for pack in self.packs)
        head = (self.log_generation, self.debt.count, self.statement, self.acked_slot or self.slot - len(self.log))
        versions = (newest, self.policy_version, self.plan_version)
        return self.seal(Device(*head, *versions, 1, 0, 3600, 100, self.command, 48, 0))

    def _told(self, first: int, slots: int) -> list[bytes]:
        """Frames of a stretch, cut where the pack changes."""
        frames, at = [], first - self.log[0].slot
        end = min(at + slots, len(self.log))
        while at < end:
            pack, count = self.log[at].pack, 1
            while at + count < end and count < FRAME_SLOTS and self.log[at + count].pack == pack:
                count += 1
            frames.append(self.report(at, count))
            at += count
        return frames

    def _apply(self, kind: int, message: Any) -> None:
        if isinstance(message, Nack):
            for first, slots in message.ranges:
                self.to_say += self._told(first, slots)
        elif isinstance(message, Command):
            if message.id > self.command:
                self.command = message.id
                if message.code == command_codes.TELL:
                    self.to_say += [self.anchor(), self.device()]
            self.to_say.append(self.result(message, command_codes.DONE, 0))
        elif isinstance(message, Rekey):
            if message.epoch > self.keys.epoch:
                self.before, record = self.keys, self.record
                self.keys = derive(record.root, self.meter_id, record.generation, message.epoch)
        elif kind == DOWN_POLICY and message.version > self.policy_version:
            self.policy_version = message.version
            self.to_say.append(self.device())
        else:
            packs = len(self.packs)
            super()._apply(kind, message)
            if len(self.packs) > packs:
                self.to_say.append(self.device())
