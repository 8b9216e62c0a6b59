"""The largest inputs that an edge lets in, built to be slow: each is refused or read within a second and in memory of a
few times its length (A9, A11, I25)."""

import json
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fieldtool.store import Store
from headend import configuration
from headend.api import strict_json
from headend.api.endpoint import BODY_BYTES_MAX
from headend.api.problems import Problem
from headend.api.tariffs import TariffToPublish
from headend.bearers import chirpstack, http
from headend.payments import notify
from headend.settings import SettingsRefused
from protocol.errors import WireRefused
from protocol.wire import cbor, cobs

SECONDS_MAX = 1.0
TIMES_MAX, MORE_BYTES = 60, 16_000_000  # of memory, in lengths of the input, and for what is loaded on demand


def many_keys(length: int) -> bytes:
    """An object of as many keys as there is room for, the last of them twice."""
    keys = [f'"{number:x}":0' for number in range(length // 10)]
    return ("{" + ",".join([*keys, keys[-1]]) + "}").encode()[:length]


def hostile(length: int) -> list[bytes]:
    """JSON that asks for much."""
    return [
        b"[" * length,
        b"[" * (length // 2) + b"]" * (length // 2),
        b'{"a":' * (length // 6) + b"1" + b"}" * (length // 6),
        b"9" * length,
        b'{"a": -' + b"9" * (length - 8) + b"}",
        b'"' + b"\\u0041" * (length // 6 - 1) + b'"',
        b'"' + b"\\ud800" * (length // 6 - 1) + b'"',
        many_keys(length),
        b"1e" + b"9" * (length - 2),
        b" " * length,
        b"\xff" * length,
    ]


def within_bounds(read: Callable[[], Any], length: int, *refusals: type[Exception]) -> None:
    """Read or refused; nothing else, and neither slow nor large."""
    tracemalloc.start()
    started = time.process_time()
    try:
        read()
    except refusals:
        pass
    finally:
        took, (_, peak) = time.process_time() - started, tracemalloc.get_traced_memory()
        tracemalloc.stop()
    # Counting each allocation makes it some five times slower.
    assert took < 5 * SECONDS_MAX, f"{took:.1f} s"
    assert peak < TIMES_MAX * length + MORE_BYTES, f"{peak} bytes for {length}"


@pytest.mark.parametrize("number", range(len(hostile(100))))
def test_hostile_json_is_refused_in_time(number: int) -> None:
    for length in (BODY_BYTES_MAX, chirpstack.BODY_BYTES_MAX):
        raw = hostile(length)[number]
        within_bounds(lambda raw=raw: strict_json.decode(raw, TariffToPublish), length, Problem)
        within_bounds(lambda raw=raw: chirpstack.read_up(raw), length, http.BodyRefused)
        within_bounds(lambda raw=raw: notify._transaction_id_in(raw), length)


def test_hostile_cbor_is_refused_in_time() -> None:
    whole = http.BODY_MAX
    items = [bytes([0x81]) * whole, bytes([0x80]) * whole, b"\x9a\x00\x01\x00\x00" * (whole // 5), b"\xa1" * whole]
    items += [b"\x5b" + b"\xff" * 8 + bytes(whole - 9), b"\x9b" + b"\xff" * (whole - 1), b"\x00" * whole]
    for raw in items:
        within_bounds(lambda raw=raw: http.read_pairs(http.CONTENT_TYPE, raw), whole, http.BodyRefused)
        within_bounds(lambda raw=raw: cbor.decode_sequence(raw, 4, 64, whole), whole, WireRefused)


def test_a_line_that_never_ends_is_not_held() -> None:
    decoder = cobs.Decoder(1_088)
    within_bounds(lambda: [decoder.feed(b"\x01" * 4_096) for _ in range(250)], 4_096)
    assert len(decoder.held) <= decoder.encoded_max


def test_hostile_files_of_the_tool_are_refused_in_time(tmp_path: Path) -> None:
    from fieldtool.refusals import Refusal

    store = Store(tmp_path)
    for raw in hostile(200_000):
        (tmp_path / "config.json").write_bytes(raw)
        within_bounds(store.config, len(raw), Refusal)


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 16_000,
        "a = " + "[" * 8_000 + "]" * 8_000,
        "a = " + "{b = " * 3_000,
        "ledger_check_s = " + "9" * 16_000,
        "ledger_check_s = 0x" + "f" * 16_000,
        "db = [0x" + "f" * 16_000 + "]",
        "".join(f"k{number} = 1\n" for number in range(1_500)),
        "[" + "a." * 8_000 + "b]",
        "utility = " + json.dumps("x" * 16_000),
    ],
    ids=range(9),
)
def test_hostile_settings_are_refused_in_time(text: str, tmp_path: Path) -> None:
    """A number beyond all measure and brackets without end had escaped as ValueError and RecursionError."""
    file = tmp_path / "guelta.toml"
    file.write_text(text)
    assert len(text) <= configuration.FILE_BYTES_MAX
    within_bounds(lambda: configuration.effective(file, {}), len(text), SettingsRefused)
    with pytest.raises(SettingsRefused):
        configuration.effective(file, {})
