"""Field work in the books: first uplinks, frames carried by hand, tokens, the service area, a swap by record."""

import hashlib
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headend.bearers.chirpstack import read_up, signal_of
from headend.field import first_uplink, tokens
from headend.field.service_area import Place, is_inside
from headend.ingest.received import Bearer, Received, Signal
from headend.meters.renewal import renew_meter
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import World

SQUARE = [Place(0, 0), Place(0, 10), Place(10, 10), Place(10, 0)]
# A bay from the east: U-shaped.
BAY = [Place(0, 0), Place(0, 10), Place(3, 10), Place(3, 3), Place(7, 3), Place(7, 10), Place(10, 10), Place(10, 0)]


def hand_in(world: World, meter: VirtualMeter, frame: bytes) -> Any:
    received = Received(meter.meter_id, frame, Bearer.HAND, None, world.clock.unix_us())
    return world.writer.run(lambda tx: world.ingest.receive(tx, received))


def firsts(world: World) -> list[tuple[Any, ...]]:
    return world.rows(
        "SELECT generation, bearer, rssi_dbm, snr_tenths_db, margin_tenths_db FROM first_uplink ORDER BY generation"
    )


# ---- the first uplink ----------------------------------------------------------------------------------------------


def test_the_first_uplink_is_kept_once_with_its_radio(world: World) -> None:
    meter = world.add()
    for signal in (Signal(-101, -35, 10), Signal(-60, 90, 7)):
        frame = meter.poll()
        at_us = world.clock.unix_us()
        received = Received(meter.meter_id, frame, Bearer.LORAWAN, "00000000000000ee", at_us, signal)
        world.writer.run(lambda tx, received=received: world.ingest.receive(tx, received))
    assert firsts(world) == [(1, Bearer.LORAWAN, -101, -35, 115)]


def test_a_frame_of_another_root_is_no_first_uplink(world: World) -> None:
    meter, other = world.add(1), world.add(2)
    frame = other.poll()
    received = Received(meter.meter_id, frame, Bearer.UDP, None, world.clock.unix_us())
    assert world.writer.run(lambda tx: world.ingest.receive(tx, received)).refusal is not None
    assert firsts(world) == []


def test_over_ip_there_is_no_margin_and_a_renewed_meter_has_a_first_uplink_again(world: World) -> None:
    meter = world.add()
    world.receive(meter, meter.poll())
    renewed = world.meter(world.writer.run(lambda tx: renew_meter(tx, world.keyring, meter.meter_id)))
    world.receive(renewed, renewed.poll())
    assert firsts(world) == [(1, Bearer.UDP, None, None, None), (2, Bearer.UDP, None, None, None)]


@pytest.mark.parametrize(
    ("signal", "margin"),
    [(Signal(-120, -200, 12), 0), (Signal(-120, -201, 12), -1), (Signal(-50, 75, 7), 150), (Signal(-50, 75, 13), None)],
)
def test_the_margin_is_what_is_above_the_need_of_the_spreading_factor(signal: Signal, margin: int | None) -> None:
    assert first_uplink.margin_tenths_db(signal) == margin


def event(rx: str, tx: str) -> bytes:
    return (
        b'{"deviceInfo": {"devEui": "00000000000000EE"}, "fPort": 10, "data": "AAAA", "rxInfo": %b, "txInfo": %b}'
        % (rx.encode(), tx.encode())
    )


LORA = '{"frequency": 868100000, "modulation": {"lora": {"bandwidth": 125000, "spreadingFactor": 10}}}'


@pytest.mark.parametrize(
    ("rx", "tx", "found"),
    [
        ('[{"rssi": -110, "snr": -12.5}, {"rssi": -90, "snr": 3.25}, {"rssi": -80, "snr": 3.2}]', LORA, (-90, 32, 10)),
        ('[{"rssi": -70}]', LORA, (-70, 0, 10)),
        ("[]", LORA, None),
        ("null", LORA, None),
        ('[{"rssi": "loud", "snr": 1}]', LORA, None),
        ('[{"rssi": -70, "snr": 1e300}]', LORA, None),
        ('[{"rssi": -70, "snr": 1}]', '{"modulation": {"fsk": {}}}', None),
        ('[7, {"rssi": -70, "snr": 1}]', LORA, (-70, 10, 10)),
    ],
)
def test_the_best_gateway_counts_and_a_strange_event_still_brings_its_frame(rx: str, tx: str, found: Any) -> None:
    dev_eui, frame, signal = read_up(event(rx, tx))
    assert (dev_eui, frame, signal) == ("00000000000000ee", bytes(3), found)


