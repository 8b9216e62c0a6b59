"""A town that lives by a script, so that it can live twice: with a headend that falls and is restored, and without.

The script is drawn before anything happens. What a meter draws, who pays what and what the office orders is the same in
both lives; what differs is only what the headend knows.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from headend.downlink.desired import push_statement
from headend.ingest.received import Answer
from headend.ledger.payments import reverse_payment
from headend.meters.registry import Provisioning
from headend.meters.rekey import ask_rekey
from protocol.rules.calendar import slot_start
from tests.headend.living_meter import LivingMeter
from tests.headend.world import NIGER, START_SLOT, World

SECOND_US = 1_000_000
MINUTE_US, HOUR_US, DAY_US = 60 * SECOND_US, 3_600 * SECOND_US, 86_400 * SECOND_US
HALF_HOUR_US = HOUR_US // 2
BEGIN_US = slot_start(START_SLOT) * SECOND_US
FALL_US = BEGIN_US + 9 * DAY_US
CHEAPER = {**NIGER, "blocks": [[10_000, 100], [40_000, 279], [0, 448]]}


@dataclass(frozen=True, order=True)
class Act:
    """Something that happens at an instant; `number` names the meter, 0 the whole town."""

    at_us: int
    order: int
    kind: str
    number: int = 0
    amount: int = 0


def script(chance: random.Random, meters: int, days_after: int) -> list[Act]:
    """What happens from the begin until so many days after the fall."""
    acts: list[Act] = []

    def add(at_us: float, kind: str, number: int = 0, amount: int = 0) -> None:
        acts.append(Act(int(at_us), len(acts), kind, number, amount))

    end_us = FALL_US + days_after * DAY_US
    for at_us in range(BEGIN_US + HALF_HOUR_US, end_us + 1, HALF_HOUR_US):
        add(at_us, "slot")
    add(FALL_US - 3 * DAY_US, "cheaper", amount=START_SLOT + 48 * 4)
    for number in range(1, meters + 1):
        dark = chance.random() < 0.1
        days = range(9) if not dark else range(1)
        for day in days:
            add(BEGIN_US + (day + chance.random()) * DAY_US, chance.choice(("report", "report", "unanswered")), number)
        for day in range(chance.randrange(4)):
            add(BEGIN_US + (2 * day + chance.random()) * DAY_US, "pay", number, chance.randrange(200, 2_000))
        for within_us, share in ((DAY_US, 0.3), (HOUR_US, 0.2), (MINUTE_US, 0.06)):
            if chance.random() < share:
                at_us = FALL_US - within_us * (0.05 + 0.9 * chance.random())
                kind = chance.choice(("pay", "pay", "push"))
                add(at_us, kind, number, chance.randrange(200, 2_000))
                if not dark and chance.random() < 0.7:
                    add(min(at_us + MINUTE_US, FALL_US - SECOND_US), "report", number)
        if chance.random() < 0.06:
            add(FALL_US - chance.random() * 6 * DAY_US, "rekey", number)
        if chance.random() < 0.1:
            add(FALL_US - (0.1 + chance.random()) * DAY_US, "reverse", number)
        for day in range(days_after):
            add(FALL_US + (day + 0.1 + 0.8 * chance.random()) * DAY_US, "report", number)
        if chance.random() < 0.3:
            add(FALL_US + 3 * HOUR_US + chance.random() * DAY_US, "pay", number, chance.randrange(200, 2_000))
    return sorted(acts)


class Town(World):
    """The meters of a town and the acts of its script. `heard` sees each frame before and after it is taken."""

    def __init__(self, folder: Path, chance: random.Random, high_water: Path | None = None) -> None:
        super().__init__(folder, chance, high_water=high_water)
        self.meters: dict[int, LivingMeter] = {}
        self.paid: list[dict[str, Any]] = []
        self.reversed: list[str] = []
        self.heard: Callable[[LivingMeter, Callable[[], Answer]], Answer] = lambda _meter, take: take()

    def meter(self, record: Provisioning) -> LivingMeter:
        return LivingMeter(record)

    def settle(self, meters: int) -> None:
        for number in range(1, meters + 1):
            self.meters[number] = self.add(number)  # type: ignore[assignment]

    def live(self, acts: list[Act], chance: random.Random) -> None:
        """`chance` is what the households draw and what the radio loses."""
        for act in acts:
            self.clock.set(max(act.at_us, self.clock.unix_us()))
            if act.kind == "slot":
                for number in sorted(self.meters):
                    self.meters[number].use([chance.randrange(0, 12)])
            else:
                getattr(self, f"_{act.kind}")(act)

    def converse(self, meter: LivingMeter, frames: list[bytes], answered: bool = True) -> None:
        """An exchange, until neither has anything to add."""
        frames, meter.to_say = [*frames, *meter.to_say], []
        for _ in range(40):
            if not frames:
                return
            for frame in frames:
                answer = self.heard(meter, lambda frame=frame: self.lose_answer(meter, frame))  # type: ignore[misc]
                if answered:
                    meter.hear(answer.reply)
            frames, meter.to_say = meter.to_say, []
        raise AssertionError("this exchange never ends")

    def payments(self, since_us: int, until_us: int) -> Iterator[dict[str, Any]]:
        """The provider's statement."""
        return (one for one in self.paid if since_us <= one["paid_at_us"] < until_us)

    def notify(self, one: dict[str, Any]) -> None:
        self.pay(one["number"], one["amount_minor"], one["transaction"], paid_at_us=one["paid_at_us"])

    def reverse(self, transaction: str) -> None:
        [(payment_id,)] = self.rows("SELECT id FROM payment WHERE provider_txn_id = ?", transaction)
        self.writer.run(lambda tx: reverse_payment(tx, payment_id, "claim", "claimed"))

    def publish_cheaper(self, from_slot: int) -> None:
        self.publish(CHEAPER, from_slot)

    # What a script names ---------------------------------------------------------------------------------------------
    def _report(self, act: Act) -> None:
        meter = self.meters[act.number]
        self.converse(meter, meter.say_log())

    def _unanswered(self, act: Act) -> None:
        meter = self.meters[act.number]
        self.converse(meter, meter.say_log(), answered=False)

    def _pay(self, act: Act) -> None:
        number = self.meters[act.number].number
        one = {"number": number, "amount_minor": act.amount, "transaction": f"T{act.order}", "paid_at_us": act.at_us}
        self.paid.append(one)
        self.notify(one)

    def _push(self, act: Act) -> None:
        """A payment whose statement reaches the meter at once, without an uplink."""
        self._pay(act)
        meter = self.meters[act.number]
        meter.hear(self.writer.run(lambda tx: push_statement(tx, self.keyring, meter.meter_id)))

    def _reverse(self, act: Act) -> None:
        number = self.meters[act.number].number
        mine = [one["transaction"] for one in self.paid if one["number"] == number]
        if mine and mine[-1] not in self.reversed:
            self.reversed.append(mine[-1])
            self.reverse(mine[-1])
            # What neither a file nor the meter knows of D, no restore can: then the office's act is a new one.
            meter = self.meters[act.number]
            self.converse(meter, [meter.poll()])

    def _rekey(self, act: Act) -> None:
        self.writer.run(lambda tx: ask_rekey(tx, self.meters[act.number].meter_id))

    def _cheaper(self, act: Act) -> None:
        self.publish_cheaper(act.amount)
