"""`guelta firmware newkey`, `keyed`, `release` (FEATURES B9): what is signed, what is refused and with which remedy."""

import json
import os
import re
import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from bench.firmware import firmware
from bench.release_texts import REFUSALS, TEXTS
from firmware.image.build import FOLDER, UPDATE
from firmware.image.elf import Image
from firmware.image.release import (
    UPDATE_AT,
    ReleaseRefused,
    develop,
    public_file,
    read_key,
    update,
    version_number,
    version_text,
)
from protocol.compat import p256_verify, sha256
from protocol.wire import manifest
from tests.image.test_size import image as small_elf

VERSION = 10_203


def run(*arguments: object) -> Result:
    return CliRunner().invoke(firmware, [str(argument) for argument in arguments])


def told(answer: Result) -> dict[str, object]:
    assert answer.exit_code == 0, answer.output
    found: dict[str, object] = json.loads(answer.output)
    return found


@pytest.fixture
def key(tmp_path: Path) -> Path:
    told(run("newkey", tmp_path / "release.pem", "--json"))
    return tmp_path / "release.pem"


@pytest.fixture
def payload(tmp_path: Path) -> Path:
    """An update for qemu-mps2 as far as anyone asks: where it begins, and which version it says it is."""
    words = [0] * 100
    words[1], words[7] = UPDATE_AT + 0x11, VERSION
    (tmp_path / "meter.bin").write_bytes(b"".join(word.to_bytes(4, "little") for word in words))
    return tmp_path / "meter.bin"


def release(payload: Path, key: Path, *more: object) -> Result:
    return run("release", payload, "--key", key, "-o", payload.with_suffix(".update"), "--lang", "en", *more)


def test_a_release_is_a_manifest_that_the_key_has_signed_and_the_image_behind_it(key: Path, payload: Path) -> None:
    answer = told(release(payload, key, "--version", "1.2.3", "--min-version", "1.0.0", "--json"))
    written = payload.with_suffix(".update").read_bytes()
    image = payload.read_bytes()
    assert written[manifest.LENGTH :] == image
    found = manifest.decode(written[: manifest.LENGTH])
    assert found[:5] == ("qemu-mps2", VERSION, 10_000, len(image), sha256(image))
    public = bytes.fromhex(public_file(key).read_text())
    assert p256_verify(public, manifest.digest(written[: manifest.LENGTH]), found.signature)
    assert (answer["public"], answer["sha256"], answer["version"]) == (public.hex(), sha256(image).hex(), "1.2.3")


def test_a_private_key_is_its_owner_s_alone_and_is_never_overwritten(key: Path) -> None:
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    before = key.read_bytes()
    answer = run("newkey", key, "--lang", "fr")
    assert answer.exit_code == 1
    assert "n’est jamais écrasée. Nommez un autre fichier." in answer.output
    assert key.read_bytes() == before


def test_an_image_is_given_the_public_key_and_nothing_else_of_it_changes(key: Path, tmp_path: Path) -> None:
    elf = small_elf(tmp_path / "meter.elf")
    told(run("keyed", "--key", public_file(key), "--image", elf, "-o", tmp_path / "keyed.elf", "--json"))
    before, after = elf.read_bytes(), (tmp_path / "keyed.elf").read_bytes()
    at = next(at for at in range(len(before)) if before[at] != after[at])
    public = bytes.fromhex(public_file(key).read_text())
    assert after == before[:at] + public + before[at + 64 :]
    assert Image(tmp_path / "keyed.elf").with_bytes("release_key", bytes(64)) == before


def test_a_build_folder_keeps_its_development_key(tmp_path: Path) -> None:
    small_elf(tmp_path / "meter.elf")
    develop(tmp_path, "meter.elf")
    first = (tmp_path / "meter-keyed.elf").read_bytes()
    develop(tmp_path, "meter.elf")
    assert (tmp_path / "meter-keyed.elf").read_bytes() == first
    assert bytes.fromhex((tmp_path / "development.pem.pub").read_text()) in first
    assert stat.S_IMODE((tmp_path / "development.pem").stat().st_mode) == 0o600


@pytest.mark.parametrize(("text", "number"), [("0.1.0", 100), ("1.2.3", 10_203), ("12.99.99", 129_999)])
def test_versions_are_numbers_that_grow(text: str, number: int) -> None:
    assert version_number(text) == number
    assert version_text(number) == text


@pytest.mark.parametrize(
    "text", ["1.2", "1.2.3.4", "1.100.0", "1.0.100", "400000.0.0", "0.0.0", "1.2.x", "-1.2.3", "¹.2.3"]
)
def test_what_is_no_version_is_refused(text: str, key: Path, payload: Path) -> None:
    answer = release(payload, key, f"--version={text}")
    assert answer.exit_code == 1
    assert f"{text} is no version: write it as 1.2.3" in answer.output


