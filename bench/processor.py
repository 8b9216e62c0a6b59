"""What the processor and the flash of a meter do in a day: counted on the real image, not estimated.

The image runs in QEMU at one instruction per 32 ns of its clock, in lock-step, through the same days of two homes: one
without water, one of the household data. The time that it did not spend waiting for an interrupt is instructions
executed; the flash driver's own note has the erases and programs. Between the two homes, and beyond, a litre counts the
same.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from bench.battery_homes import PROFILES, connect, move_in, sample
from bench.site import Site
from bench.utility import Utility
from firmware.build import build
from simulator.clock import DAY_US, SECOND_US, SLOT_US
from simulator.household import Household
from simulator.meter_process import MeterProcess
from simulator.prng import Stream
from simulator.world import World

IMAGE = Path(__file__).resolve().parent.parent / "build/firmware/meter.elf"
# One instruction of the emulated processor takes 32 ns, its timer counts at 25 MHz.
INSTRUCTION_NS, TICK_NS = 32, 40
_TIMER_VALUE = 0x40000004  # counts down
_SYMBOLS = ("idle_ticks", "wraps")
_SPREADING_FACTOR = 12
_TAP_US = 7 * SECOND_US
_TOOLS = "apt-get install --no-install-recommends gcc-arm-none-eabi libnewlib-arm-none-eabi qemu-system-arm"
ImageOf = Callable[[str, Path, str], Any]  # (name, flash file, provisioning in hex) -> hil_tests' ImageMeter


class CannotMeasure(Exception):
    """What is missing, and the remedy."""


class Load(NamedTuple):
    """Work in one stretch of time."""

    instructions: int
    erases: int
    programs: int


class Processor(NamedTuple):
    """Work of a day without water, and what 1,000 litres add to it. `source` says how it is known."""

    source: str
    day: Load
    cubic_metre: Load

    def load(self, days: int, litres: int) -> Load:
        """Work of so many days in which so many litres flowed."""
        return Load(*(days * a + litres * b // 1000 for a, b in zip(self.day, self.cubic_metre, strict=True)))


def given(cpu_us_per_day: int, erases_per_day: int, programs_per_day: int) -> Processor:
    """Figures from the command line: microseconds at one instruction per 32 ns, whatever flows."""
    instructions = cpu_us_per_day * 1000 // INSTRUCTION_NS
    return Processor("given by hand, not measured", Load(instructions, erases_per_day, programs_per_day), Load(0, 0, 0))


class Counters:
    """Instructions, erases and programs of a running image since its power-on."""

    def __init__(self, machine: Any, image: Path) -> None:
        self._machine = machine
        self._addresses = symbols(image)

    def read(self) -> Load:
        """Now. The meter must just have gone to sleep: the sleep that has begun is counted as work."""
        self._machine.freeze()
        idle = self._words(self._addresses["idle_ticks"], 2)
        wraps = self._words(self._addresses["wraps"], 1)[0]
        low = ~self._words(_TIMER_VALUE, 1)[0] & 0xFFFFFFFF
        self._machine.thaw()
        ticks = (wraps << 32 | low) - (idle[1] << 32 | idle[0])
        note = self._machine.flash_status()
        return Load(ticks * TICK_NS // INSTRUCTION_NS, note.erases, note.operations - note.erases)

    def _words(self, address: int, count: int) -> list[int]:
        said = self._machine.ask("human-monitor-command", **{"command-line": f"xp /{count}wx {address:#x}"})
        return [int(word, 16) for word in re.findall(r"0x([0-9a-f]{8})", said)]


def litre_by_litre(world: World, site: Site, home: Household, taps: Stream, slot: int = 0) -> None:
    """The litres of a half-hour as single pulses at the speed of a tap, from a drawn moment on; then the next."""
    litres = home.litres(slot)
    spacing_us = min(_TAP_US, SLOT_US // max(litres, 1))
    start_us = slot * SLOT_US + taps.below(SLOT_US - litres * spacing_us + 1)
    for number in range(litres):
        world.at(start_us + number * spacing_us, site.draw, 1)
    world.at((slot + 1) * SLOT_US, litre_by_litre, world, site, home, taps, slot + 1)


def symbols(image: Path) -> dict[str, int]:
    """Where the clock's counters stand in the image's memory."""
    tool = which("arm-none-eabi-nm")
    if tool is None:
        raise CannotMeasure(f"no arm-none-eabi-nm: {_TOOLS}")
    listed = subprocess.run([tool, str(image)], capture_output=True, text=True, check=True).stdout
    found = {
        name: int(address, 16) for address, _, name in (line.split() for line in listed.splitlines() if line[:1] != " ")
    }
    missing = [name for name in _SYMBOLS if name not in found]
    if missing:
        raise CannotMeasure(f"{image} has no symbol {', '.join(missing)}: build it again with `make firmware`")
    return {name: found[name] for name in _SYMBOLS}


def ready(image: Path) -> None:
    """Raises CannotMeasure where the image or QEMU is not there."""
    if which("qemu-system-arm") is None:
        raise CannotMeasure(f"no qemu-system-arm: {_TOOLS}, or give --cpu-us-per-day N")
    if not image.is_file():
        raise CannotMeasure(f"no {image}: make firmware, or give --cpu-us-per-day N")


class NobodyAsks:
    """The console of a meter that is only counted."""

    def ask(self, question: bytes, exchange: Callable[[bytes], bytes]) -> bytes:
        raise CannotMeasure("no question is put to a meter that is counted")

    def provision(self, identity: bytes, exchange: Callable[[bytes], bytes]) -> None:
        raise CannotMeasure("a meter that is counted was provisioned before")


def images(image: Path, folder: Path) -> ImageOf:
    """Makes images with a flash that the same firmware, run as a process, was provisioned on: the two are exchangeable.
    `folder` is where the process's files are built."""
    from hil_tests.rig.image_meter import ImageMeter  # the rig belongs to a checkout, not to an installation

    built = build(folder)

    def make(name: str, flash: Path, provision_hex: str) -> ImageMeter:
        provisioned = MeterProcess(name, built, flash, provision_hex)
        provisioned.start(0, [])
        provisioned.dispose()
        return ImageMeter(name, image, flash, "", NobodyAsks(), counted=True)

    return make


