"""A file that is no update, or a damaged one, is refused before a meter is looked for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from fieldtool import exit_codes
from fieldtool.refusals import Refusal
from fieldtool.update_file import load, version_text
from guelta.cli import main
from protocol.wire import manifest
from protocol.wire.manifest import Manifest

IMAGE = bytes(range(256)) * 5


def update(image: bytes = IMAGE, **changed: object) -> bytes:
    fields = {"hardware": "unix", "version": 10203, "min_version": 1, "size": len(IMAGE),
              "sha256": hashlib.sha256(IMAGE).digest(), "signature": b"\x01" * 64}  # fmt: skip
    return manifest.encode(Manifest(**{**fields, **changed})) + image


def test_a_whole_file_is_what_its_manifest_says(tmp_path: Path) -> None:
    (tmp_path / "a.update").write_bytes(update())
    loaded = load(tmp_path / "a.update")
    assert loaded.image == IMAGE and loaded.raw == update()[: manifest.LENGTH]
    assert version_text(loaded.manifest.version) == "1.2.3" and version_text(999_999) == "99.99.99"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "update_file"),
        (b"x" * 2000, "update_file"),
        (update()[:100], "update_file"),
        (b"GLTX" + update()[4:], "update_file"),
        (update()[:-1], "update_damaged"),
        (update() + b"\0", "update_damaged"),
        (update(IMAGE[:-1] + b"\0"), "update_damaged"),
        (update(sha256=bytes(32)), "update_damaged"),
    ],
)
def test_anything_else_is_refused(tmp_path: Path, data: bytes, code: str) -> None:
    file = tmp_path / "a.update"
    file.write_bytes(data)
    with pytest.raises(Refusal) as caught:
        load(file)
    assert caught.value.code == code
    done = CliRunner().invoke(main, ["field", "flash", str(file), "--json", "--port", "/dev/none"])
    assert json.loads(done.stdout)["refused"]["code"] == code
    assert done.exit_code == (exit_codes.USAGE if code == "update_file" else exit_codes.NOT_VERIFIED)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["field", "flash", str(tmp_path / "none"), "--lang", "fr"])
    assert done.exit_code == exit_codes.USAGE and "FILE" in done.stderr and "ne peut pas être lu" in done.stderr
