"""Scenarios of trouble: lost slots, lost states, clocks and valves that fail, a battery and a supply that falter."""

from hil_tests.cuts.scenes import MONTHLY, credit, living, policy
from hil_tests.cuts.world import GENERATION, World
from protocol.wire.messages import Nack, Opening


def the_valve(flash, name):
    world = living(flash, name, credited_mills=12000)
    for number in range(1, 9):
        world.pulses(2, 1)
        credit(world, 12000 + 1500 * number)
    return world.finish()


def a_stalling_valve(flash, name):
    world = living(flash, name, credited_mills=12000)
    world.valve_works = False
    world.pulses(2, 1)
    world.passes(400)
    world.valve_works = True
    credit(world, 40000)
    world.pulses(5)
    return world.finish()


def a_clock_set_back(flash, name):
    world = World(flash, name)
    world.rtc_error_s = world.truth.clock_error_s = 3 * 86400
    world.truth.time(world.meter_s())
    world.truth.closed.clear()
    world.truth.slots_written.clear()
    world.truth.first_slot = world.truth.slot
    world.provision()
    world.boot()
    world.passes(2000)
    world.pulses(10)
    world.rtc_valid = False
    world.reboot()
    world.pulses(10)
    world.begin()
    world.passes(1900)
    world.hear("time", world.heard(), repeatable=False)
    world.press()
    world.passes(60)
    world.hear("time again", world.heard(), truth=lambda: stepped(world), repeatable=False)
    world.pulses(10)
    world.passes(2000)
    return world.finish()


def stepped(world):
    truth = world.truth
    truth.clock_error_s = 0
    truth.sure = True
    truth.new_generation(world.slot())


def a_clock_found(flash, name):
    world = living(flash, name, tariff=MONTHLY, credited_mills=100000000)
    world.pulses(10)
    world.rtc_valid = False
    world.truth.clock_error_s = -5000
    world.reboot(5000)
    world.pulses(10)
    world.passes(900)
    world.hear("time", world.heard(), truth=lambda: found(world), repeatable=False)
    world.pulses(12, 6)
    world.passes(1800)
    return world.finish()


def found(world):
    truth = world.truth
    truth.clock_error_s = 0
    truth.sure = True
    truth.time(world.now_s)


def lost_slots(flash, name):
    world = World(flash, name)
    world.provision()
    world.boot()
    for _ in range(8):
        world.pulses(4)
        world.passes(1800)
    spoil_record(world, 2)
    spoil_record(world, 3)
    world.reboot()
    world.begin()
    world.recording.gaps = True
    start = world.slot() - 8
    for number in range(8):
        world.hear("nack", Nack(0, ((start, 5),)))
        world.pulses(3)
        credit(world, 1000000 + number, start + 1)
        world.passes(900)
    return world.finish()


def spoil_record(world, number):
    """One bit of a slot's record, in both copies."""
    name = "/log/{:02}".format(world.slot() // 48 % 92)
    for directory in ("a", "b"):
        content = bytearray(world.board.files.read(directory + name))
        content[48 * number + 20] ^= 4
        world.board.files.replace(directory + name, bytes(content))


def a_lost_state(flash, name):
    world = living(flash, name)
    world.pulses(20)
    world.passes(3700)
    world.recording = None
    world.device.journal = None
    for directory in ("a", "b"):
        content = bytearray(world.board.files.read(directory + "/state"))
        content[40] ^= 1
        world.board.files.replace(directory + "/state", bytes(content))
    lost = World(flash, name, opening=False)
    lost.truth.slot = lost.truth.first_slot = world.slot()
    lost.truth.generation = 1
    lost.truth.statement = 0
    world.truth = lost.truth
    world.begin()
    world.recording.spoilt = 2
    world.reboot()
    world.pulses(7)
    world.passes(1900)
    world.statements = 9
    message = Opening(GENERATION, 50, 0, 0, 0, world.slot(), 77000, 0, 9)
    world.hear("opening", message, truth=lambda: world.truth.open_later(77000, 9, 50))
    world.pulses(10)
    world.passes(1000)
    return world.finish()


def counter_blocks(flash, name):
    world = living(flash, name)
    for _ in range(8):
        for _ in range(26):
            world.press()
        world.reboot(30)
    return world.finish()


def many_events(flash, name):
    world = living(flash, name)
    for _ in range(9):
        world.set("opened", tamper=True)
        world.set("battery low", mv=2900)
        world.set("closed", tamper=False)
        world.set("battery good", mv=3300)
    world.pulses(3)
    return world.finish()


def a_last_move(flash, name):
    world = living(flash, name, credited_mills=14000, policy=policy(flags=8))
    world.pulses(3)
    world.set("critical", mv=2600)
    world.pulses(9, 1)
    world.set("good", mv=3300)
    world.pulses(2, 1)
    return world.finish()


def brown_outs(flash, name):
    world = living(flash, name)
    for number in range(24):
        world.board.count += number
        world.truth.pending += number
        world.reboot(5)
    return world.finish()


def the_ring_turns(flash, name):
    world = World(flash, name)
    world.provision()
    world.boot()
    world.passes(400)
    old_log(world, world.slot() // 48 + 1 - 92)
    world.pulses(10)
    world.reboot(86400 - 2 * 1800 - 300)
    world.begin()
    for _ in range(9):
        world.pulses(4)
        world.passes(1800)
    return world.finish()


def old_log(world, day):
    """A day file of 92 days ago, in both copies."""
    from firmware import slot_log

    previous = b""
    content = b""
    for slot in range(day * 48, day * 48 + 48):
        previous = slot_log.encode(slot_log.ClosedSlot(slot, 0, 0, 1, 1, True, 0, 0, 0, 0, 0), previous)
        content += previous
    for directory in ("a", "b"):
        world.board.files.replace(directory + "/log/{:02}".format(day % 92), content)


def an_absence(flash, name):
    world = living(flash, name, tariff=MONTHLY, credited_mills=50000000)
    world.board.count += 40
    world.truth.pending += 40  # they flow while the meter is off
    world.reboot(4 * 3600)
    world.pulses(4)
    return world.finish()


def provisioning(flash, name):
    world = World(flash, name, tariff=MONTHLY, credited_mills=2000000)
    world.begin(provisioning=True)
    world.act("provisioning", world.provision)
    world.recording.facts = world.truth.facts()
    return world.finish()
