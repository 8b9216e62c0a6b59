"""docs/BATTERY.md: the tables of `guelta bench battery`, and where each figure comes from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

HEAD = """# How long a battery lasts

Written by `guelta bench battery --document docs/BATTERY.md`; nothing in it is typed by hand but these words. The frames
are those that the real firmware sent and heard in the simulated stretch, each at its exact airtime; the processor's
instructions and the flash's operations: {processor}. What the parts draw is taken from
data sheets where there is one, and assumed where there is none: see the last tables. No cell was discharged and no
current was measured for this page.
"""
SOURCES = (
    (
        "sending 26 mA at 14 dBm, listening 4.82 mA, 72 µA/MHz",
        "STM32WL data sheet (DS13105); a module wired for high power draws 86 mA",
    ),
    ("floor 28 µA", "an industry figure for a meter that sleeps 15 years; our own board has not been measured"),
    ("two cycles an instruction", "assumed: a Cortex-M4 at 48 MHz with flash wait states; the table has 1.2 and 4"),
    (
        "flash: erase 60 ms, program 1.4 ms, 15 mA",
        "data sheet of a common 8 Mbit serial NOR flash (KH25L8005), typical times, largest current",
    ),
    ("valve 80 mA for 8 s a stroke", "assumed, between small ball valves of 30 mA and of 100 mA; 2.3 J a stroke"),
    (
        "GPRS 250 mA attaching and for 1 s a datagram, 17.4 mA listening",
        "SIM800 hardware design V2.02, EGSM 900, 4Rx1Tx and idle; the second is assumed",
    ),
    ("cells of 8.5 and 19 Ah, 1 % a year", "data sheets of bobbin Li-SOCl2 cells (1 % or less at room temperature)"),
    ("85 % usable", "assumed"),
    (
        "self-discharge doubles every 10 K, usable share falls above 50 °C",
        "assumed, no source found: a rule of thumb for chemical reactions, and pessimistic for a cell that passivates",
    ),
)


def text(result: dict[str, Any]) -> str:
    """The whole page."""
    processor = "; ".join(sorted({one["source"] for one in result["processor"].values()}))
    parts = [HEAD.format(processor=processor), _verdict(result)]
    parts += ["## Years\n", _rows(result["rows"]), "## Where the charge goes\n", _consumers(result["rows"])]
    if result["sensitivity_of_lora_daily_sf12_c"]:
        parts += ["## One figure changed at a time\n", _sensitivity(result["sensitivity_of_lora_daily_sf12_c"])]
    parts += [
        "## Processor and flash\n",
        _processor(result["processor"]),
        "## Sources\n",
        _table(("figure", "from"), SOURCES),
    ]
    parts += ["## Assumed besides\n", "\n".join(f"- {line}" for line in result["assumed"]) + "\n"]
    parts.append(f"Seed {result['seed']}, {result['interpreter']}.\n")
    return "\n".join(parts)


def _verdict(result: dict[str, Any]) -> str:
    verdict = result["verdict"]
    if verdict is None:
        return ""
    years, target = verdict["years_of_the_worst_household"], verdict["target_years"]
    said = "reached" if verdict["reached"] else f"missed by {target - years:.1f} years"
    return (
        f"One report a day over LoRaWAN at SF12, valve cycles a week: {result['valve_cycles_per_week']:g}, a C cell at "
        f"20 °C: **{years} years** in\nthe worst household. The target of {target} years is {said}; the largest "
        f"consumer is the {verdict['largest_consumer']}.\n"
    )


def _rows(rows: Iterable[dict[str, Any]]) -> str:
    head = ("profile", "factor", "cell", "years: least", "median", "most", "mAh a year", "frames a day")
    return _table(
        head,
        [
            (
                item["profile"],
                f"SF{item['spreading_factor']}" if item["spreading_factor"] else "",
                item["cell"],
                *(f"{item['years'][name]:.1f}" for name in ("min", "median", "max")),
                f"{item['mah_per_year_total']:.0f}",
                f"{item['frames_per_day']:.1f}",
            )
            for item in rows
        ],
    )


def _consumers(rows: Sequence[dict[str, Any]]) -> str:
    """Once for each profile and factor: the cell changes nothing of it."""
    names = list(rows[0]["mah_per_year"])
    shown = [item for item in rows if item["cell"] == rows[0]["cell"]]
    lines = [
        (
            " ".join((item["profile"], *([f"SF{item['spreading_factor']}"] if item["spreading_factor"] else []))),
            *(f"{item['mah_per_year'][name]:.1f}" for name in names),
        )
        for item in shown
    ]
    return "Milliampere-hours a year of the household in the middle.\n\n" + _table(("profile", *names), lines)


def _sensitivity(rows: Iterable[dict[str, Any]]) -> str:
    lines = [(item["changed"], *(f"{item['years'][name]:.1f}" for name in ("min", "median"))) for item in rows]
    return "`lora_daily`, SF12, C cell.\n\n" + _table(("changed", "years: least", "median"), lines)


def _processor(processors: dict[str, Any]) -> str:
    lines = []
    for name, one in processors.items():
        for of, load in (("a day without water", one["day_without_water"]), ("each m³", one["per_cubic_metre"])):
            lines.append((f"reports {name}", of, f"{load['instructions'] / 1e6:.0f}", load["erases"], load["programs"]))
    return _table(("meter", "in", "million instructions", "erases", "programs"), lines)


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(str(value) for value in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"
