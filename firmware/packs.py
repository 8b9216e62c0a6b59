"""The packs a meter holds: the tariff in force and at most two to come, a policy and a debt plan with one to come each.

A tariff acts from max(from_slot, the slot after it was complete); for one from_slot the higher version wins, and a pack
older than the one in force is ignored (SEMANTICS B4, D1). Policies and plans go by their version alone. Nothing acts
before its whole body is there and its hash checks. All packs are one flash record: a CBOR sequence of
[kind, version, from_slot, acts_from, body].
"""

from collections import namedtuple

from firmware.assembly import Assembly
from protocol.compat import const, sha256
from protocol.errors import Refused
from protocol.rules import debt, policy, tariff
from protocol.wire import cbor
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF

FUTURE_TARIFFS_MAX = const(2)
RECORD_BYTES_MAX = const(2048)  # three tariffs, two policies and two plans of 240 bytes each

Held = namedtuple("Held", ("kind", "version", "from_slot", "acts_from", "body"))

DECODERS = {
    DOWN_TARIFF: tariff.decode_body,
    DOWN_POLICY: policy.decode_body,
    DOWN_PLAN: debt.decode_body,
}

# What became of an offered pack.
TAKEN = 0
IGNORED = 1
REFUSED = 2
WAITING = 3  # for more parts


class Packs:
    def __init__(self, record):
        """`record` is the TwoCopies that keeps them. Call `activate` before the first use."""
        self.record = record
        self.held = []
        self.assembly = Assembly()
        payload = record.load()
        if payload:
            for fields in cbor.decode_sequence(payload, 1, 64, RECORD_BYTES_MAX):
                self.held.append(Held(*fields))
        self.current = {DOWN_TARIFF: None, DOWN_POLICY: None, DOWN_PLAN: None}
        self.version = {DOWN_TARIFF: 0, DOWN_POLICY: 0, DOWN_PLAN: 0}

    def begin_again(self, provisioned, open_slot):
        """Both copies are lost: what the meter was provisioned with acts until the headend gives the newer ones again.
        Without a price water would cost nothing, and no headend could read the half-hours of it (B4)."""
        for kind, version, from_slot, body in provisioned:
            self.held.append(Held(kind, version, from_slot, min(from_slot, open_slot), body))
        self.save()

    def save(self):
        self.record.save(b"".join([cbor.encode(list(held)) for held in self.held]))

    def offer(self, kind, pack, open_slot):
        """TAKEN, IGNORED (nothing new), WAITING for more parts, or REFUSED (another hash than was said, outside the
        rules, or no room). Saved before it returns."""
        same_kind = [held for held in self.held if held.kind == kind]
        if not self._is_news(kind, pack, same_kind, open_slot):
            return IGNORED
        if pack.count > 1:
            pack = self.assembly.add(kind, pack)
            if pack is None:
                return WAITING
        if sha256(pack.chunk)[:4] != pack.hash4:
            return REFUSED
        try:
            DECODERS[kind](pack.version, pack.from_slot, pack.chunk)
        except Refused:
            return REFUSED
        acts_from = max(pack.from_slot, open_slot + 1) if same_kind else min(pack.from_slot, open_slot)
        kept = [held for held in self.held if not self._superseded(held, kind, pack, open_slot)]
        room = FUTURE_TARIFFS_MAX if kind == DOWN_TARIFF else 1
        if len([held for held in kept if held.kind == kind and held.acts_from > open_slot]) >= room:
            return REFUSED
        self.held = kept + [Held(kind, pack.version, pack.from_slot, acts_from, pack.chunk)]
        self.save()
        self.activate(open_slot)
        return TAKEN

    def _is_news(self, kind, pack, same_kind, open_slot):
        for held in same_kind:
            if kind != DOWN_TARIFF and pack.version <= held.version:
                return False
            if kind == DOWN_TARIFF and pack.from_slot == held.from_slot and pack.version <= held.version:
                return False
            if kind == DOWN_TARIFF and held.acts_from <= open_slot and pack.from_slot < held.from_slot:
                return False
        return True

    def _superseded(self, held, kind, pack, open_slot):
        """A future pack that the new one takes the place of."""
        if held.kind != kind or held.acts_from <= open_slot:
            return False
        return kind != DOWN_TARIFF or held.from_slot == pack.from_slot

    def activate(self, slot):
        """Make current what acts at `slot` and drop what it replaces. True when a pack changed."""
        changed = False
        for kind in self.current:
            acting = [held for held in self.held if held.kind == kind and held.acts_from <= slot]
            if not acting:
                continue
            best = acting[0]
            for held in acting[1:]:
                # Among policies and plans the version alone decides: a stale "may close" must not undo "never close".
                best_start, start = (best.from_slot, held.from_slot) if kind == DOWN_TARIFF else (0, 0)
                if (start, held.version) > (best_start, best.version):
                    best = held
            if self.current[kind] is None or self.version[kind] != best.version or len(acting) > 1:
                self.current[kind] = DECODERS[kind](best.version, best.from_slot, best.body)
                self.version[kind] = best.version
                self.held = [held for held in self.held if held == best or held not in acting]
                changed = True
        return changed

    def newest_version(self, kind):
        """The highest version held, in force or to come: what DEVICE echoes."""
        return max([held.version for held in self.held if held.kind == kind] + [0])
