"""Where a meter is: decimal degrees, a `geo:` address (RFC 5870) or an NMEA sentence, as whole millionths of a degree.

No float touches a coordinate: 6.372477 is 6372477. A degree's millionth is 11 cm. What cannot be on Earth is refused;
latitude and longitude that would land in the service area if exchanged are pointed out.
"""

import re
from typing import NamedTuple

LAT_E6_MAX = 90_000_000
LON_E6_MAX = 180_000_000
FAR_E6 = 5_000_000  # five degrees: further from the service area's middle than any utility is wide
ACCURACY_M_UNKNOWN = 0
ACCURACY_M_MAX = 10_000
DECIMALS_MIN = 3

_DECIMAL = re.compile(r"([+-]?)(\d{1,3})(?:[.,](\d{1,9}))?°?")
_GEO = re.compile(r"geo:([^,;]+),([^,;]+)(?:,[^;]+)?((?:;[^;]*)*)", re.IGNORECASE)
_NMEA_LAT = re.compile(r"(\d{2})(\d{2})\.(\d{1,8})")
_NMEA_LON = re.compile(r"(\d{3})(\d{2})\.(\d{1,8})")

FORM = "form"  # neither degrees, nor geo:, nor NMEA
LAT_RANGE = "lat_range"
LON_RANGE = "lon_range"
CHECKSUM = "checksum"  # an NMEA sentence that was damaged
COARSE = "coarse"  # fewer than three decimals: a hundred metres, or a decimal comma taken for two numbers
NO_FIX = "no_fix"  # the receiver has no position yet
SWAPPED = "swapped"  # latitude out of range, but right if it were the longitude


class Position(NamedTuple):
    lat_e6: int
    lon_e6: int
    accuracy_m: int  # 0: not told


class PositionRefused(Exception):
    """The argument is one of the codes above."""


def parse(text: str) -> Position:
    """The position typed or pasted. Raises PositionRefused."""
    text = text.strip()
    if text.startswith("$"):
        return _checked(*_nmea(text))
    if text[:4].lower() == "geo:":
        return _checked(*_geo(text))
    parts = text.replace(";", " ").split()
    if len(parts) != 2 and text.count(",") == 1:
        parts = text.split(",")
    if len(parts) != 2:
        raise PositionRefused(FORM)
    lat, lon = parts[0].strip().rstrip(","), parts[1].strip()
    found = _checked(_degrees(lat), _degrees(lon), ACCURACY_M_UNKNOWN)
    if min(_decimals(lat), _decimals(lon)) < DECIMALS_MIN:
        raise PositionRefused(COARSE)
    return found


def looks_swapped(found: Position, about: tuple[int, int] | None) -> bool:
    """Whether `found` comes near to `about` (lat_e6, lon_e6) only with latitude and longitude exchanged."""
    if about is None:
        return False
    lat, lon = about
    near = abs(found.lat_e6 - lat) <= FAR_E6 and abs(found.lon_e6 - lon) <= FAR_E6
    return not near and abs(found.lon_e6 - lat) <= FAR_E6 and abs(found.lat_e6 - lon) <= FAR_E6


def degrees_text(value_e6: int) -> str:
    """-1_500_000 is "-1.500000"."""
    whole, rest = divmod(abs(value_e6), 1_000_000)
    return f"{'-' if value_e6 < 0 else ''}{whole}.{rest:06}"


def _checked(lat_e6: int, lon_e6: int, accuracy_m: int) -> Position:
    if abs(lat_e6) > LAT_E6_MAX:
        raise PositionRefused(SWAPPED if abs(lat_e6) <= LON_E6_MAX and abs(lon_e6) <= LAT_E6_MAX else LAT_RANGE)
    if abs(lon_e6) > LON_E6_MAX:
        raise PositionRefused(LON_RANGE)
    return Position(lat_e6, lon_e6, min(accuracy_m, ACCURACY_M_MAX))


def _degrees(text: str) -> int:
    """Decimal degrees, cut after the sixth decimal, as millionths."""
    found = _DECIMAL.fullmatch(text)
    if found is None:
        raise PositionRefused(FORM)
    sign, whole, decimals = found.groups()
    value = int(whole) * 1_000_000 + int((decimals or "")[:6].ljust(6, "0"))
    return -value if sign == "-" else value


def _decimals(text: str) -> int:
    found = _DECIMAL.fullmatch(text)
    return len(found.group(3) or "") if found is not None else 0


def _geo(text: str) -> tuple[int, int, int]:
    found = _GEO.fullmatch(text)
    if found is None:
        raise PositionRefused(FORM)
    lat, lon, parameters = found.groups()
    uncertain = [part[2:] for part in parameters.split(";") if part[:2].lower() == "u="]
    accuracy_m = ACCURACY_M_UNKNOWN
    if uncertain:
        accuracy = _DECIMAL.fullmatch(uncertain[0].replace(",", "."))
        if accuracy is None:
            raise PositionRefused(FORM)
        accuracy_m = int(accuracy.group(2)) + (1 if int(accuracy.group(3) or 0) else 0)
    return _degrees(lat), _degrees(lon), accuracy_m


def _nmea(text: str) -> tuple[int, int, int]:
    """A GGA, RMC or GLL sentence, with its checksum."""
    body, star, told = text[1:].partition("*")
    told = told.strip()
    if not star or not re.fullmatch(r"[0-9A-Fa-f]{2}", told):
        raise PositionRefused(CHECKSUM)
    is_now = 0
    for byte in body.encode("utf-8", "surrogatepass"):
        is_now ^= byte
    if is_now != int(told, 16):
        raise PositionRefused(CHECKSUM)
    fields = body.split(",")
    place = {"GGA": 2, "RMC": 3, "GLL": 1}.get(fields[0][2:])
    if place is None or len(fields) < place + 5:
        raise PositionRefused(FORM)
    fixed = {"GGA": fields[6:7] not in (["0"], [""]), "RMC": fields[2] == "A", "GLL": fields[6:7] == ["A"]}
    if not fixed[fields[0][2:]] or not fields[place]:
        raise PositionRefused(NO_FIX)
    lat = _arc(_NMEA_LAT, fields[place], fields[place + 1], "NS")
    return lat, _arc(_NMEA_LON, fields[place + 2], fields[place + 3], "EW"), ACCURACY_M_UNKNOWN


def _arc(form: re.Pattern[str], text: str, side: str, sides: str) -> int:
    """Degrees and decimal minutes, rounded to the nearest millionth of a degree."""
    found = form.fullmatch(text)
    if found is None or side not in sides or len(side) != 1:
        raise PositionRefused(FORM)
    degrees, minutes, decimals = found.groups()
    if int(minutes) >= 60:
        raise PositionRefused(FORM)
    minutes_e8 = int(minutes) * 10**8 + int(decimals.ljust(8, "0"))
    value = int(degrees) * 1_000_000 + (minutes_e8 + 3000) // 6000
    return -value if side == sides[1] else value
