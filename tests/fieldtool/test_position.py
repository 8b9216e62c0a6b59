"""Positions typed, pasted and refused (IW-35)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldtool import position
from fieldtool.position import Position, PositionRefused, degrees_text, looks_swapped, parse

lats = st.integers(-position.LAT_E6_MAX, position.LAT_E6_MAX)
lons = st.integers(-position.LON_E6_MAX, position.LON_E6_MAX)


@given(lats, lons)
def test_what_is_written_is_read_to_the_millionth(lat: int, lon: int) -> None:
    written = f"{degrees_text(lat)} {degrees_text(lon)}"
    assert parse(written) == Position(lat, lon, 0)
    assert parse(written.replace(" ", ", ")) == parse(f"geo:{written.replace(' ', ',')}") == Position(lat, lon, 0)
    assert parse(written.replace(".", ",")) == Position(lat, lon, 0), "a decimal comma"


@given(st.text(max_size=60))
def test_nothing_that_is_typed_escapes(text: str) -> None:
    try:
        found = parse(text)
    except PositionRefused:
        return
    assert abs(found.lat_e6) <= position.LAT_E6_MAX and abs(found.lon_e6) <= position.LON_E6_MAX


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("13.512345 2.112345", (13512345, 2112345, 0)),
        ("-0.000001 -179.999999", (-1, -179999999, 0)),
        ("geo:13.512345,2.112345;u=12.5", (13512345, 2112345, 13)),
        ("GEO:13.5,2.1,210;crs=wgs84;u=8", (13500000, 2100000, 8)),
        ("$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76", (53361337, -6505620, 0)),
        ("$GPRMC,092750.000,A,5321.6802,N,00630.3372,W,0.02,31.66,280511,,,A*43", (53361337, -6505620, 0)),
        ("$GPGLL,5321.6802,N,00630.3372,W,092751.000,A,A*4A", (53361337, -6505620, 0)),
    ],
)
def test_forms(text: str, found: tuple[int, int, int]) -> None:
    assert parse(text) == Position(*found)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", position.FORM),
        ("13.5", position.FORM),
        ("north 2.1123", position.FORM),
        ("13.51234567890 2.11", position.FORM),
        ("6,37", position.COARSE),
        ("13.51 2.112345", position.COARSE),
        ("120.512345 2.112345", position.SWAPPED),
        ("120.512345 100.112345", position.LAT_RANGE),
        ("13.512345 181.112345", position.LON_RANGE),
        ("geo:13.5", position.FORM),
        ("geo:13.5,2.1;u=far", position.FORM),
        ("$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*00", position.CHECKSUM),
        ("$GPGGA,092750.000,5321.6802,N", position.CHECKSUM),
        ("$GPGLL,5321.6802,N,00630.3372,W,092751.000,V,A*5D", position.NO_FIX),
        ("$GPVTG,31.66,T,,M,0.02,N,0.04,K,A*09", position.FORM),
    ],
)
def test_refusals(text: str, code: str) -> None:
    with pytest.raises(PositionRefused) as refused:
        parse(text)
    assert refused.value.args == (code,)


def test_an_exchange_is_seen_where_it_leads_home_and_only_there() -> None:
    niamey = (13_512_345, 2_112_345)
    assert looks_swapped(Position(2_112_345, 13_512_345, 0), niamey)
    assert not looks_swapped(Position(13_600_000, 2_200_000, 0), niamey)
    assert not looks_swapped(Position(48_000_000, 2_200_000, 0), niamey), "far, but not exchanged"
    assert not looks_swapped(Position(2_112_345, 13_512_345, 0), None)
