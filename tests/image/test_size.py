"""`guelta firmware`: what is read from an image, how the smallest heap is found, and what is refused."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bench import firmware as commands
from bench import image_heap
from bench.image_heap import heap_min
from firmware.image.elf import Image, Size
from firmware.image.sources import FirmwareFailed

TEXT, DATA, BSS = 100, 8, 5_000
HEAP_BYTES = 40_960


def section(kind: int, flags: int, address: int, offset: int, size: int, link: int = 0) -> bytes:
    return struct.pack("<10I", 0, kind, flags, address, offset, size, link, 0, 1, 0)


def image(path: Path) -> Path:
    """An ELF file with code, first values, empty RAM, a symbol table, in the code `heap_bytes` at 0x10 and 64 bytes of
    `release_key` at 0x20."""
    text = bytearray(TEXT)
    text[0x10:0x14] = HEAP_BYTES.to_bytes(4, "little")
    names = b"\0release_key\0heap_bytes\0"
    symbols = struct.pack("<IIIBBH", 1, 0x20, 64, 0, 0, 1) + struct.pack("<IIIBBH", 13, 0x10, 4, 0, 0, 1)
    body = bytes(text) + bytes(DATA) + names + symbols
    at = 52
    sections = [
        section(0, 0, 0, 0, 0),
        section(1, 2 | 4, 0, at, TEXT),
        section(1, 2 | 1, 0x20000000, at + TEXT, DATA),
        section(8, 2 | 1, 0x20000008, at, BSS),
        section(3, 0, 0, at + TEXT + DATA, len(names)),
        section(2, 0, 0, at + TEXT + DATA + len(names), len(symbols), 4),
    ]
    head = b"\x7fELF\x01\x01\x01" + bytes(9)
    head += struct.pack("<2HI3II6H", 2, 40, 1, 0, 0, at + len(body), 0, 52, 0, 0, 40, len(sections), 0)
    path.write_bytes(head + body + b"".join(sections))
    return path


def test_flash_holds_code_and_first_values_ram_holds_what_changes(tmp_path: Path) -> None:
    assert Image(image(tmp_path / "meter.elf")).size() == Size(TEXT + DATA, DATA + BSS)


def test_one_number_of_an_image_can_be_changed_and_nothing_else(tmp_path: Path) -> None:
    whole = Image(image(tmp_path / "meter.elf"))
    (tmp_path / "less.elf").write_bytes(whole.with_number("heap_bytes", 8_192))
    assert (whole.number("heap_bytes"), Image(tmp_path / "less.elf").number("heap_bytes")) == (HEAP_BYTES, 8_192)
    before, after = whole.path.read_bytes(), (tmp_path / "less.elf").read_bytes()
    assert [at for at in range(len(before)) if before[at] != after[at]] == [52 + 0x11]


@pytest.mark.parametrize("least", [8_192, 20_480, 20_992, 40_960])
def test_the_smallest_heap_is_found(tmp_path: Path, least: int) -> None:
    """Whatever it is, to 512 bytes, in at most twelve lives, none of them far below what it needs."""
    tried: list[int] = []

    def lives(copy: Path, _meter_of: Any) -> bool:
        tried.append(Image(copy).number("heap_bytes"))
        return tried[-1] >= least

    assert heap_min(image(tmp_path / "meter.elf"), _never, lives) == least
    assert len(tried) <= 12
    assert min(tried) >= least - 4_096


def test_an_image_that_does_not_live_in_its_own_heap_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FirmwareFailed, match="does not live through a day in the 40960 bytes of its own heap"):
        heap_min(image(tmp_path / "meter.elf"), _never, lambda copy, meter_of: False)


def test_the_command_prints_the_three_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_heap, "lives_a_day", lambda copy, _: Image(copy).number("heap_bytes") >= 30_000)
    named = ["size", "--image", str(image(tmp_path / "meter.elf"))]
    answer = CliRunner().invoke(commands.firmware, [*named, "--json"])
    assert json.loads(answer.output) == {"text_bytes": 108, "ram_bytes": 5_008, "heap_min_bytes": 30_208}
    assert (
        "RAM, tas et pile compris : 5008 octets"
        in CliRunner().invoke(commands.firmware, [*named, "--lang", "fr"]).output
    )


def test_a_file_that_is_no_image_and_none_at_all_are_refused_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no image")
    for name, what in (("text", "is no image"), ("none", "there is no")):
        answer = CliRunner().invoke(
            commands.firmware, ["size", "--image", str(tmp_path / name), "--json", "--lang", "en"]
        )
        assert answer.exit_code == 1
        assert what in answer.output and "`make firmware`" in answer.output


def test_a_build_tells_what_it_made_and_a_refusal_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def made(out: Path, products: tuple[str, ...], say: Any) -> None:
        say("meter.elf", True)
        say("micropython", False)

    monkeypatch.setattr(commands, "make", made)
    answer = CliRunner().invoke(commands.firmware, ["build", "--out", str(tmp_path), "--lang", "fr"])
    assert answer.output == f"meter.elf : construit\nmicropython : à jour\ntout est dans {tmp_path}\n"

    def refused(out: Path, products: tuple[str, ...], say: Any) -> None:
        raise FirmwareFailed("The compilers are not installed.")

    monkeypatch.setattr(commands, "make", refused)
    answer = CliRunner().invoke(commands.firmware, ["build", "--out", str(tmp_path)])
    assert (answer.exit_code, answer.output) == (1, "Error: The compilers are not installed.\n")


def _never(*_: object) -> Any:
    raise AssertionError("no meter is started here")


def test_without_qemu_it_is_qemu_that_is_missing_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = ["size", "--image", str(image(tmp_path / "meter.elf"))]
    monkeypatch.setenv("PATH", str(tmp_path))
    for language, what in (("en", "no qemu-system-arm: sudo"), ("fr", "qemu-system-arm manque : sudo")):
        answer = CliRunner().invoke(commands.firmware, [*named, "--lang", language])
        assert answer.exit_code == 1
        assert what in answer.output
    absent = CliRunner().invoke(commands.firmware, ["size", "--image", str(tmp_path / "none"), "--lang", "fr"])
    assert "n’existe pas" in absent.output


def test_boot_times_are_told_by_name_and_what_is_missing_in_both_languages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = CliRunner().invoke(commands.firmware, ["boot", "--folder", str(tmp_path), "--lang", "fr"])
    assert absent.exit_code == 1
    assert "n’existe pas : `make firmware` la construit" in absent.output
    image(tmp_path / "meter.elf")
    (tmp_path / "meter.bin").write_bytes(b"update")
    told = {"image_bytes": 6, "empty_us": 4, "confirmed_us": 200, "trial_us": 1_200, "signature_us": 1_000}
    monkeypatch.setattr(commands, "boot_times", lambda image, payload: told | {"image_bytes": payload.stat().st_size})
    monkeypatch.setattr(commands, "which", lambda program: f"/usr/bin/{program}")
    asked = ["boot", "--folder", str(tmp_path)]
    assert json.loads(CliRunner().invoke(commands.firmware, [*asked, "--json"]).output) == told
    assert "dont sa signature : 1000 µs" in CliRunner().invoke(commands.firmware, [*asked, "--lang", "fr"]).output
    monkeypatch.setattr(commands, "which", lambda program: None)
    assert "no qemu-system-arm: sudo" in CliRunner().invoke(commands.firmware, [*asked, "--lang", "en"]).output
