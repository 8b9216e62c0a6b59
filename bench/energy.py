"""Where a meter's charge goes and how long a cell lasts: integers and fractions, no world, no clock.

Charge is counted in picocoulombs: microamperes times microseconds. A milliampere-hour is 3.6e12 of them. Every figure
of `Hardware` and `CELLS` has its source in docs/BATTERY.md; those without one are named there as assumptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

from simulator.lorawan import RX2_SPREADING_FACTOR, Exchange
from simulator.radio import airtime_us

PC_PER_MAH = 3_600_000_000_000
DAY_US = 86_400_000_000
YEAR_DAYS = Fraction(1461, 4)
WEEKS_PER_YEAR = YEAR_DAYS / 7
NORMAL_C = 20
# A window in which nothing comes is open for eight symbols, one in which a frame comes for the frame and this longer.
_WINDOW_SYMBOLS = 8
_EMPTY_MORE_US = 10_000
_HEARD_MORE_US = 20_000
_CHIP_US = 8  # at 125 kHz


class Hardware(NamedTuple):
    """What the parts draw. Currents in microamperes, times in microseconds."""

    floor_ua: int = 28  # everything that never sleeps: metrology, clock, leakage
    tx_ua: int = 26_000  # 14 dBm at 868 MHz
    rx_ua: int = 4_820
    cpu_pc_per_cycle: int = 72  # 72 µA/MHz, so the clock's rate does not matter
    cycles_per_instruction_percent: int = 200
    erase_us: int = 60_000
    program_us: int = 1_400
    flash_ua: int = 15_000
    stroke_ua: int = 80_000
    stroke_us: int = 8_000_000
    attach_ua: int = 249_850  # GPRS: attaching and sending
    modem_idle_ua: int = 17_380
    datagram_us: int = 1_000_000


class Cell(NamedTuple):
    """A primary cell as it is sold."""

    capacity_mah: int
    told: str


CELLS = {"C": Cell(8_500, "C, ER26500 with a pulse capacitor"), "D": Cell(19_000, "D, ER34615")}


class Climate(NamedTuple):
    """What a cell gives at one temperature: usable share of its capacity, and what it loses of it each year."""

    usable_percent: int
    self_discharge_permille: int


def climate(temperature_c: int) -> Climate:
    """85 % usable and 1 % a year at 20 °C. Self-discharge doubles with every 10 K more, and half of the distance from
    50 °C on is taken off the usable share; no colder than 20 °C is modelled."""
    warmer_k = max(temperature_c - NORMAL_C, 0)
    doublings, rest = divmod(warmer_k, 10)
    permille = 10 * 2**doublings * (10 + rest) // 10  # straight between two doublings
    return Climate(85 - max(temperature_c - 50, 0) // 2, permille)


class Work(NamedTuple):
    """What one meter did in so many days."""

    days: int
    exchanges: Mapping[Exchange, int]  # over LoRaWAN
    spreading_factor: int
    attached_us: int  # over GPRS: attaching, the modem on and listening, datagrams both ways
    listened_us: int
    datagrams: int
    instructions: int
    erases: int
    programs: int
    strokes: Fraction


def exchange_pc(exchange: Exchange, spreading_factor: int, hardware: Hardware) -> tuple[int, int]:
    """(sending, listening) of one uplink of class A: RX1 at its own factor; RX2, if RX1 stayed empty, at SF12."""
    send_us = airtime_us(exchange.uplink_bytes, spreading_factor)
    listen_us = 0
    for window, factor in ((1, spreading_factor), (2, RX2_SPREADING_FACTOR)):
        if exchange.window == window:
            listen_us += airtime_us(exchange.downlink_bytes, factor) + _HEARD_MORE_US
            break
        listen_us += _WINDOW_SYMBOLS * (_CHIP_US << factor) + _EMPTY_MORE_US
    return hardware.tx_ua * send_us, hardware.rx_ua * listen_us


def consumers(work: Work, hardware: Hardware) -> dict[str, Fraction]:
    """Milliampere-hours a year of each consumer."""
    sent_pc = heard_pc = 0
    for exchange, times in work.exchanges.items():
        send_pc, listen_pc = exchange_pc(exchange, work.spreading_factor, hardware)
        sent_pc += times * send_pc
        heard_pc += times * listen_pc
    idle_us = max(work.listened_us - work.datagrams * hardware.datagram_us, 0)
    cycles = work.instructions * hardware.cycles_per_instruction_percent // 100
    charges = {
        "floor": hardware.floor_ua * DAY_US * work.days,
        "sending": sent_pc,
        "listening": heard_pc,
        "modem": hardware.attach_ua * (work.attached_us + work.datagrams * hardware.datagram_us)
        + hardware.modem_idle_ua * idle_us,
        "cpu": hardware.cpu_pc_per_cycle * cycles,
        "flash": hardware.flash_ua * (work.erases * hardware.erase_us + work.programs * hardware.program_us),
        "valve": work.strokes * hardware.stroke_ua * hardware.stroke_us,
    }
    return {name: Fraction(charge) * YEAR_DAYS / work.days / PC_PER_MAH for name, charge in charges.items()}


def strokes(cycles_per_week: Fraction, days: int) -> Fraction:
    """A cycle is one closing and one opening."""
    return 2 * cycles_per_week * days / 7


def years(mah_per_year: Fraction, cell: Cell, weather: Climate) -> Fraction:
    """How long the cell lasts: its usable share, drained by the meter and by itself."""
    own = Fraction(cell.capacity_mah * weather.self_discharge_permille, 1000)
    return Fraction(cell.capacity_mah * weather.usable_percent, 100) / (mah_per_year + own)
