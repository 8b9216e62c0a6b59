"""Adding meters, their keys at rest, and the numbers customers type (SEMANTICS A4; reliability A3; domain rule P07)."""

from pathlib import Path
from typing import Any

import pytest

from headend.meters.customer_number import customer_number, is_valid
from headend.meters.keyring import KeyFileRefused, Keyring
from headend.meters.registry import PLAIN_POLICY, NewMeter, add_meter, import_meters
from headend.refusals import REMEDIES, Code, Refused
from protocol.rules import policy
from tests.headend.world import START_SLOT, World


def new(number: int = 1, **changes: Any) -> NewMeter:
    fields: dict[str, Any] = {
        "meter_id": number.to_bytes(8, "big"),
        "tariff_code": "home",
        "customer_name": "Awa",
        "start_slot": START_SLOT,
    }
    return NewMeter(**{**fields, **changes})


def test_a_new_meter_has_all_it_needs_and_starts_from_nothing(world: World) -> None:
    """A4: fresh random keys, an OPENING with its first index, its tariff and policy; C = D = S = R = 0."""
    record = world.writer.run(lambda tx: add_meter(tx, world.keyring, new(first_index_l=1_234)))
    meter = world.meter(record)
    assert (record.customer_number, record.generation, len(record.root)) == ("00000195", 1, 16)
    assert (meter.volume_l, meter.slot, meter.balance_mills) == (1_234, START_SLOT, 0)
    assert policy.decode_body(1, 0, record.policy.body) == PLAIN_POLICY
    assert record.tariff.version == record.policy.version == 1
    assert "root" not in repr(record), "a record may be logged by accident"


def test_every_meter_has_its_own_key(world: World) -> None:
    roots = {world.writer.run(lambda tx, n=n: add_meter(tx, world.keyring, new(n))).root for n in range(1, 30)}
    assert len(roots) == 29


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"meter_id": b"short"}, Code.METER_ID, "meter_id"),
        ({"litres_per_pulse": 3}, Code.LITRES_PER_PULSE, "litres_per_pulse"),
        ({"first_index_l": -1}, Code.FIRST_INDEX, "first_index_l"),
        ({"first_index_l": 2**40}, Code.FIRST_INDEX, "first_index_l"),
        ({"start_slot": 2**24}, Code.START_SLOT, "start_slot"),
        ({"households": 0}, Code.HOUSEHOLDS, "households"),
        ({"households": 256}, Code.HOUSEHOLDS, "households"),
        ({"language": "de"}, Code.LANGUAGE, "language"),
        ({"customer_name": ""}, Code.NAME, "customer_name"),
        ({"customer_name": "a\x00b"}, Code.NAME, "customer_name"),
        ({"phone": "x" * 201}, Code.NAME, "phone"),
        ({"tariff_code": "palace"}, Code.TARIFF_UNKNOWN, "tariff_code"),
        ({"start_slot": 1}, Code.TARIFF_UNKNOWN, "tariff_code"),
        ({"policy": PLAIN_POLICY._replace(flags=128)}, Code.POLICY, "flags"),
    ],
)
def test_a_bad_request_names_its_field_and_changes_nothing(
    world: World, change: dict[str, Any], code: Code, field: str
) -> None:
    before = [world.one(f"SELECT count(*) FROM {name}") for name in ("meter", "contract", "account", "batch")]
    with pytest.raises(Refused) as refused:
        world.writer.run(lambda tx: add_meter(tx, world.keyring, new(**change)))
    assert (refused.value.code, refused.value.field) == (code, field)
    assert before == [world.one(f"SELECT count(*) FROM {name}") for name in ("meter", "contract", "account", "batch")]


def test_a_meter_is_added_once(world: World) -> None:
    world.add()
    with pytest.raises(Refused) as refused:
        world.add()
    assert refused.value.code is Code.METER_EXISTS


def test_an_import_is_whole_or_nothing(world: World) -> None:
    meters = [new(1), new(2), new(2)]
    with pytest.raises(Refused):
        world.writer.run(lambda tx: import_meters(tx, world.keyring, meters))
    assert world.one("SELECT count(*) FROM meter") == 0
    assert len(world.writer.run(lambda tx: import_meters(tx, world.keyring, meters[:2]))) == 2


