"""Where a utility serves (IW-35): a polygon of corners in millionths of a degree, and whether a position is in it.

All in integers. A polygon over the date line is not foreseen: give two utilities, or corners beyond 180 degrees.
"""

import json
from typing import NamedTuple

from headend.refusals import Code, Refused
from headend.storage.writer import Tx

CORNERS_MIN = 3
CORNERS_MAX = 500
LAT_E6_MAX = 90_000_000
LON_E6_MAX = 180_000_000


class Place(NamedTuple):
    lat_e6: int
    lon_e6: int


def set_area(tx: Tx, corners: list[Place] | None) -> None:
    """Keep the corners, in order around the area; None: anywhere. Raises Refused for what has no inside."""
    if corners is not None and (not CORNERS_MIN <= len(corners) <= CORNERS_MAX or not _doubled_area(corners)):
        raise Refused(Code.SERVICE_AREA, "service_area", str(len(corners)))
    written = None if corners is None else json.dumps([list(corner) for corner in corners])
    tx.cursor.execute("UPDATE utility SET service_area = ?", (written,))


def area_of(tx: Tx) -> list[Place] | None:
    """The corners; None where no area is set."""
    (written,) = tx.cursor.execute("SELECT service_area FROM utility").fetchone()
    return None if written is None else [Place(*corner) for corner in json.loads(written)]


def is_inside(place: Place, corners: list[Place]) -> bool:
    """Whether a ray to the east leaves the polygon an odd number of times; its edges are inside."""
    inside = False
    for (lat_1, lon_1), (lat_2, lon_2) in zip(corners, corners[1:] + corners[:1], strict=True):
        turn = (lon_2 - lon_1) * (place.lat_e6 - lat_1) - (lat_2 - lat_1) * (place.lon_e6 - lon_1)
        between = min(lat_1, lat_2) <= place.lat_e6 <= max(lat_1, lat_2)
        if turn == 0 and between and min(lon_1, lon_2) <= place.lon_e6 <= max(lon_1, lon_2):
            return True
        if (lat_1 > place.lat_e6) != (lat_2 > place.lat_e6) and (turn > 0) == (lat_2 > lat_1):
            inside = not inside
    return inside


def keep_position(tx: Tx, meter_id: bytes, place: Place, accuracy_m: int) -> None:
    """The position of the service point where this meter hangs."""
    tx.cursor.execute(
        "UPDATE service_point SET lat_e6 = ?, lon_e6 = ?, accuracy_m = ? WHERE id = "
        "(SELECT service_point_id FROM contract WHERE meter_id = ? ORDER BY start_slot DESC, id DESC LIMIT 1)",
        (*place, accuracy_m, meter_id),
    )


def _doubled_area(corners: list[Place]) -> int:
    pairs = zip(corners, corners[1:] + corners[:1], strict=True)
    return abs(sum(one.lat_e6 * two.lon_e6 - two.lat_e6 * one.lon_e6 for one, two in pairs))
