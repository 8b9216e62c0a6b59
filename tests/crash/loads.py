"""What a headend does while its disk is watched: the production jobs, on a small utility, in stories of a few minutes.

Each story stands for another part of the life of the files: new ones, short logs of many kinds of work, a log that is
written into the database and begun again, and a headend that is stopped and started.
"""

import contextlib
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from headend.billing.plans import last_policy, set_debt_plan, set_policy
from headend.billing.tariffs import Terms, publish_tariff
from headend.billing.work import work_off_one
from headend.clock import SimClock
from headend.ingest.received import Bearer, Received
from headend.ledger.books import open_books
from headend.ledger.payments import resolve_suspense, reverse_payment
from headend.meters.commands import order
from headend.meters.details import edit_details
from headend.meters.registry import NewMeter, add_meter
from headend.meters.rekey import ask_rekey
from headend.meters.renewal import renew_meter
from headend.meters.retirement import retire_meter
from headend.meters.slot_requests import ask
from headend.meters.swap import execute_swap, prepare_swap
from headend.storage import migrate
from headend.storage.reader import Reader
from headend.storage.sqlite import create_private
from headend.storage.writer import Job, Writer
from protocol.wire.command_codes import TELL
from tests.crash.story import DATABASE, Story, Teller, content, recorded
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import NIGER, START_SLOT, World

DAY = 48

Tell = Callable[["Headend"], None]


class Headend:
    """A headend that is watched, its meters, and what they say to each other."""

    def __init__(self, folder: Path, story: Story) -> None:
        self.folder = folder
        self.story = story
        self.meters: list[VirtualMeter] = []
        self.paid = 0
        self.start()

    def start(self) -> None:
        self.world = World(self.folder, random.Random(3))
        self.teller = Teller(self.story, self.world.writer, self.world.reader.read)
        self.do = self.teller.do

    def stop(self) -> None:
        self.world.close()

    def add(self) -> VirtualMeter:
        number = len(self.meters) + 1
        new = NewMeter(number.to_bytes(8, "big"), "home", f"Customer {number}", start_slot=START_SLOT)
        [record] = self.do(lambda tx: add_meter(tx, self.world.keyring, new))
        self.meters.append(self.world.meter(record))
        return self.meters[-1]

    def frame(self, meter: VirtualMeter, frame: bytes) -> Job[Any]:
        received = Received(meter.meter_id, frame, Bearer.UDP, "127.0.0.1 5555", self.world.clock.unix_us())
        return lambda tx: self.world.ingest.receive(tx, received)

    def hear(self, meter: VirtualMeter, frame: bytes) -> None:
        [answer] = self.do(self.frame(meter, frame))
        meter.hear(answer.reply)

    def payment(self, number: str, amount_minor: int = 500) -> Job[Any]:
        self.paid += 1
        transaction = f"t{self.paid}"
        return lambda tx: self.world.credit(tx, number, amount_minor, transaction)


def told(folder: Path, books: Path, tell: Tell) -> Story:
    """A story that begins on a copy of some books, with a headend that starts, and ends with one that stops."""
    folder.mkdir()
    for file in books.iterdir():
        shutil.copy2(file, folder / file.name)
    with recorded(folder) as story:
        headend = Headend(folder, story)
        try:
            tell(headend)
        finally:
            headend.stop()
    return story


def money(headend: Headend) -> None:
    """Payments alone and in bursts, money that matches nobody, reversals, debt."""
    first, second = headend.add(), headend.add()
    world, do = headend.world, headend.do
    [credited] = do(headend.payment(first.number))
    do(*(headend.payment(meter.number, 100 + at) for at, meter in enumerate([first, second] * 4)))
    [waiting] = do(headend.payment("nobody"))
    do(lambda tx: resolve_suspense(tx, waiting.payment_id, second.number, "ticket 1"))
    do(lambda tx: world.credit(tx, first.number, 500, "t1"))
    do(lambda tx: reverse_payment(tx, credited.payment_id, "r1", "paid by mistake"))
    do(lambda tx: set_debt_plan(tx, first.meter_id, "connection", 50_000, 1_000, 2500))
    do(lambda tx: set_policy(tx, first.meter_id, last_policy(tx, first.meter_id)._replace(low_credit_mills=1_000)))
    for _ in range(4):
        do(headend.payment(second.number), headend.payment("nobody", 7))


