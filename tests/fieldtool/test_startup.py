"""`guelta field --help` is there before a technician looks up, and loads nothing that it does not need."""

from __future__ import annotations

import importlib
import os
import resource
import statistics
import subprocess
import sys
import time

import click
import pytest
from click.testing import CliRunner

from fieldtool.cli import VERBS
from fieldtool.texts import LANGUAGES
from fieldtool.verb import Command, Option
from guelta.cli import main

HELP = (sys.executable, "-m", "guelta", "field", "--help")
WALL_S = 0.3
CPU_S = 0.3
HEAVY = (
    *("cryptography", "serial", "platformdirs", "reportlab", "segno"),
    *("aiohttp", "sqlalchemy", "urllib.request", "asyncio"),
)


def test_help_is_there_within_300_ms() -> None:
    """The median of five, after one for the caches. Processor time is what another job on the machine cannot make
    longer; wall time is judged only where the machine had its cores for us."""
    walls, cpus = [], []
    for _ in range(6):
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(HELP, check=True, capture_output=True)
        walls.append(time.perf_counter() - began)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    wall, cpu = statistics.median(walls[1:]), statistics.median(cpus[1:])
    print(f"guelta field --help: {wall * 1000:.0f} ms, of which {cpu * 1000:.0f} ms of one core")
    assert cpu <= CPU_S
    assert wall <= WALL_S or os.getloadavg()[0] >= 1


def test_help_loads_no_library_that_only_a_verb_needs() -> None:
    code = (
        "import sys; sys.argv = ['guelta', 'field', '--help']\n"
        "from guelta.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    print(*(f'loaded:{name}' for name in sys.modules))\n"
    )
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert "loaded:fieldtool.cli" in loaded
    assert [name for name in HEAVY if f"loaded:{name}" in loaded] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_its_help_in_both_languages(verb: str) -> None:
    """Command and options, shown in the language that was asked for."""
    command = importlib.import_module(VERBS[verb].module).__dict__[VERBS[verb].attribute]
    assert isinstance(command, Command)
    shown = {lang: CliRunner().invoke(main, ["field", verb, "--lang", lang, "--help"]).stdout for lang in LANGUAGES}
    for texts in (command.both, *(one.both for one in command.params if isinstance(one, Option))):
        for lang, text in zip(LANGUAGES, texts, strict=True):
            assert text.split()[0] in shown[lang] and texts[0] != texts[1]
    assert all(isinstance(one, Option | click.Argument) for one in command.params), "an option without French help"
    assert {"--lang", "--json"} <= {name for one in command.params for name in one.opts}
