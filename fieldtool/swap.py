"""`guelta field swap`: the old meter's last reading, then the new one in its place, under one job and one record (M17).

First the old meter: its frames come along, its index is final, its valve shut. Then the new one goes through the whole
checklist. The books move at the headend, when the record arrives; it answers with the new meter's OPENING, which the
next visit hands over (or the radio does). Until then the old meter keeps its keys and counters: they prove the balance.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from protocol.wire.console_codes import TECHNICIAN

from . import access, frames
from .checklist import Checklist
from .clock import Clock
from .commission import job_options, meets_its_journal, voice_of
from .fields import values_of
from .hands import ASKING
from .meter import Meter
from .refusals import Refusal
from .session import Session
from .steps import INSTALLATION, REMOVAL
from .texts import Texts, sentence
from .verb import Tool, verb
from .work_order import SWAP, WorkOrder, choose

HELP = (
    "Replace a meter: read the old one, commission the new one. Interrupted, the same command goes on.",
    "Remplacer un compteur : relever l’ancien, mettre le nouveau en service. Interrompue, la même commande reprend.",
)
TEXTS: Texts = {
    "exchange": (
        "Unplug the cable. Take the old meter out, keep it safe, and mount the new one, {new_meter_id}. Plug the cable"
        " into it.",
        "Débranchez le câble. Démontez l’ancien compteur, gardez-le bien, et montez le nouveau, {new_meter_id}."
        " Branchez-y le câble.",
    ),
    "still_old": ("The cable is still in the old meter.", "Le câble est encore dans l’ancien compteur."),
    "then": (
        "The old meter keeps its keys until the new one has its OPENING: 'guelta field sync', then 'guelta field swap'"
        " at the new meter, then 'guelta field decommission' at the old one.",
        "L’ancien compteur garde ses clés jusqu’à ce que le nouveau ait son OPENING : « guelta field sync », puis"
        " « guelta field swap » au nouveau, puis « guelta field decommission » à l’ancien.",
    ),
    "opened": (
        "The new meter has its OPENING: credit and debt are with it. Next: guelta field decommission, at the old one.",
        "Le nouveau compteur a son OPENING : crédit et dette y sont. Ensuite : guelta field decommission, à l’ancien.",
    ),
    "not_opened": (
        "The new meter waits for its OPENING. With a network: guelta field sync, then this command again.",
        "Le nouveau compteur attend son OPENING. Avec du réseau : guelta field sync, puis cette commande.",
    ),
}
STEPS = (*REMOVAL, *INSTALLATION)


@verb("swap", HELP, TEXTS, writes=True)
@job_options
def swap(tool: Tool, job_id: str, answers: Path | None) -> None:
    order = choose(tool.store, job_id, (SWAP,))
    if tool.dry_run:
        checklist = Checklist(voice_of(tool, answers), tool.store, order, Clock())
        lines, steps = checklist.plan(STEPS)
        tool.result({"dry_run": True, "job_id": order.job_id, "steps": steps}, lines)
        tool.say("dry_run")
        return
    with tool.store.lock():
        checklist = Checklist(voice_of(tool, answers), tool.store, order, Clock())
        with tool.session() as session:
            if checklist.recorded() is None:
                document, lines = exchange(checklist, tool, session, Clock(), tool.yes or answers is not None)
            else:
                document, lines = hand_over(checklist, tool, session)
    tool.result(document, lines)


def exchange(
    checklist: Checklist, tool: Tool, session: Session, clock: Clock, is_script: bool
) -> tuple[dict[str, Any], list[str]]:
    """Both meters, one after the other, and the record."""
    order = checklist.order
    checklist.begin()
    old = Meter(session, tool.store, order.removes, clock)
    new = Meter(session, tool.store, order.installs, clock, roles=(TECHNICIAN,))
    was_read = checklist.journal.done("final") is not None
    checklist.run(REMOVAL, old, of=len(STEPS))
    if not was_read:
        if is_script:
            raise Refusal("plug_new", meter_id=order.installs)
        _wait_for_the_new(tool, session, order)
    meets_its_journal(checklist, new)
    checklist.run(INSTALLATION, new, first=1 + len(REMOVAL), of=len(STEPS))
    made = checklist.close(new)
    new.release()
    document, lines = checklist.result(made)
    return document, [*lines, tool.text("then")]


def _wait_for_the_new(tool: Tool, session: Session, order: WorkOrder) -> None:
    """The hands exchange the meters; go on when the cable is no longer in the old one."""
    while True:
        tool.say("exchange", new_meter_id=order.installs)
        click.echo(f"> {sentence(ASKING, 'ready', tool.lang)} ", nl=False, err=True)
        if not sys.stdin.readline():
            raise Refusal("plug_new", meter_id=order.installs)
        found = session.hello().meter_id
        if found is None or found.hex() != order.removes:
            return
        tool.say("still_old")


def hand_over(checklist: Checklist, tool: Tool, session: Session) -> tuple[dict[str, Any], list[str]]:
    """After the record: give the new meter what the headend answered, and see whether it has its OPENING."""
    order = checklist.order
    found = session.hello().meter_id
    if found is None or found.hex() != order.installs:
        raise Refusal("other_meter", found="-" if found is None else found.hex(), expected=order.installs)
    meter = access.begin(session, tool.store, found, access.CARRIERS)
    heard = frames.hand_over(tool.store, meter)
    opened = bool(values_of(meter.ask("read"))["opened"])
    if opened:
        checklist.journal.note(new_opened=1)
    document = {"job_id": order.job_id, "meter_id": order.installs, "handed_over": len(heard), "opened": opened}
    return document, [tool.text("opened" if opened else "not_opened")]
