"""`guelta field visit`: a meter in service looked after, with a record: its seal, valve, measure, radio and place.

A visit does what the job's note asks for; each step may be left out with a reason. What passes closes the office's
cases of that kind, and a seal of another number opens one (IW-83). The meter goes on as it was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from protocol.wire.console_codes import TECHNICIAN

from .checklist import Checklist
from .clock import Clock
from .commission import carry_out, job_options
from .meter import Meter
from .refusals import Refusal
from .session import Session
from .steps import VISITING
from .store import Store
from .texts import Texts
from .verb import Tool, verb
from .work_order import VISIT, choose

HELP = (
    "Look after a meter in service: seal, valve, bucket, leak-by, radio; with a record. Interrupted, the same goes on.",
    "S’occuper d’un compteur en service : scellé, vanne, seau, fuite, radio ; avec un dossier. Interrompue, la même"
    " commande reprend.",
)
TEXTS: Texts = {"note": ("The office asks: {note}", "Le bureau demande : {note}")}


@verb("visit", HELP, TEXTS, writes=True)
@job_options
def visit(tool: Tool, job_id: str, answers: Path | None) -> None:
    order = choose(tool.store, job_id, (VISIT,))

    def at_the_meter(checklist: Checklist) -> dict[str, Any]:
        if order.job.get("note"):
            tool.say("note", note=order.job["note"])
        with tool.session() as session:
            return look_after(checklist, tool.store, session, Clock())

    carry_out(tool, order, answers, VISITING, at_the_meter)


def look_after(checklist: Checklist, store: Store, session: Session, clock: Clock) -> dict[str, Any]:
    """All steps at a meter that is provisioned, and the record."""
    checklist.begin()
    meter = Meter(session, store, checklist.order.installs, clock, roles=(TECHNICIAN,))
    if meter.is_blank():
        raise Refusal("blank_meter")
    checklist.journal.note(**meter.make())
    checklist.run(VISITING, meter)
    made = checklist.close(meter)
    meter.release()
    return made
