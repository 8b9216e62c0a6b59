"""Only the pinned bytes are unpacked; every refusal names its remedy."""

import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from firmware.image import sources
from firmware.image.sources import ARCHIVES, MBEDTLS, MICROPYTHON, Archive, FirmwareFailed, obtain, trees


def archive_of(folder: Path, *names: str) -> Archive:
    """A small archive of files with these names, and the pin that fits it."""
    folder.mkdir(exist_ok=True)
    file = folder / "small_1.orig.tar.xz"
    with tarfile.open(file, "w:xz") as made:
        for name in names:
            entry = tarfile.TarInfo(name)
            entry.size = len(name)
            made.addfile(entry, io.BytesIO(name.encode()))
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return Archive("small", "1", file.name, digest, "small-1", ("kept/", "LICENSE"))


@pytest.fixture
def nowhere(tmp_path: Path) -> tuple[Path, Path]:
    """A machine whose apt knows no Debian mirror."""
    return tmp_path / "no-apt", tmp_path / "no-release"


def test_the_pinned_archives_are_those_of_debian() -> None:
    assert MICROPYTHON.path == "pool/main/m/micropython/micropython_1.25.0+ds.orig.tar.xz"
    assert MBEDTLS.path == "pool/main/m/mbedtls/mbedtls_3.6.6.orig.tar.bz2"
    assert all(len(bytes.fromhex(archive.sha256)) == 32 for archive in ARCHIVES)


def test_the_needed_parts_are_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = archive_of(tmp_path / "src", "small-1/kept/a.c", "small-1/LICENSE", "small-1/docs/long.txt")
    monkeypatch.setattr(sources, "ARCHIVES", (pinned,))
    monkeypatch.setenv("MICROPYTHON_SRC", str(tmp_path / "src"))
    tree = trees(tmp_path / "out")["small"]
    assert sorted(p.relative_to(tree).as_posix() for p in tree.rglob("*") if p.is_file()) == ["LICENSE", "kept/a.c"]
    (tmp_path / "src" / pinned.file).unlink()
    assert trees(tmp_path / "out")["small"] == tree  # nothing is fetched again


def test_half_an_unpacking_is_unpacked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = archive_of(tmp_path / "src", "small-1/kept/a.c")
    monkeypatch.setattr(sources, "ARCHIVES", (pinned,))
    monkeypatch.setenv("MICROPYTHON_SRC", str(tmp_path / "src"))
    left = tmp_path / "out" / "src" / "small-1" / "kept"
    left.mkdir(parents=True)
    (left / "stray.c").write_text("left by a build that was killed")
    tree = trees(tmp_path / "out")["small"]
    assert [p.name for p in (tree / "kept").iterdir()] == ["a.c"]


def test_a_wrong_hash_is_refused_and_nothing_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = archive_of(tmp_path / "src", "small-1/kept/a.c")
    monkeypatch.setattr(sources, "ARCHIVES", (pinned._replace(sha256="00" * 32),))
    monkeypatch.setenv("MICROPYTHON_SRC", str(tmp_path / "src"))
    with pytest.raises(FirmwareFailed) as refused:
        trees(tmp_path / "out")
    said = str(refused.value)
    assert f"has SHA-256 {pinned.sha256}, but {'00' * 32} is pinned; nothing was unpacked" in said
    assert "MICROPYTHON_SRC=FOLDER make firmware" in said
    assert not (tmp_path / "out" / "src" / "small-1").exists()


def test_what_lies_there_from_an_earlier_time_is_verified_too(
    tmp_path: Path, nowhere: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MICROPYTHON_SRC", raising=False)
    (tmp_path / MBEDTLS.file).write_bytes(b"cut short")
    with pytest.raises(FirmwareFailed, match=r"nothing was unpacked\. Remove the file and try again"):
        obtain(MBEDTLS, tmp_path, *nowhere)


def test_a_folder_without_the_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICROPYTHON_SRC", str(tmp_path))
    with pytest.raises(FirmwareFailed) as refused:
        obtain(MICROPYTHON, tmp_path / "out")
    assert f"MICROPYTHON_SRC names {tmp_path}, which holds no {MICROPYTHON.file}." in str(refused.value)
    assert all(archive.file in str(refused.value) for archive in ARCHIVES)


def test_without_a_debian_mirror_the_folder_is_asked_for(
    tmp_path: Path, nowhere: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MICROPYTHON_SRC", raising=False)
    with pytest.raises(FirmwareFailed, match=r"apt names none here\..*MICROPYTHON_SRC=FOLDER make firmware"):
        obtain(MICROPYTHON, tmp_path, *nowhere)


def downloader(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> tuple[Path, Path]:
    """A machine with two mirrors, and `script` in the place of apt's downloader."""
    helper = folder / "apt-helper"
    helper.write_text(f"#!/bin/sh\n{script}\n")
    helper.chmod(0o755)
    monkeypatch.setattr(sources, "APT_HELPER", str(helper))
    monkeypatch.delenv("MICROPYTHON_SRC", raising=False)
    (folder / "apt").mkdir()
    mirrors = ("http://first.example/debian", "http://second.example/debian")
    (folder / "apt" / "sources.list").write_text("".join(f"deb {mirror} bookworm main\n" for mirror in mirrors))
    (folder / "release").write_text("ID=debian\nVERSION_CODENAME=bookworm\n")
    return folder / "apt", folder / "release"


def test_the_next_mirror_serves_when_the_first_does_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pinned = archive_of(tmp_path / "far", "small-1/kept/a.c")
    there = tmp_path / "far" / pinned.file
    script = f'case "$2" in http://second.example/debian/{pinned.path}) cp {there} "$3";; *) exit 100;; esac'
    machine = downloader(tmp_path, monkeypatch, script + f'\n[ "$4" = SHA256:{pinned.sha256} ]')
    assert obtain(pinned, tmp_path / "near", *machine).read_bytes() == there.read_bytes()


def test_what_apts_downloader_says_is_handed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = downloader(tmp_path, monkeypatch, 'echo "E: 404 Not Found" >&2; exit 100')
    with pytest.raises(FirmwareFailed) as refused:
        obtain(MICROPYTHON, tmp_path / "near", *machine)
    assert "http://first.example/debian, http://second.example/debian: E: 404 Not Found Put" in str(refused.value)
    assert list((tmp_path / "near").iterdir()) == []
