"""`guelta field commission`: a box becomes a trusted meter, step by step, and the proof of it a signed record.

No network is used. Interrupted at any step, by a key press, a pulled cable or a dead battery, the same command goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from protocol.wire.console_codes import TECHNICIAN

from .checklist import Checklist
from .clock import Clock
from .hands import Person, Script, Voice
from .meter import Meter
from .refusals import Refusal
from .session import Session
from .step import Step
from .steps import INSTALLATION
from .texts import Texts
from .verb import Tool, option, verb
from .work_order import INSTALL, WorkOrder, choose

HELP = (
    "Turn a box into a trusted meter: a guided checklist, without a network. Interrupted, the same command goes on.",
    "Faire d’une boîte un compteur sûr : une liste guidée, sans réseau. Interrompue, la même commande reprend.",
)
TEXTS: Texts = {}
JOB = ("The job (only one open: not needed).", "L’intervention (inutile s’il n’y en a qu’une).")
ANSWERS = (
    "Take all answers from this JSON file (for scripts; --dry-run names them).",
    "Prendre toutes les réponses dans ce fichier JSON (pour les scripts ; --dry-run les nomme).",
)
_ANSWERS_MAX = 100_000


def job_options(function: Any) -> Any:
    """--job and --answers."""
    path = click.Path(path_type=Path)
    function = option("--answers", help=ANSWERS, type=path, metavar="FILE")(function)
    return option("--job", "job_id", help=JOB, default="", metavar="JOB")(function)


@verb("commission", HELP, TEXTS, writes=True)
@job_options
def commission(tool: Tool, job_id: str, answers: Path | None) -> None:
    def at_the_box(checklist: Checklist) -> dict[str, Any]:
        with tool.session() as session:
            return install(checklist, tool, session, Clock())

    carry_out(tool, choose(tool.store, job_id, (INSTALL,)), answers, INSTALLATION, at_the_box)


def carry_out(
    tool: Tool,
    order: WorkOrder,
    answers: Path | None,
    steps: Sequence[Step],
    work: Callable[[Checklist], dict[str, Any]],
) -> None:
    """The plan at --dry-run, else the result of a job: its record, which `work` makes unless it is there already."""
    if tool.dry_run:
        checklist = Checklist(voice_of(tool, answers), tool.store, order, Clock())
        lines, names = checklist.plan(steps)
        tool.result({"dry_run": True, "job_id": order.job_id, "steps": names}, lines)
        tool.say("dry_run")
        return
    with tool.store.lock():
        checklist = Checklist(voice_of(tool, answers), tool.store, order, Clock())
        made = checklist.recorded()
        if made is None:
            made = work(checklist)
    tool.result(*checklist.result(made))


def install(checklist: Checklist, tool: Tool, session: Session, clock: Clock) -> dict[str, Any]:
    """All steps at one box, and the record."""
    checklist.begin()
    meter = Meter(session, tool.store, checklist.order.installs, clock, roles=(TECHNICIAN,))
    meets_its_journal(checklist, meter)
    checklist.run(INSTALLATION, meter)
    made = checklist.close(meter)
    meter.release()
    return made


def meets_its_journal(checklist: Checklist, meter: Meter) -> None:
    """Nothing happens at another meter than the journal's. Raises Refusal: other_meter, blank_again."""
    if meter.is_blank() and checklist.journal.done("provision") is not None:
        raise Refusal("blank_again", meter_id=meter.meter_id)


def voice_of(tool: Tool, answers: Path | None) -> Voice:
    """Whoever answers. Raises Refusal: file_unreadable, answers_form."""
    if answers is None:
        return Person(tool.lang, tool.yes)
    try:
        with answers.open("rb") as file:
            given = json.loads(file.read(_ANSWERS_MAX))
    except OSError as failure:
        raise Refusal("file_unreadable", option="--answers", file=answers, why=failure.strerror) from None
    except (ValueError, RecursionError):
        raise Refusal("answers_form", file=answers) from None
    if not isinstance(given, dict) or not all(isinstance(value, str | int) for value in given.values()):
        raise Refusal("answers_form", file=answers)
    return Script(tool.lang, tool.yes, given)
