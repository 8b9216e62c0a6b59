"""Packs longer than a frame come in parts, and act only once all are there and the hash checks (SEMANTICS B4, D1)."""

import random
from collections.abc import Callable

import pytest

from firmware.flash_record import TwoCopies
from firmware.packs import IGNORED, REFUSED, TAKEN, WAITING, Packs
from protocol.rules.calendar import slot_of
from protocol.rules.policy import NEVER_CLOSE_LOCK, NEW, Policy, encode_body
from protocol.rules.tariff import CHARGE_MILLS_MAX, Tariff
from protocol.rules.tariff import encode_body as tariff_body
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF, UP_DEVICE, VALVE_CLOSED, VALVE_OPEN, Pack
from protocol.wire.parts import pack_parts, whole_pack
from tests.firmware.fake_files import FakeFiles
from tests.firmware.rig import MIDNIGHT_S, TARIFF, Rig, opening

Make = Callable[..., Rig]
SLOT = slot_of(MIDNIGHT_S)


def long_policy(version: int, **fields: int) -> Policy:
    """A policy of several parts: sixteen holidays and every kind of relaxation."""
    days = tuple(SLOT // 48 + 7 * week for week in range(1, 17))
    return NEW._replace(
        version=version,
        holidays=days,
        holiday_end_min=480,
        window_cap_l=200,
        until_slot=SLOT + 48 * 365,
        windows=((31, 1020, 480), (32, 1020, 0), (64, 0, 480), (16, 720, 780)),
        vulnerable_until_slot=SLOT + 48 * 90,
        vulnerable_l_per_day=50,
        **fields,
    )


def parts_of(policy: Policy) -> tuple[Pack, ...]:
    parts = pack_parts(policy.version, 0, encode_body(policy))
    assert len(parts) >= 2
    return parts


def held_packs() -> Packs:
    packs = Packs(TwoCopies(FakeFiles(), "packs"))
    assert packs.offer(DOWN_POLICY, whole_pack(1, 0, encode_body(NEW)), SLOT) == TAKEN
    return packs


def longest(version: int) -> bytes:
    """The body of a long tariff: eight blocks, every charge at its limit, and a clock that changes for eight years."""
    transitions = tuple((SLOT + 8_761 * at, 60 * (at % 2)) for at in range(1, 17))
    blocks = tuple((10_007 * at % 90_001, 1_000_003 + 77 * at) for at in range(1, 8))
    return tariff_body(
        Tariff(
            version,
            0,
            4,
            TARIFF.offsets._replace(transitions=transitions),
            255,
            CHARGE_MILLS_MAX - 1,
            (*blocks, (0, 16_777_213_001)),
            CHARGE_MILLS_MAX - 2,
            CHARGE_MILLS_MAX - 4,
        )
    )


def test_any_order_and_repetition_of_the_parts_gives_the_pack_once() -> None:
    """B4: a hundred shuffles with repeats; nothing acts before the last missing part, and what follows is no news."""
    dice = random.Random(1)
    parts = parts_of(long_policy(2))
    for _ in range(100):
        packs = held_packs()
        order = [*parts, *dice.choices(parts, k=3)]
        dice.shuffle(order)
        seen: set[int] = set()
        for part in order:
            complete = {*seen, part.index} == set(range(part.count))
            expected = IGNORED if len(seen) == part.count else TAKEN if complete else WAITING
            assert packs.offer(DOWN_POLICY, part, SLOT) == expected
            seen.add(part.index)
        assert packs.newest_version(DOWN_POLICY) == 2


def test_a_wrong_hash_is_refused_and_the_pack_can_be_sent_again() -> None:
    """B4: nothing acts before the hash checks; what was put together is thrown away whole."""
    packs = held_packs()
    parts = parts_of(long_policy(2))
    spoilt = parts[0]._replace(chunk=bytes(30))
    assert [packs.offer(DOWN_POLICY, part, SLOT) for part in (spoilt, *parts[1:-1])] == [WAITING] * (len(parts) - 1)
    assert packs.offer(DOWN_POLICY, parts[-1], SLOT) == REFUSED
    assert packs.newest_version(DOWN_POLICY) == 1
    assert [packs.offer(DOWN_POLICY, part, SLOT) for part in parts][-1] == TAKEN


def test_a_right_hash_over_a_body_outside_the_rules_is_refused() -> None:
    packs = held_packs()
    outcomes = [packs.offer(DOWN_POLICY, part, SLOT) for part in pack_parts(2, 0, bytes(range(200)))]
    assert outcomes[-1] == REFUSED and packs.newest_version(DOWN_POLICY) == 1


def test_a_higher_version_takes_the_place_of_parts_and_a_lower_one_is_ignored_beside_them() -> None:
    """D1: version 3 half there, version 2 in between: 3 is completed by its own parts, and 2 never acts."""
    packs = held_packs()
    second, third = parts_of(long_policy(2)), parts_of(long_policy(3, low_credit_mills=7))
    assert packs.offer(DOWN_POLICY, second[0], SLOT) == WAITING
    assert packs.offer(DOWN_POLICY, third[0], SLOT) == WAITING
    assert {packs.offer(DOWN_POLICY, part, SLOT) for part in second} == {WAITING}
    assert [packs.offer(DOWN_POLICY, part, SLOT) for part in third[1:]][-1] == TAKEN
    assert packs.newest_version(DOWN_POLICY) == 3
    assert packs.offer(DOWN_POLICY, second[1], SLOT) == IGNORED


def test_parts_of_two_kinds_do_not_disturb_each_other() -> None:
    packs = held_packs()
    policy, tariff = parts_of(long_policy(2)), pack_parts(2, 0, longest(2))
    for part in (policy[0], *tariff[:-1]):
        assert packs.offer(DOWN_POLICY if part in policy else DOWN_TARIFF, part, SLOT) == WAITING
    assert [packs.offer(DOWN_POLICY, part, SLOT) for part in policy[1:]][-1] == TAKEN
    assert packs.offer(DOWN_TARIFF, tariff[-1], SLOT) == TAKEN


def test_every_pack_a_meter_may_hold_fits_its_flash_record() -> None:
    """Three long tariffs, two long policies: written, read again, and the same."""
    files = FakeFiles()
    packs = Packs(TwoCopies(files, "packs"))
    body = longest(1)
    assert len(body) > 100
    for version, from_slot in ((1, 0), (2, SLOT + 100), (3, SLOT + 200)):
        assert packs.offer(DOWN_TARIFF, whole_pack(version, from_slot, body), SLOT) == TAKEN
    assert packs.offer(DOWN_TARIFF, whole_pack(4, SLOT + 300, body), SLOT) == REFUSED  # B4: two to come, not three
    for version in (1, 2):
        assert packs.offer(DOWN_POLICY, whole_pack(version, 0, encode_body(long_policy(version))), SLOT) == TAKEN
    assert Packs(TwoCopies(files, "packs")).held == packs.held


@pytest.mark.parametrize("may_close_slot", [0, SLOT])
def test_among_policies_the_version_decides_whatever_slot_they_name(may_close_slot: int) -> None:
    """D1: a stale "may close" does not undo "never close", even if it names a later slot."""
    packs = Packs(TwoCopies(FakeFiles(), "packs"))
    packs.offer(DOWN_POLICY, whole_pack(3, may_close_slot, encode_body(NEW)), SLOT)
    packs.activate(SLOT)
    lock = whole_pack(4, 0, encode_body(NEW._replace(flags=NEVER_CLOSE_LOCK)))
    assert packs.offer(DOWN_POLICY, lock, SLOT) == TAKEN
    packs.activate(SLOT + 1)
    assert packs.offer(DOWN_POLICY, whole_pack(3, SLOT, encode_body(NEW)), SLOT + 1) == IGNORED
    packs.activate(SLOT + 2)
    assert packs.version[DOWN_POLICY] == 4 and packs.current[DOWN_POLICY].flags == NEVER_CLOSE_LOCK


def test_after_a_reset_every_kind_is_in_force_again_though_two_of_one_kind_act() -> None:
    """D1, B4: flash may hold what the newest pack replaced. Choosing between two tariffs forgets no policy that acts
    from a later slot, nor two policies a tariff: the lock that never closes holds from the first second after a boot.
    """
    files = FakeFiles()
    packs = Packs(TwoCopies(files, "packs"))
    lock = encode_body(NEW._replace(flags=NEVER_CLOSE_LOCK))
    for kind, version, from_slot, body in (
        (DOWN_TARIFF, 1, 0, tariff_body(TARIFF)),
        (DOWN_POLICY, 1, 0, encode_body(NEW)),
        (DOWN_POLICY, 2, SLOT + 5, lock),
    ):
        assert packs.offer(kind, whole_pack(version, from_slot, body), SLOT) == TAKEN
    packs.activate(SLOT + 5)
    assert packs.offer(DOWN_TARIFF, whole_pack(2, SLOT + 2, tariff_body(TARIFF)), SLOT + 5) == TAKEN
    packs.activate(SLOT + 6)
    again = Packs(TwoCopies(files, "packs"))
    again.activate(SLOT + 6)
    assert again.version == packs.version == {DOWN_TARIFF: 2, DOWN_POLICY: 2, DOWN_PLAN: 0}
    assert again.current == packs.current


# On the meter ---------------------------------------------------------------------------------------------------------
def test_a_power_cut_between_parts_costs_their_repetition(rig: Make) -> None:
    """B4: parts are kept in RAM. The pack acts from the slot after it was complete, and DEVICE says so at once."""
    meter = rig(opening=opening(500)).start()
    meter.draw(1)
    assert meter.face["valve"] == VALVE_CLOSED
    parts = parts_of(long_policy(2, flags=NEVER_CLOSE_LOCK))
    meter.hear(*[meter.books.pack(DOWN_POLICY, part) for part in parts[:-1]])
    meter.restart()
    meter.hear(meter.books.pack(DOWN_POLICY, parts[-1]))
    assert (meter.read()["policy_version"], meter.sent(UP_DEVICE)[-1].policy_version) == (1, 1)
    meter.hear(*[meter.books.pack(DOWN_POLICY, part) for part in reversed(parts)])
    assert meter.sent(UP_DEVICE)[-1].policy_version == 2
    assert meter.face["valve"] == VALVE_CLOSED
    meter.run_to(MIDNIGHT_S + 1800)
    assert meter.face["valve"] == VALVE_OPEN
    meter.restart()
    assert (meter.read()["policy_version"], meter.face["valve"]) == (2, VALVE_OPEN)


def test_a_meter_may_be_provisioned_with_long_packs(rig: Make) -> None:
    """The identity holds bodies of up to 240 bytes; DEVICE tells their versions."""
    offsets = TARIFF.offsets._replace(transitions=tuple((SLOT + 4_000 * at, 60) for at in range(1, 2)))
    tariff: Tariff = TARIFF._replace(offsets=offsets)
    meter = rig(opening=opening(5_000), policy=long_policy(6), tariff=tariff).start()
    assert meter.draw(3) == 3
    assert (meter.read()["policy_version"], meter.read()["balance_mills"]) == (6, 3_500)
