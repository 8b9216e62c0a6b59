"""Scenarios of an ordinary life: water, money, time, and all that a headend may send."""

from hil_tests.cuts.scenes import MONTHLY, credit, living, policy, send_pack
from hil_tests.cuts.truth import START_S
from hil_tests.cuts.world import GENERATION, World
from protocol.rules import debt
from protocol.rules.calendar import UTC
from protocol.rules.policy import encode_body as policy_body
from protocol.rules.tariff import Tariff
from protocol.rules.tariff import encode_body as tariff_body
from protocol.wire import command_codes
from protocol.wire.messages import (
    DOWN_PLAN,
    DOWN_POLICY,
    DOWN_TARIFF,
    Command,
    Nack,
    Opening,
    Rekey,
    Statement,
)


def a_day_of_life(flash, name):
    world = living(flash, name, tariff=MONTHLY, credited_mills=10000000)
    for number in range(34):
        world.pulses(7 + number, 3)
        world.passes(1800)
        if number % 4 == 3:
            credit(world, 10000000 + 1000 * number, world.truth.slot)
    return world.finish()


def an_opening(flash, name):
    world = World(flash, name, opening=False)
    world.provision()
    world.boot()
    world.pulses(5)
    world.passes(1900)
    world.pulses(12)
    world.begin()
    world.pulses(3)
    world.truth.statement = 0
    for again in range(2):
        message = Opening(GENERATION, 700, 0, 0, 0, world.slot(), 90000, 0, 4)
        becomes = None if again else lambda: world.truth.open_later(90000, 4, 700)
        world.hear("opening", message, truth=becomes)
    world.statements = 4
    world.pulses(11, 5)
    credit(world, 95000)
    world.passes(2000)
    return world.finish()


def statements(flash, name):
    world = living(flash, name)
    for number in range(1, 28):
        credit(world, 1000000 + 777 * number, world.truth.slot)
        world.pulses(number)
        if number == 6:
            credit(world, 5)  # an old one, late
    return world.finish()


def packs_in_parts(flash, name):
    world = living(flash, name)
    day = world.slot() // 48
    long_one = policy(
        version=2,
        holidays=tuple([day + 7 * week for week in range(1, 17)]),
        holiday_end_min=480,
        window_cap_l=200,
        until_slot=world.slot() + 48 * 365,
        windows=((31, 1020, 480), (32, 1020, 0), (64, 0, 480), (16, 720, 780)),
        vulnerable_until_slot=world.slot() + 48 * 90,
        vulnerable_l_per_day=50,
    )
    send_pack(world, DOWN_POLICY, 1, 2, 0, policy_body(long_one))
    dearer = Tariff(2, world.slot() + 1, 2, UTC, 1, 0, ((5, 60000), (0, 70007)), 0, 0)
    send_pack(world, DOWN_TARIFF, 0, 2, dearer.from_slot, tariff_body(dearer))
    world.truth.tariffs.append((dearer.from_slot, dearer))
    later = Tariff(3, world.slot() + 300, 0, UTC, 1, 0, ((0, 900),), 0, 0)
    send_pack(world, DOWN_TARIFF, 0, 3, later.from_slot, tariff_body(later))
    send_pack(world, DOWN_PLAN, 2, 1, 0, debt.encode_body(debt.Plan(1, 5000, 1000, day + 5)))
    world.truth.plan = (5000, 1000, day + 5)
    world.pulses(6)
    world.passes(2400)
    world.pulses(9, 3)
    send_pack(world, DOWN_POLICY, 1, 2, 0, policy_body(long_one))  # nothing new
    return world.finish()


def rekeys(flash, name):
    world = living(flash, name)
    for epoch in range(1, 4):
        world.hear("rekey", Rekey(epoch), truth=lambda epoch=epoch: epochs(world, epoch, epoch - 1))
        world.pulses(11)
        world.epoch = epoch

        def confirmed(epoch=epoch):
            epochs(world, epoch, epoch)
            world.truth.credited = 1000000 + epoch
            world.truth.statement = world.statements

        world.statements += 1
        message = Statement(world.statements, 1000000 + epoch, 0, 0, 0)
        world.hear("first under new keys", message, truth=confirmed)
        world.press()
        world.passes(100)
    return world.finish()


