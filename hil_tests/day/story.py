"""A busy day: a courtyard of several families on one meter, from ten past midnight to ten past the next.

More than four thousand litres, pulse by pulse; radio that loses, doubles and delays; credit that ends, is bought anew
and opens the valve again; a new tariff and a new policy in fragments; commands, button, clock, battery, a midnight with
its charges. Everything is drawn from one seed, so the same seed is the same day on every board.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from firmware.identity import decode
from firmware.provisioning import identity_record
from hil_tests.rig.bench import Board, Meter
from protocol.rules import policy, tariff
from protocol.rules.calendar import Offsets, slot_of
from protocol.rules.policy import NEW, Policy
from protocol.rules.tariff import Tariff
from protocol.wire import command_codes
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF, Command
from protocol.wire.parts import pack_parts
from simulator import link
from simulator.air import Air
from simulator.clock import HOUR_US, MINUTE_US, OFFSET_MINUTES, unix_s
from simulator.home import BATTERY_MV
from simulator.prng import Stream
from simulator.radio import Radio, RadioOptions
from simulator.world import World

from .peer import GENERATION, METER_ID, ROOT, Peer
from .trace import Recorded, Step, digest, first_difference

SEED = 1
BEGINS_US = 10 * MINUTE_US
ENDS_US = BEGINS_US + 24 * HOUR_US
FIRST_CREDIT_MILLS, TOP_UP_MILLS = 150_000, 200_000
# Litres by the hour of the day: nobody at night, everybody in the morning.
LITRES = (0, 0, 0, 0, 60, 280, 420, 400, 280, 200, 180, 220, 300, 240, 160, 140, 180, 260, 360, 320, 220, 120, 40, 0)

OFFSETS = Offsets(OFFSET_MINUTES, ())
FIRST_TARIFF = Tariff(1, 0, 0, OFFSETS, 1, 0, ((10_000, 400), (0, 550)), 5_000, 0)
FIRST_POLICY = NEW._replace(low_credit_mills=20_000)

__all__ = ["SEED", "Day", "Told", "digest", "first_difference", "provision", "provision_hex"]


def _slot(hour: int) -> int:
    """The slot that begins at an hour of the day."""
    return slot_of(unix_s(hour * HOUR_US))


def _second_tariff() -> Tariff:
    """In force from noon: dearer, by four blocks, with eight summer times to come."""
    transitions = tuple((_slot(24) + 8_761 * at, OFFSET_MINUTES + 60 * (at % 2)) for at in range(1, 9))
    blocks = ((2_000, 400), (6_000, 450), (20_000, 500), (0, 650))
    return Tariff(2, _slot(12), 0, Offsets(OFFSET_MINUTES, transitions), 1, 0, blocks, 7_000, 12_000)


def _second_policy() -> Policy:
    """In force from the half-hour after it came: friendly nights with a cap, holidays, a lifeline."""
    return NEW._replace(
        version=2,
        low_credit_mills=20_000,
        lifeline_l_per_day=20,
        windows=((127, 22 * 60, 4 * 60),),
        window_cap_l=100,
        until_slot=_slot(24 * 365),
        holidays=tuple(_slot(24) // 48 + 7 * week for week in range(1, 17)),
        holiday_end_min=480,
        grace_s=120,
        jitter_s=60,
    )


def provision_hex() -> str:
    """The identity of the day's meter."""
    return identity_record(
        METER_ID, ROOT, GENERATION, opening=_peer(World()).opening(), tariff=FIRST_TARIFF, policy=FIRST_POLICY
    ).hex()


def provision(board: Board) -> None:
    """A meter of the day's identity on its flash: it boots once, a minute before the day, and its power goes."""
    now_us = BEGINS_US - MINUTE_US
    board.start(now_us, [link.pulses(0), link.real_time(unix_s(now_us), True), link.battery(BATTERY_MV)])
    board.kill()


def _peer(world: World) -> Peer:
    return Peer(lambda: max(world.now_us, BEGINS_US), OFFSETS, FIRST_CREDIT_MILLS)


class Told(NamedTuple):
    """What a day came to."""

    steps: list[Step]
    pulses: int
    closures: int
    frames: int
    wall_s: float


class Day:
    """One board's day. `live` tells it; `peer`, `meter` and `world` are there to be looked at afterwards."""

    def __init__(self, board: Board, seed: int = SEED) -> None:
        self.world = World()
        self.world.now_us = BEGINS_US
        self.peer = _peer(self.world)
        self.recorded = Recorded(board)
        radio = Radio(RadioOptions(), Stream(seed, "day/radio"))
        identity = decode(bytes.fromhex(provision_hex()))
        air = Air(self.world, self.peer)  # type: ignore[arg-type]
        self.meter = Meter(1, self.recorded, identity, self.world, air, radio)
        self._taps = Stream(seed, "day/taps")

    def live(self) -> Told:
        """From power-on to the same minute of the next day."""
        began = time.monotonic()
        self.meter.power_on()
        self.meter.press()
        for hour, litres in enumerate(LITRES):
            self._happens(hour)
            self._crowd(litres)
            self.world.run_until(max(self.world.now_us, (hour + 1) * HOUR_US))
        self.world.run_until(ENDS_US)
        wall_s = time.monotonic() - began
        steps = list(self.recorded.steps)
        meter = self.meter
        return Told(steps, meter.delivered_l, meter.valve.closures, len(meter.frames), wall_s)

    def _happens(self, hour: int) -> None:
        """What somebody does at the beginning of this hour."""
        meter, peer = self.meter, self.peer
        if hour == 1:
            peer.tells_the_time()
            peer.orders(self._command(1, command_codes.TELL))
        elif hour == 2:
            peer.orders(self._command(2, command_codes.VALVE_CLOSE, 900))
        elif hour == 7:
            peer.offers(self._parts(2, _slot(12), tariff.encode_body(_second_tariff())), DOWN_TARIFF)
        elif hour == 9:
            peer.offers(self._parts(2, 0, policy.encode_body(_second_policy())), DOWN_POLICY)
        elif hour == 14:
            meter.battery(3_450)
        elif hour == 23:
            peer.pays(TOP_UP_MILLS)
            meter.press()

    def _command(self, number: int, code: int, argument: int = 0) -> Command:
        return Command(number, unix_s(ENDS_US), code, argument, 0)

    @staticmethod
    def _parts(version: int, from_slot: int, body: bytes) -> Any:
        parts = pack_parts(version, from_slot, body)
        assert len(parts) > 1, "the pack comes in fragments"
        return parts

    def _crowd(self, litres: int) -> None:
        """So many litres are drawn, a bucket or a barrel at a time; who finds the tap dry pays."""
        taps = self._taps
        while litres > 0:
            barrel = min(litres, taps.between(5, 60))
            drawn = self.meter.draws(barrel, taps.between(1, 3))
            litres -= drawn
            if drawn < barrel:
                self._buys()
            else:
                self.meter.lives(taps.between(1, 120))

    def _buys(self) -> None:
        """The tap is dry: somebody pays, presses the button, and again a minute later as long as no water comes."""
        self.peer.pays(TOP_UP_MILLS)
        while not self.meter.valve.lets_water_through:
            self.meter.press()
            self.meter.lives(60)