def payments_alone(headend: Headend) -> None:
    """The shortest story there is."""
    meter = headend.add()
    for _ in range(4):
        headend.do(headend.payment(meter.number))


def meters(headend: Headend) -> None:
    """Logs in order and out of it, orders, keys, a tariff that comes late, a swap, a renewal, an end."""
    first, second = headend.add(), headend.add()
    world, do, now_s = headend.world, headend.do, headend.world.clock.unix_us() // 1_000_000
    for meter in (first, second):
        meter.use([1, 0, 2, 5] * (DAY * 3 // 4))
    headend.hear(first, first.report(0, DAY))
    headend.hear(first, first.report(2 * DAY, DAY))
    headend.hear(first, first.report(DAY, DAY))
    do(*(headend.frame(second, second.report(at * DAY, DAY)) for at in (0, 1)), headend.payment(second.number))
    headend.hear(second, second.gap(2 * DAY, 6))
    headend.hear(second, second.event(6, 1))
    do(lambda tx: order(tx, first.meter_id, TELL, 0, 0, now_s + 3600))
    do(lambda tx: ask_rekey(tx, first.meter_id))
    headend.hear(first, first.poll())
    dearer = {**NIGER, "blocks": [[10_000, 150], [40_000, 300], [0, 500]]}
    terms = Terms("debit")
    do(lambda tx: publish_tariff(tx, "home", "Homes", dearer, START_SLOT + DAY, terms, "late"))
    for _ in range(3):
        do(work_off_one)
    headend.hear(second, second.anchor())
    do(lambda tx: edit_details(tx, second.meter_id, {"holder": "Another"}))
    spare = (9).to_bytes(8, "big")
    do(lambda tx: prepare_swap(tx, world.keyring, second.meter_id, spare, 1))
    world.clock.set(world.clock.unix_us() + 4 * 86_400_000_000)
    do(lambda tx: execute_swap(tx, world.keyring, second.meter_id, spare, second.slot, None, 0))
    do(lambda tx: ask(tx, first.meter_id, START_SLOT, 10))
    do(lambda tx: renew_meter(tx, world.keyring, first.meter_id, first.volume_l))
    do(lambda tx: retire_meter(tx, spare, 0))


def growth(headend: Headend) -> None:
    """So much that the log is written into the database and begun again, more than once."""
    many = [headend.add() for _ in range(4)]
    for meter in many:
        meter.use([1, 0, 2, 5] * DAY)
    for turn in range(18):
        frames = [headend.frame(meter, meter.report(turn * 8, 8)) for meter in many]
        headend.do(*frames, *(headend.payment(meter.number) for meter in many * 5))


def restarts(headend: Headend) -> None:
    """A headend that stops and starts: its log is written into the database and deleted each time."""
    meter = headend.add()
    meter.use([2] * DAY * 6)
    for day in range(6):
        headend.do(headend.frame(meter, meter.report(day * DAY, DAY)))
        headend.do(headend.payment(meter.number))
        headend.stop()
        headend.start()


def birth(folder: Path) -> Story:
    """A headend's first start: the file, the schema, the books."""
    folder.mkdir()
    path = folder / DATABASE
    with recorded(folder) as story:
        create_private(path)
        story.states.append(_content_of(path))
        migrate.upgrade(path)
        story.acknowledge(1)
        story.states.append(_content_of(path))
        _open(path)
        story.acknowledge(2)
        story.states.append(_content_of(path))
    return story


def start(path: Path) -> None:
    """What a headend does at every start, before anything else."""
    migrate.upgrade(path)
    _open(path)


def _open(path: Path) -> None:
    with contextlib.closing(Writer(path, SimClock(0))) as writer:
        writer.run(lambda tx: open_books(tx, "Guelta", "XOF", 0))


def _content_of(path: Path) -> bytes:
    with contextlib.closing(Reader(path)) as reader:
        return reader.read(content)
