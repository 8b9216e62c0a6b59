"""The wire is frozen as version 1: a change of any byte without a change of the version fails here."""

from pathlib import Path
from typing import Any

import pytest

from protocol.errors import Refused
from protocol.rules import policy, rating, reason_codes, tariff
from protocol.vectors import freeze
from protocol.vectors.shapes import SEQUENCES
from protocol.wire import (
    cbor,
    command_codes,
    downlinks,
    envelope,
    event_codes,
    keys,
    log_codec,
    messages,
    parts,
    uplinks,
)

SPEC = (Path(__file__).resolve().parents[2] / "docs" / "SPEC.md").read_text()
KEPT = freeze.frozen(freeze.path_of(envelope.VERSION))


def said() -> str:
    return freeze.judge(KEPT, freeze.facts(), envelope.VERSION)


def test_every_byte_of_this_version_is_what_it_was() -> None:
    assert not said(), said()


def test_the_page_names_the_version_that_is_frozen() -> None:
    assert SPEC.startswith(f"# The wire of Guelta, version {envelope.VERSION}\n")
    assert f"frozen_v{envelope.VERSION}.txt" in SPEC
    assert len(KEPT) > 1_100


def swapped(table: tuple[Any, ...], row: int) -> tuple[Any, ...]:
    """The first two fields in the other's place; `row`: items for each."""
    return (*table[row : 2 * row], *table[:row], *table[2 * row :])


def with_table_of(message: str, table: tuple[Any, ...]) -> tuple[Any, ...]:
    """The shapes of the sequences with another table for one."""
    return tuple(one._replace(table=table) if one.message == message else one for one in SEQUENCES)


def wider(table: tuple[Any, ...]) -> tuple[Any, ...]:
    """The first field with twice the range."""
    return (table[0], 2 * table[1] + 1, *table[2:])


def other_encoding(value: Any) -> bytes:
    """Integers of 24 to 255 in three bytes."""
    if isinstance(value, int) and 24 <= value <= 255:
        return bytes([0x19, 0, value])
    return ENCODE(value)


ENCODE = cbor.encode
MUTATIONS: dict[str, tuple[Any, str, Any]] = {
    "a prior": (log_codec, "PRIORS", bytes([log_codec.PRIORS[0] ^ 1]) + log_codec.PRIORS[1:]),
    "the salt of the keys": (keys, "SALT", b"guelta2"),
    "the sender of an uplink": (keys, "SENDER_UP", b"\x02"),
    "the order of two fields in CBOR": (freeze, "SEQUENCES", with_table_of("Device", swapped(uplinks.DEVICE, 2))),
    "the order of two fields of a message": (messages.Device, "_fields", swapped(messages.Device._fields, 1)),
    "the order of two fixed fields": (uplinks, "GAP", swapped(uplinks.GAP, 3)),
    "a limit that is wider": (downlinks, "COMMAND", (*downlinks.COMMAND[:-1], 0x1FFFF)),
    "a limit of the table of statements": (downlinks, "STATEMENT", wider(downlinks.STATEMENT)),
    "the form of an integer": (cbor, "encode", other_encoding),
    "where a body is cut": (parts, "PACK_CHUNK", 29),
    "how many events are taken": (uplinks, "EVENTS_MAX", 5),
    "the meaning of an event": (event_codes, "KEYS_CHANGED", 21),
    "the meaning of a command": (command_codes, "TELL", 6),
    "the meaning of a reason": (reason_codes, "HOLIDAY", 14),
    "how the header is laid out": (envelope, "header_byte", lambda kind, epoch: 0x40 | kind | (epoch & 7) << 3),
    "the form of a tariff's body": (tariff, "_FORMAT", 2),
    "where a policy says that it has an amnesty": (policy, "_AMNESTY", 64),
    "what a litre costs": (rating, "_scaled", lambda pack, amount: amount + 1),
}


@pytest.mark.parametrize("what", MUTATIONS)
def test_a_changed_byte_is_noticed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of these would let a meter and a headend of one version misread each other; none passes."""
    module, name, value = MUTATIONS[what]
    monkeypatch.setattr(module, name, value)
    try:
        told = said()
    except (AssertionError, Refused) as broken:  # the vectors cannot even be made: that is noticed as well
        told = f"is not what it was: {broken!r}"
    print(told.splitlines()[:2])
    assert "is not what it was" in told


def test_the_message_says_what_changed_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_codes, "KEYS_CHANGED", 21)
    assert "event_codes KEYS_CHANGED" in said()
    assert "raise VERSION" in said() and "protocol.vectors.freeze" in said()


def test_an_addition_must_be_frozen_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_codes, "SOMETHING_NEW", 21, raising=False)
    assert "Not frozen yet" in said() and "event_codes SOMETHING_NEW" in said()


def test_the_tool_adds_and_never_overwrites(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "frozen_v1.txt"
    monkeypatch.setattr(freeze, "path_of", lambda version: path)
    assert freeze.main() == 0
    assert freeze.frozen(path) == KEPT
    path.write_text(path.read_text() + "0123456789abcdef something that was so\n")
    text = path.read_text()
    assert freeze.main() == 1
    assert "something that was so" in capsys.readouterr().err
    assert path.read_text() == text


def test_a_new_version_begins_with_a_file_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(freeze, "FOLDER", tmp_path)
    monkeypatch.setattr(envelope, "VERSION", 2)
    assert freeze.main() == 0
    assert set(freeze.frozen(tmp_path / "frozen_v2.txt")) != set(KEPT)
