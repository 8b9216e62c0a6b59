"""Fetches the two pinned source archives, verifies them, and unpacks them. Host-side.

Debian's original archives of MicroPython and mbedtls, each known by its SHA-256. From where is no matter of trust: the
machine's own Debian mirror, or a folder named in MICROPYTHON_SRC. What has another hash is never unpacked.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import NamedTuple

from firmware.image.mirrors import APT, RELEASE, debian_mirrors

APT_HELPER = "/usr/lib/apt/apt-helper"
FOLDER = "MICROPYTHON_SRC"


class FirmwareFailed(Exception):
    """What is missing or wrong, and what to do about it."""


class Archive(NamedTuple):
    """One source package's original archive."""

    package: str
    version: str
    file: str
    sha256: str
    top: str  # the one folder inside it
    parts: tuple[str, ...]  # what of it is unpacked

    @property
    def path(self) -> str:
        """Where it lies on a Debian mirror."""
        return f"pool/main/{self.package[0]}/{self.package}/{self.file}"


MICROPYTHON = Archive(
    "micropython",
    "1.25.0",
    "micropython_1.25.0+ds.orig.tar.xz",
    "7b25be99a502f070b2de81dafc08da7051d992325d6e67daa9045a918fffdbea",
    "micropython-1.25.0",
    ("LICENSE", "README.md", "extmod/", "lib/", "mpy-cross/", "ports/unix/", "py/", "shared/", "tools/"),
)
MBEDTLS = Archive(
    "mbedtls",
    "3.6.6",
    "mbedtls_3.6.6.orig.tar.bz2",
    "8fb65fae8dcae5840f793c0a334860a411f884cc537ea290ce1c52bb64ca007a",
    "mbedtls-3.6.6",
    ("LICENSE", "include/", "library/"),
)
ARCHIVES = (MICROPYTHON, MBEDTLS)


def sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def trees(folder: Path, apt: Path = APT, release: Path = RELEASE) -> dict[str, Path]:
    """Package → its unpacked tree below `folder`, fetched and unpacked only if it is not there already."""
    return {archive.package: _tree(archive, folder, apt, release) for archive in ARCHIVES}


def _tree(archive: Archive, folder: Path, apt: Path, release: Path) -> Path:
    tree = folder / "src" / archive.top
    done = folder / "src" / f"{archive.top}.sha256"
    if done.is_file() and done.read_text() == archive.sha256 and tree.is_dir():
        return tree
    done.unlink(missing_ok=True)
    shutil.rmtree(tree, ignore_errors=True)
    file = obtain(archive, folder / "archives", apt, release)
    tree.parent.mkdir(parents=True, exist_ok=True)
    # Older Pythons have no filters; nothing but the pinned bytes gets here.
    harmless = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    wanted = tuple(f"{archive.top}/{part}" for part in archive.parts)
    with tarfile.open(file) as opened:
        members = (member for member in opened if member.name.startswith(wanted))
        opened.extractall(tree.parent, members, **harmless)  # type: ignore[arg-type]
    done.write_text(archive.sha256)
    return tree


def obtain(archive: Archive, folder: Path, apt: Path = APT, release: Path = RELEASE) -> Path:
    """The verified archive: from the folder MICROPYTHON_SRC names, from an earlier time, or from a mirror."""
    named = os.environ.get(FOLDER)
    if named:
        file = Path(named) / archive.file
        if not file.is_file():
            raise FirmwareFailed(f"{FOLDER} names {named}, which holds no {archive.file}. {remedy()}")
        return verified(archive, file)
    file = folder / archive.file
    if not file.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _download(archive, file, debian_mirrors(apt, release))
    return verified(archive, file)


def verified(archive: Archive, file: Path) -> Path:
    """The file, if it is the pinned one."""
    found = sha256(file)
    if found != archive.sha256:
        raise FirmwareFailed(
            f"{file} has SHA-256 {found}, but {archive.sha256} is pinned; nothing was unpacked. Remove the file and try"
            f" again; if it comes back the same, the mirror holds another file. {remedy()}"
        )
    return file


def remedy() -> str:
    """What to do where no mirror serves."""
    files = " and ".join(archive.file for archive in ARCHIVES)
    return f"Put {files} (Debian's original source archives) into one folder and name it: {FOLDER}=FOLDER make firmware"


def _download(archive: Archive, file: Path, mirrors: list[str]) -> None:
    """By apt's own downloader, so that the machine's proxies and certificates hold."""
    if not mirrors or not Path(APT_HELPER).is_file():
        raise FirmwareFailed(
            f"{archive.package} {archive.version} is fetched from the Debian mirror this machine installs from, and apt"
            f" names none here. {remedy()}"
        )
    said = ""
    part = file.with_name(file.name + ".part")
    for mirror in mirrors:
        command = [APT_HELPER, "download-file", f"{mirror}/{archive.path}", str(part), f"SHA256:{archive.sha256}"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0 and part.is_file():
            part.replace(file)
            return
        part.unlink(missing_ok=True)
        said = " ".join((done.stderr or done.stdout).split())[-300:]
    raise FirmwareFailed(f"{archive.file} could not be fetched from {', '.join(mirrors)}: {said} {remedy()}")