def refusals(tmp_path: Path) -> dict[str, tuple[object, ...]]:
    """Per refusal, what is asked that meets it, in a folder with a key and a payload."""
    key, payload, out = tmp_path / "release.pem", tmp_path / "meter.bin", tmp_path / "out"
    asked: tuple[object, ...] = ("release", payload, "--version", "1.2.3", "-o", out, "--key")
    (tmp_path / "open.pem").write_bytes(key.read_bytes())
    (tmp_path / "open.pem").chmod(0o644)
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "other.pem").write_bytes(other)
    (tmp_path / "other.pem").chmod(0o600)
    (tmp_path / "large").write_bytes(bytes(manifest.IMAGE_MAX + 1))
    (tmp_path / "elf").write_bytes(b"\x7fELF" + bytes(60))
    (tmp_path / "bad.pub").write_text("00" * 64)
    unix: tuple[object, ...] = ("--hardware", "unix", "--version", "1.2.3", "-o", out, "--key", key)
    return {
        "key_exists": ("newkey", key),
        "key_unwritten": ("newkey", tmp_path / "nowhere" / "key.pem"),
        "key_missing": (*asked, tmp_path / "none.pem"),
        "key_open": (*asked, tmp_path / "open.pem"),
        "key_kind": (*asked, tmp_path / "other.pem"),
        "public_missing": ("keyed", "--image", payload, "-o", out, "--key", tmp_path / "none.pub"),
        "public_kind": ("keyed", "--image", payload, "-o", out, "--key", tmp_path / "bad.pub"),
        "version": ("release", payload, "--version", "1.2", "-o", out, "--key", key),
        "min_version": (*asked, key, "--min-version", "1.2.4"),
        "hardware": ("release", payload, "--hardware", "two words", "--version", "1.2.3", "-o", out, "--key", key),
        "image_missing": ("release", tmp_path / "none.bin", "--version", "1.2.3", "-o", out, "--key", key),
        "image_size": ("release", tmp_path / "large", *unix),
        "image_kind": ("release", tmp_path / "elf", "--version", "1.2.3", "-o", out, "--key", key),
        "image_version": ("release", payload, "--version", "1.2.4", "-o", out, "--key", key),
        "out": ("release", payload, "--version", "1.2.3", "-o", tmp_path / "nowhere" / "out", "--key", key),
    }


@pytest.mark.parametrize("code", REFUSALS)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_refusal_is_met_and_names_its_remedy(
    code: str, lang: str, key: Path, payload: Path, tmp_path: Path
) -> None:
    answer = run(*refusals(tmp_path)[code], "--lang", lang)
    assert answer.exit_code == 1
    fixed = re.split(r"\{\w+\}", REFUSALS[code][lang == "fr"])
    assert all(part in answer.output for part in fixed), answer.output
    assert not (tmp_path / "out").exists()


def test_a_min_version_that_could_not_fall_back_is_refused(key: Path, payload: Path) -> None:
    answer = release(payload, key, "--version", "1.2.3", "--min-version", "0.0.99")
    assert "must lie between 0.1.0, the first release that reads what this one stores, and 1.2.3." in answer.output


def test_every_text_is_in_both_languages_and_names_the_same() -> None:
    for english, french in [*TEXTS.values(), *REFUSALS.values()]:
        assert english != french
        assert {part.split("}")[0] for part in english.split("{")[1:]} == {
            part.split("}")[0] for part in french.split("{")[1:]
        }


def test_a_key_is_read_by_its_owner_only(key: Path) -> None:
    os.chmod(key, 0o640)
    with pytest.raises(ReleaseRefused, match="key_open"):
        read_key(key)


def test_an_image_of_no_bytes_is_no_update(key: Path) -> None:
    with pytest.raises(ReleaseRefused, match="image_size"):
        update(b"", read_key(key), "unix", VERSION, VERSION)


@pytest.mark.slow
def test_the_built_payload_is_released_as_what_it_is(key: Path) -> None:
    """What `make firmware` made, under its own version and under no other."""
    payload = FOLDER / UPDATE
    version = int.from_bytes(payload.read_bytes()[28:32], "little")
    told(run("release", payload, "--key", key, "--version", version_text(version), "-o", key.parent / "u", "--json"))
    assert manifest.decode((key.parent / "u").read_bytes()[: manifest.LENGTH]).version == version
    assert run("release", payload, "--key", key, "--version", "99.0.0", "-o", key.parent / "u").exit_code == 1
