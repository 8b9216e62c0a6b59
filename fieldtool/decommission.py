"""`guelta field decommission`: a meter's end. Its last reading is recorded first; then its keys are erased (M17).

Erasing cannot be taken back, and until the books have moved the old meter is the proof of its balance. So a retired
meter is erased after the headend has its record, and the old one of a swap after the new one has its OPENING; or at
once, by an explicit choice that says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from protocol.wire.console_codes import RETIRER

from .checklist import Checklist
from .clock import Clock
from .commission import job_options, voice_of
from .meter import Meter
from .outcome import PASSED, WAIVED
from .refusals import Refusal
from .session import Session
from .steps import REMOVAL
from .store import DONE
from .texts import Texts
from .verb import Tool, option, verb
from .work_order import RETIRE, SWAP, choose

HELP = (
    "Take a meter out of service: record its last reading, then erase its keys. Interrupted, the same command goes on.",
    "Mettre un compteur hors service : noter son dernier relevé, puis effacer ses clés. Interrompue, la même commande"
    " reprend.",
)
TEXTS: Texts = {
    "sure": (
        "Erase meter {meter_id} for good: its keys, its counters, its log?",
        "Effacer pour toujours le compteur {meter_id} : ses clés, ses compteurs, son journal ?",
    ),
    "erasing": ("Erasing …", "Effacement …"),
    "erased": ("Meter {meter_id} is a blank board now.", "Le compteur {meter_id} est maintenant une boîte vierge."),
    "recorded": (
        "Meter {meter_id} did not answer; that is recorded. Bring it to the office: it may still hold its keys.",
        "Le compteur {meter_id} n’a pas répondu ; c’est noté. Rapportez-le au bureau : il tient peut-être ses clés.",
    ),
    "then": (
        "The record waits on this laptop: guelta field sync.",
        "Le dossier attend sur ce portable : guelta field sync.",
    ),
}
_NOW = (
    "Erase a retired meter before the headend has its record.",
    "Effacer un compteur retiré avant que la tête de réseau ait son dossier.",
)
_WITHOUT = (
    "Erase a swapped meter before the new one has its OPENING.",
    "Effacer un compteur remplacé avant que le nouveau ait son OPENING.",
)


@verb("decommission", HELP, TEXTS, writes=True)
@option("--erase-now", help=_NOW, is_flag=True)
@option("--without-opening", help=_WITHOUT, is_flag=True)
@job_options
def decommission(tool: Tool, job_id: str, answers: Path | None, erase_now: bool, without_opening: bool) -> None:
    order = choose(tool.store, job_id, (RETIRE, SWAP))
    if tool.dry_run:
        checklist = Checklist(voice_of(tool, answers), tool.store, order, Clock())
        lines, steps = checklist.plan(REMOVAL)
        asked = tool.text("sure", meter_id=order.removes)
        tool.result({"dry_run": True, "job_id": order.job_id, "steps": steps}, [*lines, asked])
        tool.say("dry_run")
        return
    with tool.store.lock():
        checklist = Checklist(voice_of(tool, answers), tool.store, order, Clock())
        with tool.session() as session:
            document = end(checklist, tool, session, Clock(), erase_now, without_opening)
    lines = [tool.text(str(document["state"]), meter_id=order.removes)]
    if tool.store.read(DONE, order.job_id) is None:
        lines.append(tool.text("then"))
    tool.result(document, lines)


def end(
    checklist: Checklist, tool: Tool, session: Session, clock: Clock, erase_now: bool, without_opening: bool
) -> dict[str, Any]:
    """Record, then erase; each where it was not done yet."""
    order = checklist.order
    meter = Meter(session, tool.store, order.removes, clock, roles=(RETIRER,))
    document = {"job_id": order.job_id, "meter_id": order.removes, "state": "erased"}
    if order.kind == RETIRE and checklist.recorded() is None:
        _record(checklist, meter)
    final = checklist.journal.done("final")
    if order.kind == RETIRE and final is not None and final.result.outcome == WAIVED:
        return {**document, "state": "recorded"}
    if meter.is_blank():
        if "erase_begun" not in checklist.journal.facts:
            raise Refusal("blank_meter")
        return document
    if checklist.recorded() is None:
        raise Refusal("no_record", job_id=order.job_id, verb="swap")
    if order.kind == RETIRE and tool.store.read(DONE, order.job_id) is None and not erase_now:
        raise Refusal("not_synced", meter_id=order.removes)
    if order.kind == SWAP and "new_opened" not in checklist.journal.facts and not without_opening:
        raise Refusal("opening_missing", meter_id=order.installs)
    tool.confirm("sure", meter_id=order.removes)
    checklist.journal.note(erase_begun=1)
    tool.say("erasing")
    meter.erase()
    return document


def _record(checklist: Checklist, meter: Meter) -> None:
    """The last reading; of a meter that is dead, why there is none, which nobody attests."""
    checklist.begin()
    checklist.run(REMOVAL, meter)
    final = checklist.journal.done("final")
    checklist.close(meter, answers=final is not None and final.result.outcome == PASSED)
