"""The wire under both interpreters: published vectors, our own vectors, and random messages, byte for byte the same."""

import pytest

from protocol.vectors.generate import FILES, FOLDER, text_of
from tests.dual.runner import run_dual


def test_primitives_give_the_published_results() -> None:
    """AES (FIPS 197), HMAC-SHA256 (RFC 4231), CCM (RFC 3610), and OSCORE's keys and nonce (RFC 8613 C.1, C.4)."""
    lines = run_dual("published_vectors").splitlines()
    assert len(lines) == len((FOLDER / "published.jsonl").read_text().splitlines()) == 22
    assert [line for line in lines if not line.endswith(" right")] == []


def test_every_line_of_our_vectors_is_accepted_or_refused_as_it_says() -> None:
    lines = run_dual("wire_vectors").splitlines()
    assert len(lines) == sum(len((FOLDER / name).read_text().splitlines()) for name in FILES)
    assert [line for line in lines if not line.endswith(" right")] == []


@pytest.mark.parametrize("name", FILES)
def test_the_vector_files_are_what_the_generator_writes(name: str) -> None:
    """After a change of the wire: python -m protocol.vectors.generate, and say why in an ADR."""
    assert (FOLDER / name).read_text() == text_of(name)


def test_random_messages_logs_and_windows_are_the_same() -> None:
    assert len(run_dual("wire_random", "20200101", "400").splitlines()) == 4


def test_damaged_messages_are_refused_alike() -> None:
    """No exception but WireRefused leaves a decoder on either interpreter, and both name the same code and field."""
    lines = run_dual("wire_mutated", "20200101", "60").splitlines()
    assert len(lines) == 17
