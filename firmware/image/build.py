"""Builds mpy-cross, the Unix interpreter and both images from the pinned sources, out of tree. Host-side.

Each product is made again only when what it is made of has changed: our files, the pinned hashes, the compiler. It is
then made from nothing, because some of MicroPython's dependencies are not tracked. No path and no date gets into a
product, so that two builds from two places compare equal.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from firmware.image.release import develop
from firmware.image.sources import APT, ARCHIVES, RELEASE, FirmwareFailed, trees
from firmware.image.stage import stage
from firmware.version import FIRMWARE_VERSION

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "build" / "firmware"
BOARDS = ROOT / "firmware" / "boards"
PORT = BOARDS / "qemu_mps2" / "port"
C_MODULES = BOARDS / "cmodules"
HEAP_BYTES = 40_960

MPY_CROSS, MICROPYTHON = "mpy-cross", "micropython"
IMAGES = {"meter.elf": "production", "meter-dev.elf": "development"}
PRODUCTS = (MPY_CROSS, MICROPYTHON, *IMAGES)
# The same code as meter.elf, linked where the loader puts an update: what `guelta firmware release` signs.
UPDATE = "meter.bin"

# What MicroPython would ask git, or the calendar: the release, and the day Debian packed it.
_VERSION = {"MICROPY_GIT_TAG": "v1.25.0", "MICROPY_GIT_HASH": "v1.25.0", "SOURCE_DATE_EPOCH": "1746366018"}
_PASSED_ON = ("PATH", "HOME", "TMPDIR")
# What must be there, and the Debian package that brings it: programs, and files that a compiler must find.
_TOOLS = {"make": "make", "gcc": "gcc", "arm-none-eabi-gcc": "gcc-arm-none-eabi"}
_LIBRARIES = {("gcc", "libm.so"): "libc6-dev", ("arm-none-eabi-gcc", "nano.specs"): "libnewlib-arm-none-eabi"}
_TAIL_LINES = 12


class Recipe(NamedTuple):
    """How one product comes about: make in `where` with `settings`; `made` is what it leaves in its own folder, as are
    the files `also`, which keep their names."""

    compiler: str
    where: Path
    settings: tuple[str, ...]
    made: str
    inputs: tuple[Path, ...]
    also: tuple[str, ...] = ()


def build(
    folder: Path = FOLDER,
    products: tuple[str, ...] = PRODUCTS,
    heap_bytes: int = HEAP_BYTES,
    say: Callable[[str, bool], None] = lambda product, made: None,
    apt: Path = APT,
    release: Path = RELEASE,
) -> dict[str, Path]:
    """Make what is not up to date in `folder`; product → its file. `say` hears of each product whether it was made."""
    need_tools(products)
    folder = folder.absolute()
    with _alone(folder):
        unpacked = trees(folder, apt, release)
        wanted = [name for name in PRODUCTS if name in products or (name == MPY_CROSS and set(products) & set(IMAGES))]
        for name in wanted:
            recipe = _recipe(name, folder, unpacked, heap_bytes)
            stamp = _stamp(recipe, folder)
            kept = folder / f"{name}.stamp"
            there = all((folder / file).is_file() for file in (name, *recipe.also))
            fresh = there and kept.is_file() and kept.read_text() == stamp
            if not fresh:
                kept.unlink(missing_ok=True)
                _make(name, recipe, folder)
                kept.write_text(stamp)
            say(name, not fresh)
            if IMAGES.get(name) == "production":
                develop(folder, name)
    return {name: folder / name for name in wanted}


def need_tools(products: tuple[str, ...] = PRODUCTS) -> None:
    """Refuse with the one command that installs all that is missing."""
    unneeded = () if set(products) & set(IMAGES) else ("arm-none-eabi-gcc",)
    missing = [package for tool, package in _TOOLS.items() if tool not in unneeded and shutil.which(tool) is None]
    for (compiler, library), package in _LIBRARIES.items():
        if compiler not in unneeded and not _brings(compiler, library):
            missing.append(package)
    if missing:
        raise FirmwareFailed(
            "The compilers are not installed. Install them with: sudo apt-get install -y --no-install-recommends "
            + " ".join(missing)
        )


def _brings(compiler: str, library: str) -> bool:
    """Whether the compiler finds the file: it answers with the bare name when it does not."""
    if shutil.which(compiler) is None:
        return False
    asked = [compiler, f"-print-file-name={library}"]
    return os.sep in subprocess.run(asked, capture_output=True, text=True, check=True).stdout


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One build at a time in a folder: the second waits, and then finds all made."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _recipe(name: str, folder: Path, unpacked: dict[str, Path], heap_bytes: int) -> Recipe:
    micropython, mbedtls = unpacked["micropython"], unpacked["mbedtls"]
    # Names in the product, whatever the folders are called here.
    maps = f"-ffile-prefix-map={folder}=. -ffile-prefix-map={ROOT}=."
    common = (f"PYTHON={sys.executable}",)
    if name == MPY_CROSS:
        return Recipe("gcc", micropython / "mpy-cross", (*common, f"CFLAGS_EXTRA=-Wno-error {maps}"), MPY_CROSS, ())
    modules = (f"USER_C_MODULES={C_MODULES}", f"MBEDTLS={mbedtls}")
    if name == MICROPYTHON:
        left_out = [f"MICROPY_{part}=0" for part in ("PY_FFI", "PY_SSL", "SSL_MBEDTLS", "PY_BTREE", "PY_THREAD")]
        flags = f"CFLAGS_EXTRA=-DMICROPY_PY_CRYPTOLIB=1 -DMICROPY_SSL_MBEDTLS=1 -Wno-error {maps}"
        # The linker's own mark would be a hash over debugging information, which knows places.
        unmarked = "LDFLAGS_EXTRA=-Wl,--build-id=none"
        settings = (*common, "VARIANT=standard", *left_out, "FROZEN_MANIFEST=", *modules, flags, unmarked)
        return Recipe("gcc", micropython / "ports" / "unix", settings, MICROPYTHON, (C_MODULES,))
    shutil.rmtree(folder / "frozen", ignore_errors=True)  # what left the manifest leaves the image
    frozen = stage(folder / "frozen")
    settings = (
        *common,
        *modules,
        f"MPY={micropython}",
        f"VARIANT={IMAGES[name]}",
        f"HEAP={heap_bytes}",
        f"VERSION={FIRMWARE_VERSION}",
        f"FROZEN={frozen}",
        f"MICROPY_MPYCROSS={folder / MPY_CROSS}",
        "MICROPY_MPYCROSS_DEPENDENCY=",
    )
    also = (UPDATE,) if IMAGES[name] == "production" else ()
    return Recipe("arm-none-eabi-gcc", PORT, settings, "meter.elf", (PORT, C_MODULES, frozen), also)


def _stamp(recipe: Recipe, folder: Path) -> str:
    """What the product is made of, as one hash: pinned archives, compiler, how it is called, our sources."""
    version = subprocess.run([recipe.compiler, "--version"], capture_output=True, text=True, check=True).stdout
    called = repr((ARCHIVES, version, _VERSION, recipe.settings))
    for here in (sys.executable, str(folder), str(ROOT)):  # places say nothing about a product
        called = called.replace(here, "")
    told = hashlib.sha256(called.encode())
    for place in recipe.inputs:
        for file in sorted(place.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                told.update(repr((file.relative_to(place).as_posix(), file.read_bytes())).encode())
    return told.hexdigest()


def rebuilt(frozen: Path, out: Path, folder: Path = FOLDER) -> Path:
    """The production image of `folder` with other frozen code: a control. What is compiled for it is not again."""
    name = next(iter(IMAGES))
    folder = folder.absolute()
    with _alone(folder):
        recipe = _recipe(name, folder, trees(folder, APT, RELEASE), HEAP_BYTES)
        shutil.copytree(folder / "obj" / name, out)
    settings = tuple(f"FROZEN={frozen}" if one.startswith("FROZEN=") else one for one in recipe.settings)
    _run(name, recipe._replace(settings=settings), out, out / "log")
    return out / recipe.made


def _make(name: str, recipe: Recipe, folder: Path) -> None:
    out = folder / "obj" / name
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    _run(name, recipe, out, folder / "obj" / f"{name}.log")
    for made, file in ((recipe.made, name), *((file, file) for file in recipe.also)):
        half = folder / f"{file}.part"
        shutil.copy2(out / made, half)
        half.replace(folder / file)  # an interpreter that is running goes on with the old one


def _run(name: str, recipe: Recipe, out: Path, log: Path) -> None:
    jobs = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    command = ["make", "-C", str(recipe.where), f"-j{jobs}", f"BUILD={out}", *recipe.settings]
    # Flags of whoever calls would change the product.
    environment = {key: os.environ[key] for key in _PASSED_ON if key in os.environ} | _VERSION | {"LC_ALL": "C.UTF-8"}
    with log.open("w") as said:
        done = subprocess.run(command, stdout=said, stderr=subprocess.STDOUT, env=environment, check=False)
    if done.returncode or not (out / recipe.made).is_file():
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL_LINES:])
        raise FirmwareFailed(f"{name} does not build. The end of {log}:\n{tail}")