def test_an_event_without_metadata_brings_its_frame() -> None:
    assert signal_of(None, None) is None


# ---- frames that were carried --------------------------------------------------------------------------------------


def test_a_log_carried_by_hand_is_posted_like_any_other(world: World) -> None:
    """CT-22: the same frames make the same books, whatever carried them; and again they change nothing."""
    meter = world.add()
    meter.use([3] * 48)
    frame = meter.report(0, 48)
    assert hand_in(world, meter, frame).reply is None
    again = hand_in(world, meter, frame)
    assert (again.duplicate, again.reply) == (True, None)
    assert world.one("SELECT spent_mills FROM meter_state") == meter.spent_mills > 0
    by_radio = world.lose_answer(meter, frame)
    assert by_radio.duplicate and by_radio.reply is not None, "heard again by radio it is answered"


def test_a_frame_sealed_hours_ago_sets_no_clock(world: World) -> None:
    """C3: TIME says when an uplink was heard; nobody heard this one when it was sealed."""
    meter = world.add()
    carried = meter.anchor()
    world.clock.set(world.clock.unix_us() + 5 * 3600 * 1_000_000)
    assert hand_in(world, meter, carried).reply is None
    link = world.rows("SELECT heard_us, heard_counter, up_highest FROM meter_link")
    assert link == [(None, None, 0)]
    world.receive(meter, meter.anchor())
    assert meter.times == [(1, world.clock.unix_us() // 1_000_000)]


def test_a_carried_frame_does_not_turn_away_pushes(world: World) -> None:
    meter = world.add()
    world.receive(meter, meter.poll())
    hand_in(world, meter, meter.poll())
    assert world.rows("SELECT bearer, address FROM meter_link") == [(Bearer.UDP, "127.0.0.1 5555")]


# ---- tokens --------------------------------------------------------------------------------------------------------


def test_a_token_is_read_however_it_is_typed_and_belongs_to_its_job() -> None:
    token = tokens.make(random.Random(3).randbytes)
    assert len(token) == 19 and set(token) <= set(tokens.ALPHABET + "-")
    kept = tokens.hash_of(17, token)
    assert kept != hashlib.sha256(token.encode()).digest() and len(kept) == 32
    for typed in (token, token.lower(), token.replace("-", ""), token.replace("-", " "), token.replace("0", "o")):
        assert tokens.matches(kept, 17, typed.replace("1", "l"))
    assert not tokens.matches(kept, 18, token)
    assert not tokens.matches(kept, 17, token[:-1] + ("A" if token[-1] != "A" else "B"))


@given(st.binary(min_size=tokens.TOKEN_BYTES, max_size=tokens.TOKEN_BYTES))
def test_every_bit_of_the_dice_is_in_the_token(random_bytes: bytes) -> None:
    token = tokens.make(lambda count: random_bytes[:count]).replace("-", "")
    number = 0
    for sign in token:
        number = number * 32 + tokens.ALPHABET.index(sign)
    assert number.to_bytes(tokens.TOKEN_BYTES, "big") == random_bytes


# ---- the service area ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("place", "inside"),
    [
        ((5, 5), True), ((0, 0), True), ((10, 10), True), ((5, 0), True), ((5, 10), True), ((0, 5), True),
        ((11, 5), False), ((5, 11), False), ((-1, 5), False), ((5, -1), False), ((10, 11), False), ((0, 11), False),
    ],
)  # fmt: skip
def test_a_square_and_its_edges(place: tuple[int, int], inside: bool) -> None:
    assert is_inside(Place(*place), SQUARE) is inside
    assert is_inside(Place(*place), SQUARE[::-1]) is inside, "whichever way round"


@given(st.integers(-2, 12), st.integers(-2, 12))
def test_a_bay_is_outside(lat: int, lon: int) -> None:
    """IW-35: the place of every whole number, against what the shape says."""
    inside = 0 <= lat <= 10 and 0 <= lon <= 10 and not (3 < lat < 7 and lon > 3)
    assert is_inside(Place(lat, lon), BAY) is inside