def measure(image: Path, meter_of: ImageOf, profile: str, days: int, seed: int) -> Processor:
    """Count both homes for so many days after a first one, in which they are set up."""
    home = _middle()
    dry = Household("nobody", 0, ((0,) * 48,))
    idle, _ = _lived(image, meter_of, profile, dry, days, seed)
    busy, litres = _lived(image, meter_of, profile, home, days, seed)
    day = Load(*(count // days for count in idle))
    more = Load(*(max(a - b, 0) * 1000 // litres for a, b in zip(busy, idle, strict=True)))
    return Processor(f"counted on {image.name} in QEMU, in two homes, days: {days}", day, more)


def _middle() -> Household:
    """The home of the household data that uses the median of water."""
    homes = sorted(sample(100), key=lambda home: sum(sum(day) for day in home.days))
    return homes[len(homes) // 2]


def _lived(image: Path, meter_of: ImageOf, profile: str, home: Household, days: int, seed: int) -> tuple[Load, int]:
    """(work, litres) of one home in so many days, from its second midnight on."""
    world = World()
    with TemporaryDirectory(prefix="guelta-bench-") as folder:
        books = Path(folder) / "books"
        books.mkdir()
        utility = Utility(books, seed, lambda: world.now_us)
        meter_id, customer, provision_hex = utility.add(1, PROFILES[profile].report_slots)
        meter = meter_of("1", Path(folder) / "flash.bin", provision_hex)
        taps = Stream(seed, "taps/1")
        radio = connect(PROFILES[profile], _SPREADING_FACTOR, Stream(seed, "radio/1"))
        try:
            site = move_in(
                world, utility, meter, (meter_id, customer), PROFILES[profile], radio, home, taps, litre_by_litre
            )
            world.run_until(DAY_US)
            site.look()
            counters = Counters(meter.machine, image)
            before, litres = counters.read(), site.litres
            world.run_until((1 + days) * DAY_US)
            site.look()
            after = counters.read()
        finally:
            meter.dispose()
            utility.close()
    return Load(*(late - early for late, early in zip(after, before, strict=True))), site.litres - litres
