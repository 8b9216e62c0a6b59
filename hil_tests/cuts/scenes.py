"""What scenarios share: a meter that has lived a while, statements, packs."""

from hil_tests.cuts.world import World
from protocol.rules.calendar import UTC
from protocol.rules.policy import NEW as PLAIN
from protocol.rules.policy import Policy
from protocol.rules.tariff import Tariff
from protocol.wire.messages import Statement
from protocol.wire.parts import pack_parts

MONTHLY = Tariff(1, 0, 2, UTC, 1, 0, ((7, 33333), (20, 70001), (0, 123457)), 12345, 5000077)
POLICY_FIELDS = (
    "version flags emergency_mills emergency_unsure_mills lifeline_l_per_day low_credit_mills windows window_cap_l "
    "until_slot grace_s jitter_s holidays holiday_end_min vulnerable_until_slot vulnerable_l_per_day "
    "amnesty_until_slot amnesty_cap_l fire_s fire_every_days fire_cap_l pulse_l pause_s"
).split()


def policy(**fields):
    """PLAIN with other fields: MicroPython's named tuples have no _replace."""
    return Policy(*[fields.get(name, PLAIN[at]) for at, name in enumerate(POLICY_FIELDS)])


def living(flash, name, **options):
    """A meter that was provisioned and has lived for a while, and is recorded from here on."""
    world = World(flash, name, **options)
    world.provision()
    world.boot()
    world.passes(400)
    world.pulses(23, 4)
    world.passes(1800)
    world.begin()
    return world


def credit(world, mills, acked_slot=0):
    """A statement that raises C."""
    truth = world.truth

    def becomes():
        truth.credited = max(truth.credited, mills)
        truth.statement = world.statements

    world.statements += 1
    message = Statement(world.statements, mills, truth.debited, truth.generation, acked_slot)
    world.hear("statement", message, truth=becomes)


def send_pack(world, kind, place, version, from_slot, body):
    parts = pack_parts(version, from_slot, body)
    for part in parts:
        last = part.index == part.count - 1

        def becomes(last=last):
            if last:
                world.truth.versions[place] = max(world.truth.versions[place], version)

        # A cut forgets the parts heard before it: only a whole pack can be said again by its last frame alone.
        world.hear("pack", part, kind, truth=becomes, repeatable=len(parts) == 1)
