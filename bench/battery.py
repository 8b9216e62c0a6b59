"""`guelta bench battery`: how many years a cell lasts, by profile, spreading factor and cell.

Radio: the frames that the real firmware sent and heard in a simulated stretch, each priced by its exact airtime and its
receive windows. Processor and flash: counted on the real image (bench/processor.py). Valve, floor and self-discharge:
the figures of bench/energy.py. Nothing is rounded before the last line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from bench import energy
from bench.battery_homes import LOSS_PERMILLE, PROFILES, Lived, Profile, live, sample
from bench.energy import CELLS, WEEKS_PER_YEAR, Hardware, Work
from bench.processor import Processor
from headend.ingest.received import Bearer
from simulator.clock import SLOTS_PER_DAY

TARGET_YEARS = 10
TARGET = ("lora_daily", 12, "C")
ASSUMED = (
    f"one frame of ten is lost each way ({LOSS_PERMILLE // 10} %), independently; no collisions, no ADR",
    "LoRa at 125 kHz, 14 dBm, 26 mA sending and 4.82 mA listening; windows of eight symbols and 10 ms when empty, of "
    "the frame and 20 ms when heard; RX2 at SF12, opened only when RX1 stayed empty",
    "a floor of 28 µA for all that never sleeps",
    "72 pC a processor cycle (72 µA/MHz); two cycles an instruction, for the flash's wait states",
    "a flash whose 4 KB erase takes 60 ms and whose page program takes 1.4 ms at 15 mA",
    "a valve of 80 mA for 8 s a stroke",
    "GPRS: 250 mA attaching and for 1 s a datagram, 17.4 mA while the context lives, nothing when off",
    "85 % of the cell usable and 1 % a year self-discharge at 20 °C; self-discharge doubles every 10 K",
    "the customer runs dry about once a week, pays 5 minutes to 4 hours later and presses the button",
)


class Lives(NamedTuple):
    """One row's households, each as the work of its meter."""

    profile: str
    spreading_factor: int
    works: tuple[Work, ...]
    closures_per_week: Fraction
    uplinks_per_day: Fraction


def price(lived: Lived, spreading_factor: int, processor: Processor, cycles_per_week: Fraction) -> Work:
    """What a meter did, with the processor's part and the valve moved as often as asked."""
    load = processor.load(lived.days, lived.litres)
    return Work(
        lived.days,
        lived.exchanges,
        spreading_factor,
        lived.attached_us,
        lived.listened_us,
        lived.datagrams,
        load.instructions,
        load.erases,
        load.programs,
        energy.strokes(cycles_per_week, lived.days),
    )


def days_of(profile: Profile, days: int) -> int:
    """A half-hourly meter says in a week what a daily one says in a year."""
    return days if profile.report_slots == SLOTS_PER_DAY else max(days // 4, 1)


def run(
    name: str, spreading_factor: int, meters: int, days: int, seed: int, processor: Processor, cycles_per_week: Fraction
) -> Lives:
    """So many homes of one profile."""
    profile = PROFILES[name]
    stretch = days_of(profile, days)
    lived = live(profile, spreading_factor, sample(meters), stretch, seed)
    works = tuple(price(one, spreading_factor, processor, cycles_per_week) for one in lived)
    meter_days = meters * stretch
    uplinks = sum(sum(one.exchanges.values()) or one.datagrams for one in lived)
    closures = Fraction(7 * sum(one.closures for one in lived), meter_days)
    return Lives(name, spreading_factor, works, closures, Fraction(uplinks, meter_days))


def spread(values: Iterable[Fraction]) -> dict[str, float]:
    """Least, middle and most of the households."""
    ordered = sorted(values)
    return {
        "min": round(float(ordered[0]), 2),
        "median": round(float(ordered[len(ordered) // 2]), 2),
        "max": round(float(ordered[-1]), 2),
    }


def years_of(lives: Lives, cell: str, hardware: Hardware, temperature_c: int) -> list[Fraction]:
    """Years of each household."""
    weather = energy.climate(temperature_c)
    totals = [sum(energy.consumers(work, hardware).values(), Fraction()) for work in lives.works]
    return [energy.years(total, CELLS[cell], weather) for total in totals]


def row(lives: Lives, cell: str, hardware: Hardware, temperature_c: int) -> dict[str, Any]:
    """One line of the table; milliampere-hours are those of the household with the median total."""
    ordered = sorted((energy.consumers(work, hardware) for work in lives.works), key=lambda one: sum(one.values()))
    middle = ordered[len(ordered) // 2]
    total = sum(middle.values(), Fraction())
    over_radio = PROFILES[lives.profile].bearer is Bearer.LORAWAN
    return {
        "profile": lives.profile,
        "spreading_factor": lives.spreading_factor if over_radio else None,
        "cell": cell,
        "years": spread(years_of(lives, cell, hardware, temperature_c)),
        "mah_per_year": {name: round(float(mah), 2) for name, mah in middle.items()},
        "mah_per_year_total": round(float(total), 2),
        "frames_per_day": round(float(lives.uplinks_per_day), 2),
        "closures_per_week_simulated": round(float(lives.closures_per_week), 2),
        "households": len(lives.works),
        "days": lives.works[0].days,
    }


def sensitivity(lives: Lives, cell: str) -> list[dict[str, Any]]:
    """The same households with one figure changed at a time; the first row is unchanged."""
    rows = []

    def add(changed: str, hardware: Hardware, temperature_c: int, priced: Lives) -> None:
        rows.append({"changed": changed, "years": spread(years_of(priced, cell, hardware, temperature_c))})

    normal = Hardware()
    add("nothing", normal, energy.NORMAL_C, lives)
    for floor_ua in (10, 42):
        add(f"floor {floor_ua} µA", normal._replace(floor_ua=floor_ua), energy.NORMAL_C, lives)
    for temperature_c in (45, 70):
        add(f"{temperature_c} °C all year", normal, temperature_c, lives)
    for cycles in (0, 3, 7):
        works = tuple(work._replace(strokes=energy.strokes(Fraction(cycles), work.days)) for work in lives.works)
        add(f"{cycles} valve cycles a week", normal, energy.NORMAL_C, lives._replace(works=works))
    for percent in (120, 400):
        add(
            f"{percent / 100:g} cycles an instruction",
            normal._replace(cycles_per_instruction_percent=percent),
            energy.NORMAL_C,
            lives,
        )
    add("a flash that takes no charge", normal._replace(flash_ua=0), energy.NORMAL_C, lives)
    add("sending at 86 mA", normal._replace(tx_ua=86_000), energy.NORMAL_C, lives)
    return rows


def verdict(rows: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Whether the target row reaches its years with the worst of its households, and what misses if not."""
    for item in rows:
        if (item["profile"], item["spreading_factor"], item["cell"]) == TARGET:
            years = item["years"]["min"]
            mah = item["mah_per_year"]
            return {
                "target_years": TARGET_YEARS,
                "years_of_the_worst_household": years,
                "reached": years >= TARGET_YEARS,
                "largest_consumer": max(mah, key=mah.__getitem__),
            }
    return None


def valve_mah_per_year(cycles_per_week: Fraction, hardware: Hardware) -> Fraction:
    """What the valve alone takes, for a table in words."""
    charge_pc = 2 * cycles_per_week * WEEKS_PER_YEAR * hardware.stroke_ua * hardware.stroke_us
    return charge_pc / energy.PC_PER_MAH