def test_every_refusal_has_a_remedy_and_a_number_of_its_own() -> None:
    assert set(REMEDIES) == set(Code)
    assert len({int(code) for code in Code}) == len(Code)


# ---- keys at rest --------------------------------------------------------------------------------------------------


def test_a3_the_stolen_database_holds_no_key(world: World) -> None:
    """A3: the root keys are not in the file, nor can another key file open them."""
    record = world.writer.run(lambda tx: add_meter(tx, world.keyring, new()))
    world.writer.close()
    assert record.root not in world.path.read_bytes()


def test_another_key_file_is_refused(world: World, tmp_path: Path) -> None:
    meter = world.add()
    other = Keyring(tmp_path / "other", world.chance.randbytes)
    with pytest.raises(KeyFileRefused, match="wrapped under key"):
        world.writer.run(lambda tx: other.root(tx, meter.meter_id, 1))


def test_a_wrapped_key_moved_to_another_meter_does_not_open(world: World) -> None:
    """The meter id and generation are authenticated with the key."""
    one, two = world.add(1), world.add(2)

    def swap(tx: Any) -> None:
        query = "UPDATE meter_key SET wrapped = (SELECT wrapped FROM meter_key WHERE meter_id = ?) WHERE meter_id = ?"
        tx.cursor.execute(query, (one.meter_id, two.meter_id))

    world.writer.run(swap)
    with pytest.raises(KeyFileRefused):
        world.writer.run(lambda tx: world.keyring.root(tx, two.meter_id, 1))


def test_the_key_file_belongs_to_its_owner_alone(tmp_path: Path, world: World) -> None:
    path = tmp_path / "kek"
    first = Keyring(path, world.chance.randbytes)
    assert path.stat().st_mode & 0o777 == 0o600
    assert Keyring(path, world.chance.randbytes).kek_id == first.kek_id, "made once, read after"
    path.chmod(0o644)
    with pytest.raises(KeyFileRefused, match="chmod 600"):
        Keyring(path, world.chance.randbytes)


@pytest.mark.parametrize("text", ["", "abc", "zz" * 32, "00" * 31])
def test_a_damaged_key_file_is_refused_and_left_alone(tmp_path: Path, text: str, world: World) -> None:
    path = tmp_path / "kek"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileRefused, match="64 hexadecimal digits"):
        Keyring(path, world.chance.randbytes)
    assert path.read_text() == text


# ---- customer numbers ----------------------------------------------------------------------------------------------


def test_p07_every_wrong_digit_and_every_swap_of_neighbours_is_caught() -> None:
    """ISO 7064 MOD 97-10 over 500 numbers: all 72 one-digit errors and all swaps of each."""
    for body in range(1, 1_000_000, 2_003):
        number = customer_number(body)
        assert is_valid(number)
        for place in range(8):
            for digit in "0123456789":
                if digit != number[place]:
                    assert not is_valid(number[:place] + digit + number[place + 1 :])
            swapped = list(number)
            swapped[place : place + 2] = swapped[place : place + 2][::-1]
            assert is_valid("".join(swapped)) == ("".join(swapped) == number)


def test_numbers_beyond_six_digits_are_refused() -> None:
    with pytest.raises(ValueError, match="6 digits"):
        customer_number(1_000_000)


@pytest.mark.parametrize("text", ["", "1", "0000019", "000001950", "0000019a", "٠٠٠٠٠١٩٥", "-0000195"])
def test_what_is_no_number_is_not_valid(text: str) -> None:
    assert not is_valid(text)


def test_the_opening_is_the_first_thing_a_meter_hears(world: World) -> None:
    """A4: it is sealed under the new generation's own keys, with downlink counter 0."""
    record = world.writer.run(lambda tx: add_meter(tx, world.keyring, new()))
    assert record.opening_frame[1:3] == b"\x00\x00"
    meter = world.meter(record)
    assert meter.window.highest == 0
    assert world.one("SELECT down_next FROM meter_link") == 1
