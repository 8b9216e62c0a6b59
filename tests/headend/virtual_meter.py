"""A meter reduced to its counters: the same wire and rules as the device, no flash, no valve, no radio.

It is a test's meter, so it does what the test says: `use` litres slot by slot, `report` whatever run of slots, hear
answers or not.
"""

from dataclasses import dataclass
from typing import Any

from headend.downlink.reply import Reply, seal
from headend.meters.registry import Provisioning
from protocol.rules import debt, rating, tariff
from protocol.rules.calendar import local_day, slot_phase
from protocol.wire.downlinks import decode_down
from protocol.wire.envelope import DOWN, UP, open_frame, read_header
from protocol.wire.envelope import seal as seal_frame
from protocol.wire.keys import derive
from protocol.wire.messages import (
    DEVICE_UNOPENED,
    DOWN_PLAN,
    DOWN_TARIFF,
    STATUS_CLOCK_UNSURE,
    Anchor,
    Command,
    Day,
    Device,
    Event,
    EventEntry,
    Gap,
    Opening,
    Poll,
    Range,
    Result,
    Statement,
    Time,
)
from protocol.wire.parts import join_parts
from protocol.wire.uplinks import encode_up
from protocol.wire.window import EMPTY, EXTRA_WINDOWS_METER, accept, candidates, is_fresh


@dataclass(frozen=True, slots=True)
class Slot:
    """A logged half-hour and where the counters stood: V before it, the rest after it."""

    log_generation: int
    slot: int
    volume_l: int
    litres: int
    spent_mills: int
    collected_mills: int
    instalments: int
    pack: int
    sure: bool
    remainder: int
    position_l: int


