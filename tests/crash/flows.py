"""The pieces of work of a headend, each once, in an order in which each finds what it needs: the production jobs.

A flow is made when its turn comes and may then be tried again and again: until it is told done, nothing of it is there.
"""

import random
from collections.abc import Iterator
from typing import Any

from headend.api import keys
from headend.billing.plans import last_policy, set_debt_plan, set_policy
from headend.billing.tariffs import Terms, publish_tariff
from headend.billing.work import work_off_one
from headend.field.seals import SealRange, import_seals
from headend.ingest.received import Bearer, Received
from headend.ledger.payments import Outcome, resolve_suspense, reverse_payment
from headend.ledger.till import store_event
from headend.meters.commands import order
from headend.meters.details import edit_details
from headend.meters.registry import NewMeter, add_meter
from headend.meters.rekey import ask_rekey
from headend.meters.renewal import renew_meter
from headend.meters.retirement import retire_meter
from headend.meters.slot_requests import ask
from headend.meters.swap import execute_swap, prepare_swap
from headend.payments import providers
from headend.releases import releases, updates
from headend.storage.writer import Job, Tx
from protocol.wire.command_codes import TELL
from tests.headend.signed import PUBLIC_KEY, update
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import NIGER, START_SLOT, World

DAY = 48
SPARE = (9).to_bytes(8, "big")


class Office:
    """A small utility in the middle of its life."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.first, self.second = world.add(1), world.add(2)
        for meter in (self.first, self.second):
            meter.use([1, 0, 2, 5] * DAY)
        self.waiting = world.pay("nobody", 700, "suspended").payment_id
        self.credited = world.pay(self.second.number, 900, "to be reversed").payment_id
        self.probes = 0

    def probe(self) -> Job[Any]:
        """A payment that was never made before."""
        self.probes += 1
        transaction = f"probe-{self.probes}"
        return lambda tx: self.world.credit(tx, self.first.number, 5, transaction)

    def frame(self, meter: VirtualMeter, frame: bytes) -> Job[Any]:
        received = Received(meter.meter_id, frame, Bearer.UDP, "127.0.0.1 5555", self.world.clock.unix_us())
        return lambda tx: self.world.ingest.receive(tx, received)


def flows(office: Office) -> Iterator[tuple[str, Job[Any]]]:
    """Every flow by its name, in turn."""
    for chapter in (_money, _air, _office, _meters):
        yield from chapter(office)


def _money(office: Office) -> Iterator[tuple[str, Job[Any]]]:
    world, first, second = office.world, office.first, office.second
    yield "payment", lambda tx: world.credit(tx, first.number, 501, "a")
    yield "payment-suspense", lambda tx: world.credit(tx, "nobody", 502, "b")
    yield "payment-conflict", lambda tx: _conflict(world, tx)
    yield "suspense-resolved", lambda tx: resolve_suspense(tx, office.waiting, second.number, "ticket")
    yield "reversal", lambda tx: reverse_payment(tx, office.credited, "r", "by mistake")
    yield "notification", lambda tx: store_event(tx, "wave", "m1", b"{}")
    yield "debt-plan", lambda tx: set_debt_plan(tx, first.meter_id, "connection", 50_000, 1_000, 2_500)


def _conflict(world: World, tx: Tx) -> None:
    assert world.credit(tx, "nobody", 503, "b").outcome is Outcome.CONFLICT


def _air(office: Office) -> Iterator[tuple[str, Job[Any]]]:
    first, second = office.first, office.second
    yield "uplink-day", office.frame(first, first.report(0, DAY))
    yield "uplink-out-of-order", office.frame(second, second.report(DAY, DAY))
    yield "uplink-closes-the-hole", office.frame(second, second.report(0, DAY))
    yield "uplink-gap", office.frame(first, first.gap(DAY, 6))
    yield "uplink-event", office.frame(first, first.event(6, 1))
    yield "uplink-anchor", office.frame(first, first.anchor())
    yield "uplink-poll", office.frame(first, first.poll())
    yield "uplink-forged", office.frame(first, bytes(40))


def _office(office: Office) -> Iterator[tuple[str, Job[Any]]]:
    world, first = office.world, office.first
    chance = random.Random(5)
    now_s = world.clock.unix_us() // 1_000_000
    dearer = {**NIGER, "blocks": [[10_000, 150], [40_000, 300], [0, 500]]}
    plain = world.writer.run(lambda tx: last_policy(tx, first.meter_id))
    yield "tariff", lambda tx: publish_tariff(tx, "home", "Homes", dearer, START_SLOT + DAY, Terms("debit"), "late")
    yield "rating-again", work_off_one
    yield "policy", lambda tx: set_policy(tx, first.meter_id, plain._replace(low_credit_mills=1_000))
    yield "order", lambda tx: order(tx, first.meter_id, TELL, 0, 0, now_s + 3_600)
    yield "rekey", lambda tx: ask_rekey(tx, first.meter_id)
    yield "details", lambda tx: edit_details(tx, first.meter_id, {"holder": "Another"})
    yield "provider", lambda tx: providers.add(tx, world.keyring, chance.randbytes, "wave", 1, 10**6)
    yield "api-key", lambda tx: keys.create(tx, "clerk", ("read",), chance.randbytes)
    yield "seals", lambda tx: import_seals(tx, SealRange("A", "0001", "0040"))
    yield "release", lambda tx: releases.add_release(tx, update(7), PUBLIC_KEY)
    yield "update", lambda tx: updates.order(tx, first.meter_id, 7, "unix")


def _meters(office: Office) -> Iterator[tuple[str, Job[Any]]]:
    world, first, second = office.world, office.first, office.second
    third = NewMeter((3).to_bytes(8, "big"), "home", "Third", start_slot=START_SLOT)
    yield "meter", lambda tx: add_meter(tx, world.keyring, third)
    yield "spare", lambda tx: prepare_swap(tx, world.keyring, second.meter_id, SPARE, 1)
    world.clock.set(world.clock.unix_us() + 5 * 86_400_000_000)
    yield "slots-asked", lambda tx: ask(tx, first.meter_id, START_SLOT, 10)
    yield "swap", lambda tx: execute_swap(tx, world.keyring, second.meter_id, SPARE, second.slot, None, 0)
    yield "renewal", lambda tx: renew_meter(tx, world.keyring, first.meter_id, first.volume_l)
    yield "retirement", lambda tx: retire_meter(tx, SPARE, 0)