def epochs(world, epoch, before):
    world.truth.epochs = (epoch, before)


def commands(flash, name):
    world = living(flash, name, credited_mills=15000)
    orders = (
        (command_codes.VALVE_CLOSE, 3600, 0),
        (command_codes.VALVE_RELEASE, 0, 0),
        (command_codes.VALVE_OPEN, 3600, 50),
        (command_codes.REPORT_PERIOD, 2, 0),
        (command_codes.TELL, 0, 0),
        (command_codes.REPORT_PERIOD, 1, 0),
    )
    for number, (code, argument, limit) in enumerate(orders + orders[:4]):

        def becomes(number=number, code=code, argument=argument):
            world.truth.command = number + 1
            if code == command_codes.REPORT_PERIOD:
                world.truth.report_slots = argument

        world.hear("command", Command(number + 1, world.now_s + 600, code, argument, limit), truth=becomes)
        world.pulses(3)
    return world.finish()


def fire(flash, name):
    rules = policy(fire_s=3600, fire_every_days=30, fire_cap_l=40)
    world = living(flash, name, policy=rules, credited_mills=14000)
    world.pulses(8, 1)  # 14,000 mills are 28 litres: the valve closes
    for _ in range(5):
        world.press()
    world.pulses(30, 10)
    world.pulses(15, 1)
    credit(world, 50000)
    world.pulses(10)
    return world.finish()


def month_edge(flash, name):
    world = World(flash, name, tariff=MONTHLY, credited_mills=100000000)
    shift(world, 30 * 86400 + 82000)
    world.provision()
    world.boot()
    world.pulses(9)
    world.begin()
    for _ in range(9):
        world.passes(1200)
        world.pulses(8, 4)
    return world.finish()


def shift(world, seconds):
    """Begin so much later."""
    world.now_s = START_S + seconds
    world.truth = World(world.flash, world.name, world.tariff, world.policy, False).truth
    world.truth.open(100000000, world.slot())


def a_debt(flash, name):
    world = World(flash, name, credited_mills=200000)
    world.provision()
    world.boot()
    day = world.slot() // 48
    send_pack(world, DOWN_PLAN, 2, 1, 0, debt.encode_body(debt.Plan(1, 2500, 1000, day)))
    world.truth.plan = (2500, 1000, day)
    world.pulses(10)
    world.reboot(84000)
    world.begin()
    for _ in range(4):
        world.passes(2400)
        world.pulses(11)
        world.reboot(600)
    world.passes(1800)
    return world.finish()


def nacks(flash, name):
    world = World(flash, name)
    world.provision()
    world.boot()
    for _ in range(12):
        world.pulses(3)
        world.passes(1800)
    world.begin()
    start = world.slot() - 12
    for number in range(12):
        world.hear("nack", Nack(0, ((start + number, 1),)))
        world.passes(60)
    credit(world, 1000001, world.slot())
    world.passes(1800)
    return world.finish()


def litre_by_litre(flash, name):
    world = living(flash, name, tariff=MONTHLY, credited_mills=1000000000)
    world.pulses(420, 1)
    return world.finish()


def big_pulses(flash, name):
    world = World(flash, name, pulse_ml=100000, credited_mills=90000000000)
    world.provision()
    world.boot()
    world.begin()
    world.pulses(650, 130)
    world.pulses(30)
    world.passes(1900)
    world.pulses(4, 1)
    acts = world.recording.acts
    for act, following in [(acts[at], acts[at + 1]) for at in range(len(acts) - 1)]:
        if act.after[0][11] > 65000 or following.before[0][11] == 0:
            act.also = following.after
    return world.finish()


def daily_reports(flash, name):
    world = World(flash, name, report_slots=48, credited_mills=100000)
    world.truth.report_slots = 48
    world.provision()
    world.boot()
    world.pulses(10)
    world.reboot(40000)
    world.begin()
    for _ in range(9):
        world.pulses(3)
        world.passes(1800)
    return world.finish()
