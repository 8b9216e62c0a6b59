"""Half-hourly household use as data: the file of the simulator and of `guelta bench wire`, read strictly."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

SLOTS_PER_DAY = 48
SLOT_LITRES_MAX = 65535


class BadData(Exception):
    """The file is not half-hourly household use; the text says where and what is expected."""


class Household(NamedTuple):
    """One home: days of 48 half-hours in litres, the first from local midnight."""

    days: tuple[tuple[int, ...], ...]


class DataSet(NamedTuple):
    """All homes of a file, and the hash that tells whether two files hold the same ones."""

    households: tuple[Household, ...]
    sha256: str


def load(path: Path) -> DataSet:
    """The homes in `path`. Raises BadData for what cannot be read or is not of the form."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadData(f"{path} cannot be read: {error.strerror}. Give an existing file.") from error
    except (ValueError, RecursionError) as error:  # not UTF-8, not JSON, a number too long, nested too deep
        raise BadData(f"{path} is not JSON: {error}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("households"), list):
        raise BadData(f'{path} has no list "households". Give a file in the form of household_days.json.')
    if not content["households"]:
        raise BadData(f"{path} holds no household. Give at least one.")
    households = tuple(_household(home, f"household {number}") for number, home in enumerate(content["households"]))
    return DataSet(households, _fingerprint(households))


def _household(home: Any, place: str) -> Household:
    """One entry of "households"."""
    days = home.get("days") if isinstance(home, dict) else None
    if not isinstance(days, list) or not days:
        raise BadData(f'{place} has no "days". Give a list of days of {SLOTS_PER_DAY} half-hours.')
    return Household(tuple(_day(day, f"{place}, day {number}") for number, day in enumerate(days)))


def _day(day: Any, place: str) -> tuple[int, ...]:
    """One day's litres."""
    if not isinstance(day, list) or len(day) != SLOTS_PER_DAY:
        raise BadData(f"{place} does not have {SLOTS_PER_DAY} half-hours.")
    for litres in day:
        if isinstance(litres, bool) or not isinstance(litres, int) or not 0 <= litres <= SLOT_LITRES_MAX:
            raise BadData(f"{place} holds {litres!r}. Give whole litres of 0 to {SLOT_LITRES_MAX}.")
    return tuple(day)


def _fingerprint(households: tuple[Household, ...]) -> str:
    """The SHA-256 of the litres alone, whatever the file's spacing and other fields."""
    return hashlib.sha256(json.dumps([home.days for home in households]).encode()).hexdigest()
