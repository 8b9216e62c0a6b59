"""Positions typed, pasted or read from a receiver: on Earth, or refused in the tool's own way; written out in decimal
degrees they mean the same (I25)."""

from fieldtool import position
from fieldtool.position import PositionRefused
from tests.fuzz.judge import text_of

NMEA = "GPGGA,123519,0622.3486,N,00225.0934,E,1,08,0.9,545.4,M,46.9,M,,"


def _sentence(body: str) -> str:
    total = 0
    for byte in body.encode():
        total ^= byte
    return f"${body}*{total:02X}"


def seeds() -> list[bytes]:
    texts = (
        "6.372477, 2.418223", "6,372477 2,418223", "-12.500000;+45.123456°", "geo:6.372477,2.418223;u=12.5",
        _sentence(NMEA), _sentence("GPRMC,123519,A,0622.3486,S,00225.0934,W,0,0,230394,,"),
        _sentence("GPGLL,0622.3486,N,00225.0934,E,123519,A"), _sentence("GPGLL,,,,,123519,V"), "91.5,200.5", "6.3,2.4",
    )  # fmt: skip
    return [text.encode() for text in texts] + [b"$GP\xff*00"]


def one(data: bytes) -> None:
    text = text_of(data)
    if data[:1] == b"$":
        text = _sentence(text[1:].partition("*")[0]) if text.isascii() else text
    try:
        found = position.parse(text)
    except PositionRefused as refused:
        assert refused.args[0] in _CODES
        return
    assert abs(found.lat_e6) <= position.LAT_E6_MAX and abs(found.lon_e6) <= position.LON_E6_MAX
    assert 0 <= found.accuracy_m <= position.ACCURACY_M_MAX
    written = f"{position.degrees_text(found.lat_e6)} {position.degrees_text(found.lon_e6)}"
    assert position.parse(written)[:2] == found[:2]


_CODES = (
    position.FORM, position.LAT_RANGE, position.LON_RANGE, position.CHECKSUM, position.COARSE, position.NO_FIX,
    position.SWAPPED,
)  # fmt: skip
