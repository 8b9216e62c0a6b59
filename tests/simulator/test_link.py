"""The rig's end of the lock-step link, byte by byte."""

import pytest

from simulator import link


def test_records_as_they_travel() -> None:
    assert link.pulses(258).hex() == "020005" + "50" + "00000102"
    assert link.button().hex() == "020001" + "42"
    assert link.real_time(1774828800, True).hex() == "020006" + "52" + "69c9bd00" + "01"
    assert link.tamper(True).hex() == "020002" + "5401"
    assert link.battery(3600).hex() == "020003" + "560e10"
    assert link.end_stop(link.END_CLOSED).hex() == "020002" + "4501"
    assert link.cut_power(7, link.CUT_TORN).hex() == "020006" + "4b" + "00000007" + "01"
    assert link.grant(3, 1_000_000).hex() == "03000d" + "47" + "00000003" + "00000000000f4240"


def test_a_wait_says_when_to_wake_and_what_was_read() -> None:
    payload = b"W" + bytes.fromhex("00000002" + "0000000000000064" + "00000033" + "00000005")
    assert link.parse_wait(payload) == link.Wait(2, 100, 51, 5)


@pytest.mark.parametrize("payload", [b"", b"W", b"G" + bytes(20), b"W" + bytes(21)])
def test_anything_else_on_the_clock_channel_breaks_the_link(payload: bytes) -> None:
    with pytest.raises(link.LinkBroken):
        link.parse_wait(payload)


def test_records_may_arrive_in_any_pieces() -> None:
    data = link.record(link.RADIO, b"frame") + link.record(link.FIELD, b"") + link.record(link.CONSOLE, b"x" * 300)
    records = link.Records()
    found = [one for byte in data for one in records.feed(bytes((byte,)))]
    assert found == [(link.RADIO, b"frame"), (link.FIELD, b""), (link.CONSOLE, b"x" * 300)]
    assert link.Records().feed(data) == found


def test_an_unknown_channel_breaks_the_link() -> None:
    with pytest.raises(link.LinkBroken, match="no such channel: 9"):
        link.Records().feed(bytes.fromhex("090000"))


def test_a_record_that_cannot_travel_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 65535 bytes"):
        link.record(link.RADIO, bytes(65536))
