"""`guelta field log`: the half-hours that a meter still holds, as a table, CSV or JSON."""

from __future__ import annotations

import csv
import io
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

import click

from protocol.rules.calendar import slot_of, slot_start

from .access import Meter, meet
from .reading_text import instant, money
from .refusals import Refusal
from .texts import Texts
from .verb import Tool, option, verb

HELP = (
    "Print the half-hours a meter holds: litres, tariff, clock, money spent by then.",
    "Imprimer les demi-heures que garde un compteur : litres, tarif, horloge, dépense à cet instant.",
)
TEXTS: Texts = {
    "head": (
        "{begins:<20} {slot:>8} {litres:>7} {tariff:>7} {sure:>6} {spent:>14}",
        "{begins:<20} {slot:>8} {litres:>7} {tariff:>7} {sure:>6} {spent:>14}",
    ),
    "begins": ("begins (UTC)", "début (UTC)"),
    "slot": ("slot", "créneau"),
    "litres": ("litres", "litres"),
    "tariff": ("tariff", "tarif"),
    "sure": ("clock", "heure"),
    "spent": ("spent by then", "dépensé alors"),
    "is_sure": ("sure", "sûre"),
    "unsure": ("unsure", "douteuse"),
    "progress": ("{done} of {count} half-hours read", "{done} demi-heures lues sur {count}"),
    "holes": (
        "{count} half-hour(s) in between are not in the meter's log.",
        "{count} demi-heure(s) entre elles ne sont pas dans le journal du compteur.",
    ),
}
SLOTS_MAX = 16
SLOTS_HELD = 92 * 48
_DAYS = ("The last so many days (1 to 92).", "Les derniers jours, tant (1 à 92).")
_FROM = ("From this day on, YYYY-MM-DD (UTC).", "À partir de ce jour, AAAA-MM-JJ (UTC).")
_CSV = ("Print comma-separated values.", "Écrire des valeurs séparées par des virgules.")


class Slot(NamedTuple):
    """A closed half-hour as the meter tells it."""

    slot: int
    litres: int
    tariff: int
    sure: int
    spent_mills: int


@verb("log", HELP, TEXTS)
@option("--csv", "as_csv", help=_CSV, is_flag=True)
@option("--from", "first_day", help=_FROM, type=click.DateTime(["%Y-%m-%d"]), metavar="DAY")
@option("--days", help=_DAYS, type=click.IntRange(1, 92), default=1, show_default=True)
def log(tool: Tool, days: int, first_day: object, as_csv: bool) -> None:
    with tool.session() as session:
        meter = meet(session, tool.store, blank=False)
        assert meter.meter_id is not None
        end = int(meter.values["open_slot"])
        first = max(0, end - 48 * days)
        if first_day is not None:
            first = max(0, slot_of(_unix_s(first_day)))
            end = min(end, first + 48 * days)
        found = list(_slots(tool, meter, first, end))
    if not tool.as_json and found and (holes := found[-1].slot - found[0].slot + 1 - len(found)):
        tool.say("holes", count=holes)
    document = {"meter_id": meter.meter_id.hex(), "slots": [one._asdict() for one in found]}
    tool.result(document, _as_csv(found) if as_csv else _as_table(tool, found))


def _slots(tool: Tool, meter: Meter, first: int, end: int) -> Iterator[Slot]:
    """What the meter holds between two slots, asked for in pieces of an answer's size."""
    last_said = time.monotonic()
    for at in range(first, end, SLOTS_MAX):
        yield from slots_of(meter, at, min(SLOTS_MAX, end - at))
        if time.monotonic() - last_said > 1 and sys.stderr.isatty():
            last_said = time.monotonic()
            tool.say("progress", done=at - first, count=end - first)


def slots_of(meter: Meter, first: int, count: int) -> list[Slot]:
    """What the meter holds of so many slots. Raises Refusal nonsense: other slots, or what is no slot at all."""
    found = []
    for given in meter.ask("slots", first, count):
        if not isinstance(given, list) or len(given) != len(Slot._fields):
            raise Refusal("nonsense", command="slots")
        one = Slot(*given)
        if not all(isinstance(value, int) for value in one) or not first <= one.slot < first + count:
            raise Refusal("nonsense", command="slots")
        found.append(one)
    return found


def _as_csv(slots: list[Slot]) -> list[str]:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(("begins_utc", *Slot._fields))
    for one in slots:
        rows.writerow((time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(slot_start(one.slot))), *one))
    return out.getvalue().splitlines()


def _as_table(tool: Tool, slots: list[Slot]) -> list[str]:
    names = ("begins", "slot", "litres", "tariff", "sure", "spent")
    lines = [tool.text("head", **{name: tool.text(name) for name in names})]
    for one in slots:
        told = {
            "begins": instant(slot_start(one.slot))[:16],
            "slot": one.slot,
            "litres": one.litres,
            "tariff": one.tariff,
            "sure": tool.text("is_sure" if one.sure else "unsure"),
            "spent": money(one.spent_mills),
        }
        lines.append(tool.text("head", **told))
    return lines


def _unix_s(day: object) -> int:
    import calendar
    import datetime

    assert isinstance(day, datetime.datetime)
    return calendar.timegm(day.timetuple())
