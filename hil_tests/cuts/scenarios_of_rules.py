"""Scenarios of the rules that let water through or take money: policies, orders, debits, debts, tariffs."""

from hil_tests.cuts.scenes import MONTHLY, credit, living, policy, send_pack
from hil_tests.cuts.world import World
from protocol.rules import debt
from protocol.rules.calendar import UTC
from protocol.rules.policy import encode_body as policy_body
from protocol.rules.tariff import Tariff
from protocol.rules.tariff import encode_body as tariff_body
from protocol.wire import command_codes
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF, Command, Statement


def emergency_credit(flash, name):
    world = living(flash, name, credited_mills=13000, policy=policy(emergency_mills=5000, emergency_unsure_mills=5000))
    world.pulses(16, 1)  # 26 litres are paid, 10 more are lent
    credit(world, 30000)
    world.pulses(6, 2)
    return world.finish()


def a_lifeline(flash, name):
    world = living(flash, name, credited_mills=12500, policy=policy(lifeline_l_per_day=20, pulse_l=5, pause_s=600))
    world.pulses(2)
    for _ in range(3):
        world.passes(700)
        world.pulses(5, 1)
    return world.finish()


def a_vulnerable_home(flash, name):
    until = living(flash, name).slot() + 480
    world = living(
        flash, name, credited_mills=12500, policy=policy(vulnerable_until_slot=until, vulnerable_l_per_day=9)
    )
    world.pulses(14, 1)
    world.passes(1900)
    world.pulses(3, 1)
    return world.finish()


def an_amnesty(flash, name):
    world = living(flash, name, credited_mills=12500)
    world.pulses(3, 1)
    rules = policy(version=2, amnesty_until_slot=world.slot() + 3, amnesty_cap_l=12)
    send_pack(world, DOWN_POLICY, 1, 2, 0, policy_body(rules))
    world.pulses(14, 2)
    world.passes(1900)
    return world.finish()


def a_debit(flash, name):
    world = living(flash, name, credited_mills=50000)
    for number in range(1, 6):
        debited = 7000 * number

        def becomes(debited=debited):
            world.truth.debited = debited
            world.truth.statement = world.statements

        world.statements += 1
        world.hear("debit", Statement(world.statements, 50000, debited, 0, 0), truth=becomes)
        world.pulses(4)
    credit(world, 70000)
    world.pulses(3)
    return world.finish()


def a_plan_replaced(flash, name):
    world = World(flash, name, credited_mills=200000)
    world.provision()
    world.boot()
    day = world.slot() // 48
    send_pack(world, DOWN_PLAN, 2, 1, 0, debt.encode_body(debt.Plan(1, 9000, 1000, day)))
    world.truth.plan = (9000, 1000, day)
    world.reboot(84000)
    world.begin()
    send_pack(world, DOWN_PLAN, 2, 2, 0, debt.encode_body(debt.Plan(2, 4000, 1500, day)))
    world.truth.plan = (4000, 1500, day)
    world.pulses(9, 3)
    world.passes(2700)  # over midnight
    send_pack(world, DOWN_PLAN, 2, 1, 0, debt.encode_body(debt.Plan(1, 9000, 1000, day)))  # an old one, late
    world.pulses(4)
    return world.finish()


def a_tariff_begins(flash, name):
    world = living(flash, name, tariff=MONTHLY, credited_mills=100000000)
    for version in (2, 3):
        dearer = Tariff(version, world.slot() + 1, 4, UTC, 1, 0, ((9, 7654321), (0, 12345678 * version)), 0, 0)
        send_pack(world, DOWN_TARIFF, 0, version, dearer.from_slot, tariff_body(dearer))
        world.truth.tariffs.append((dearer.from_slot, dearer))
        world.pulses(7, 3)
        world.passes(1800)
        world.pulses(5, 3)
    return world.finish()


def late_packs(flash, name):
    """Two future prices for one slot, of which the higher version wins, and one that comes after its time."""
    world = living(flash, name)
    begins = world.slot() + 1
    for version, price in ((3, 900), (2, 800)):
        body = tariff_body(Tariff(version, begins, 0, UTC, 1, 0, ((0, price),), 0, 0))
        send_pack(world, DOWN_TARIFF, 0, version, begins, body)
    world.truth.tariffs.append((begins, Tariff(3, begins, 0, UTC, 1, 0, ((0, 900),), 0, 0)))
    world.pulses(5)
    world.passes(1900)
    world.pulses(8, 4)
    for number in range(4):
        credit(world, 1000000 + number)
    return world.finish()


def orders_that_end(flash, name):
    world = living(flash, name, credited_mills=1000000)
    orders = ((command_codes.VALVE_CLOSE, 300, 0), (command_codes.VALVE_OPEN, 300, 6))
    for number in range(4):
        code, argument, limit = orders[number % 2]

        def becomes(number=number):
            world.truth.command = number + 1

        world.hear("command", Command(number + 1, world.now_s + 600, code, argument, limit), truth=becomes)
        if number % 2:
            world.pulses(4, 2)
        world.passes(400)
    return world.finish()


def an_expired_command(flash, name):
    world = living(flash, name)
    for number in range(6):

        def becomes(number=number):
            world.truth.command = number + 1

        late = Command(number + 1, world.now_s - 5, command_codes.VALVE_CLOSE, 3600, 0)
        world.hear("command", late, truth=becomes)
        world.pulses(4)
    return world.finish()


def a_deep_debt(flash, name):
    """Standing charges come due below zero, over an absence and a midnight."""
    world = World(flash, name, tariff=MONTHLY, credited_mills=20000)
    world.provision()
    world.boot()
    world.reboot(81000)
    world.begin()
    world.reboot(3 * 3600)
    world.pulses(3, 1)
    credit(world, 9000000)
    world.pulses(5)
    return world.finish()