class VirtualMeter:
    """V, C, D, S, R and a log; packs by their versions."""

    def __init__(self, record: Provisioning) -> None:
        self.meter_id = record.meter_id
        self.number = record.customer_number
        self.record = record
        self.keys = derive(record.root, record.meter_id, record.generation, record.epoch)
        self.window = EMPTY
        self.counter = 0
        self.packs = [tariff.decode_body(record.tariff.version, record.tariff.from_slot, record.tariff.body)]
        self.plan = debt.Plan(1, 0, 0, 0)
        self.plan_version = 0
        self.policy_version = record.policy.version
        self.volume_l = record.first_index_l
        self.credited_mills = self.debited_mills = self.statement = 0
        self.rating, self.is_open = rating.NEW, False
        self.debt = debt.NEW
        self.log_generation = 0
        self.slot = 0
        self.acked_slot = 0
        self.log: list[Slot] = []
        self.skew_mills = 0
        self.times: list[tuple[int, int]] = []
        self.parts: dict[tuple[int, int], dict[int, Any]] = {}
        if record.opening_frame:
            self._open(record.opening_frame)

    @property
    def balance_mills(self) -> int:
        return self.credited_mills - self.debited_mills - self.spent_mills - self.debt.collected_mills

    @property
    def spent_mills(self) -> int:
        return self.rating.spent_mills + self.skew_mills

    def pack_at(self, slot: int) -> tariff.Tariff:
        """The pack in force: the latest start not after the slot, and of one start the highest version."""
        acting = [pack for pack in self.packs if pack.from_slot <= slot]
        return max(acting, key=lambda pack: (pack.from_slot, pack.version))

    def use(self, litres: list[int], sure: bool = True) -> None:
        """Let water flow, one number per slot, from the open slot on."""
        for value in litres:
            pack = self.pack_at(self.slot)
            self.rating = rating.begin_slot(self.rating, pack, self.slot, sure)
            if sure:
                day = local_day(self.slot, pack.offsets)
                self.debt = debt.collect(self.plan, self.debt, self.balance_mills, day)
            before_l = self.volume_l
            self.rating = rating.spend(self.rating, pack, value)
            self.volume_l += value
            counters = (self.spent_mills, self.debt.collected_mills, self.debt.count)
            below = (self.rating.remainder, self.rating.position_l)
            logged = Slot(self.log_generation, self.slot, before_l, value, *counters, pack.version, sure, *below)
            self.log.append(logged)
            self.slot += 1

    def new_log_generation(self, slot: int) -> None:
        """The clock stepped far back (SEMANTICS C1)."""
        self.log_generation += 1
        self.slot = slot

    def report(self, first: int, count: int) -> bytes:
        """A frame with `count` slots from the log's index `first` on: DAY for 48, else RANGE."""
        run = self.log[first : first + count]
        assert len({(item.pack, item.sure, item.log_generation) for item in run}) == 1
        last, head = run[-1], run[0]
        status = 0 if head.sure else STATUS_CLOCK_UNSURE
        kind = Day if count == 48 else Range
        message = kind(
            head.log_generation & 3,
            head.slot & 0x3FFF,
            head.volume_l & 0xFFFF,
            last.spent_mills & 0xFFFFFF,
            last.instalments & 63,
            self.statement & 63,
            head.pack & 15,
            status,
            [item.litres for item in run],
        )
        return self.seal(message, slot_phase(head.slot, self.packs[0].offsets))

    def gap(self, first: int, count: int) -> bytes:
        """A GAP in the place of `count` slots from the log's index `first` on: the counters at both ends."""
        before = self.log[first - 1] if first else None
        head, last = self.log[first], self.log[first + count - 1]
        spent_mills, collected_mills = (0, 0) if before is None else (before.spent_mills, before.collected_mills)
        message = Gap(
            head.slot,
            count,
            last.volume_l + last.litres,
            head.volume_l & 0xFFFFFF,
            last.spent_mills,
            spent_mills & 0xFFFFFF,
            last.collected_mills,
            collected_mills & 0xFFFFFF,
            last.position_l,
            head.log_generation & 3,
            last.remainder,
            last.instalments & 63,
        )
        return self.seal(message)

    def result(self, command: Command, outcome: int, at_unix_s: int) -> bytes:
        return self.seal(Result(command.id, command.code, outcome, at_unix_s))

    def change_keys(self, epoch: int) -> None:
        """Seal and open under the keys of another epoch from now on (SEMANTICS D4)."""
        self.keys = derive(self.record.root, self.meter_id, self.record.generation, epoch)

    def poll(self) -> bytes:
        return self.seal(Poll())

    def anchor(self) -> bytes:
        counters = (self.credited_mills, self.debited_mills, self.spent_mills, self.debt.collected_mills)
        remainder = self.rating.remainder
        return self.seal(Anchor(self.slot, self.volume_l, *counters, self.log_generation & 3, remainder, 0))

    def device(self) -> bytes:
        newest = max(pack.version for pack in self.packs)
        head = (self.log_generation, self.debt.count, self.statement, self.acked_slot or self.log[0].slot)
        return self.seal(Device(*head, newest, self.policy_version, self.plan_version, 1, 0, 3600, 100, 0, 48, 0))

    def unopened(self) -> bytes:
        """What a spare says of itself: no log, no statement, and that it holds no OPENING."""
        newest = max(pack.version for pack in self.packs)
        flags = DEVICE_UNOPENED
        return self.seal(Device(0, 0, 0, self.slot, newest, self.policy_version, 0, 1, 0, 3600, 100, 0, 48, flags))

    def event(self, code: int, number: int, argument: int = 0, at_unix_s: int = 0) -> bytes:
        return self.seal(Event((EventEntry(number, at_unix_s, code, argument),)))

    def seal(self, message: object, phase: int = 0) -> bytes:
        kind, plaintext = encode_up(message, phase)
        self.counter += 1
        return seal_frame(self.keys, UP, kind, self.counter - 1, plaintext)

    def hear(self, reply: Reply | None) -> None:
        """Apply the frames of a reply, in order."""
        for frame in seal(reply) if reply is not None else []:
            self.hear_frame(frame)

    def hear_frame(self, frame: bytes) -> object:
        """Apply one downlink frame; returns its message. Fails the test on a frame that is not for this meter."""
        header = read_header(frame)
        for counter in candidates(self.window, header.seq, EXTRA_WINDOWS_METER):
            plaintext = open_frame(self.keys, DOWN, frame, counter)
            if plaintext is not None:
                break
        else:
            raise AssertionError("a downlink that this meter cannot open")
        if not is_fresh(self.window, counter):
            return None
        self.window = accept(self.window, counter)
        message = decode_down(header.type, plaintext)
        self._apply(header.type, message)
        return message

    def _open(self, frame: bytes) -> None:
        opening = self.hear_frame(frame)
        assert isinstance(opening, Opening)
        assert opening.volume_l == self.record.first_index_l

    def _begin(self, opening: Any) -> None:
        if self.is_open:
            return
        self.is_open = True
        self.slot, self.volume_l = opening.holder_slot, opening.volume_l
        self.credited_mills, self.debited_mills = opening.credited_mills, opening.debited_mills
        self.statement = opening.number
        self.rating = rating.RatingState(0, 0, opening.day or -1, opening.month or -1, opening.position_l)

    def _apply(self, kind: int, message: object) -> None:
        if isinstance(message, Statement):
            self.credited_mills = max(self.credited_mills, message.credited_mills)
            self.debited_mills = max(self.debited_mills, message.debited_mills)
            self.statement = max(self.statement, message.number)
            if message.log_generation == self.log_generation:
                self.acked_slot = max(self.acked_slot, message.acked_slot)
        elif isinstance(message, Time):
            self.times.append((message.counter, message.unix_s))
        elif isinstance(message, Opening):
            self._begin(message)
        elif kind == DOWN_TARIFF and (body := self._body(kind, message)) is not None:
            start = max(message.from_slot, self.slot)  # type: ignore[attr-defined]
            pack = tariff.decode_body(message.version, message.from_slot, body)  # type: ignore[attr-defined]
            if pack.version not in [held.version for held in self.packs]:
                self.packs.append(pack._replace(from_slot=start))
        elif kind == DOWN_PLAN and message.version > self.plan_version:  # type: ignore[attr-defined]
            self.plan_version = message.version  # type: ignore[attr-defined]
            self.plan = debt.decode_body(message.version, message.from_slot, message.chunk)  # type: ignore[attr-defined]

    def _body(self, kind: int, part: Any) -> bytes | None:
        """The body of a pack once all its parts were heard, in whatever order."""
        parts = self.parts.setdefault((kind, part.version), {})
        parts[part.index] = part
        return join_parts(tuple(parts[at] for at in sorted(parts))) if len(parts) == part.count else None
