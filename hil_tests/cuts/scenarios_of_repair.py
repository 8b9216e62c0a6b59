"""Scenarios of a flash or a keepsake that lacks something: what the first boot mends, and water that misbehaves."""

from hil_tests.cuts.nor_ram import SIZE
from hil_tests.cuts.scenes import MONTHLY, credit, living, policy
from hil_tests.cuts.world import World


def spoil(world, *paths):
    """One byte of these files."""
    for path in paths:
        content = bytearray(world.board.files.read(path))
        content[len(content) // 2] ^= 8
        world.board.files.replace(path, bytes(content))


def mended(flash, name, work, spoilt, **options):
    """A meter that lives, to whose flash `work` does something before it boots again and goes on."""
    world = living(flash, name, credited_mills=1000000, **options)
    world.pulses(14, 5)
    passed = world.recording.passed
    world.recording = None
    world.device.journal = None
    work(world)
    world.begin()
    world.recording.passed.update(passed)  # the flash is a few litres behind
    world.recording.spoilt = spoilt
    world.recording.told_counter = world.meter.store.counter.next - 1
    world.reboot(20)
    world.pulses(13, 6)
    for number in range(3):
        credit(world, 1000001 + number)
    world.passes(1900)
    world.reboot(5)
    return world.finish()


def a_bad_state_copy(flash, name):
    return mended(flash, name, lambda world: spoil(world, "a/state"), 1)


def a_bad_copy_of_all(flash, name):
    return mended(flash, name, lambda world: spoil(world, "b/state", "a/packs", "b/counters", "a/identity"), 4)


def a_lost_identity(flash, name):
    """The keepsake gives it back."""
    return mended(flash, name, lambda world: spoil(world, "a/identity", "b/identity"), 2)


def lost_counters(flash, name):
    """The keepsake gives them back, a good way on."""
    return mended(flash, name, lambda world: spoil(world, "a/counters", "b/counters"), 2)


def a_blank_keepsake(flash, name):
    """A board that was given a new EEPROM: it is written again."""

    def blank(world):
        world.device.image[SIZE:] = b"\xff" * (len(world.device.image) - SIZE)

    return mended(flash, name, blank, 0)


def a_half_kept_identity(flash, name):
    """One copy of the keepsake's identity is bad."""

    def half(world):
        world.device.image[SIZE + 30] ^= 1

    return mended(flash, name, half, 0)


def a_leak(flash, name):
    """A tap that drips day and night, until the alarm tells it."""
    world = World(flash, name, tariff=MONTHLY, credited_mills=100000000)
    world.provision()
    world.boot()
    for number in range(54):
        if number == 43:
            world.begin()
        world.pulses(1)
        world.passes(1800)
    return world.finish()


def a_burst(flash, name):
    world = living(flash, name, credited_mills=100000000)
    for _ in range(3):
        world.pulses(700, 175)
        world.passes(1800)
    return world.finish()


def a_leaking_valve(flash, name):
    """Water runs though the valve is closed: it is driven again, told, and billed."""
    world = living(flash, name, credited_mills=12000)
    for _ in range(8):
        world.pulses(3, 1)
        world.passes(120)
    credit(world, 90000)
    world.pulses(4)
    return world.finish()


def many_presses(flash, name):
    world = living(flash, name, policy=policy(fire_s=600, fire_every_days=1, fire_cap_l=10))
    for number in range(40):
        world.press(1 + number % 3)
        world.pulses(2)
        world.passes(45)
    return world.finish()


def resets_and_slots(flash, name):
    """The power goes shortly before each slot ends and comes after it has ended."""
    world = living(flash, name, tariff=MONTHLY, credited_mills=100000000)
    for number in range(8):
        world.board.count += 3 + number
        world.truth.pending += 3 + number
        world.reboot(1750)
        world.pulses(2)
    return world.finish()
