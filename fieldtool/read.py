"""`guelta field read`: the meter's counters and condition, with units; and what the headend wants handed to it."""

from __future__ import annotations

from typing import Any

from . import frames, reading_text
from .access import ANY_ROLE, CARRIERS, Meter, meet
from .texts import Texts
from .verb import Tool, option, verb

HELP = (
    "Read a meter: counters, money, clock, valve, battery. Changes nothing, unless --deliver.",
    "Lire un compteur : index, argent, horloge, vanne, pile. Ne change rien, sauf --deliver.",
)
TEXTS: Texts = {
    "meter": ("Meter {meter_id}, generation {generation}", "Compteur {meter_id}, génération {generation}"),
    "blank": ("A board that was never provisioned.", "Une carte qui n’a jamais été mise en service."),
    "waiting": (
        "{count} statement(s) of the headend wait for this meter; --deliver hands them over.",
        "{count} ordre(s) de la tête de réseau attendent ce compteur ; --deliver les remet.",
    ),
    "would_deliver": ("Would hand over {count} statement(s).", "{count} ordre(s) seraient remis."),
    "delivered": (
        "{count} statement(s) handed over, {taken} taken, the others known already.",
        "{count} ordre(s) remis, {taken} pris, les autres déjà connus.",
    ),
}
_DELIVER = (
    "Hand over the headend's sealed statements that wait for it.",
    "Remettre les ordres scellés de la tête de réseau qui l’attendent.",
)


@verb("read", HELP, TEXTS, writes=True)
@option("--deliver", help=_DELIVER, is_flag=True)
def read(tool: Tool, deliver: bool) -> None:
    with tool.session() as session:
        meter = meet(session, tool.store, CARRIERS if deliver and not tool.dry_run else ANY_ROLE)
        handed = _deliver(tool, meter, deliver) if meter.meter_id is not None else None
        values = meter.values
        if handed:
            from .fields import values_of

            values = values_of(meter.ask("read"))
    document: dict[str, Any] = {
        "meter_id": None if meter.meter_id is None else meter.meter_id.hex(),
        "generation": session.generation,
        "values": values,
    }
    if handed is not None:
        document["delivered"] = [int(taken) for taken in handed]
    head = (
        tool.text("blank")
        if meter.meter_id is None
        else tool.text("meter", meter_id=meter.meter_id.hex(), generation=session.generation)
    )
    tool.result(document, [head, *reading_text.lines(values, tool.lang)])


def _deliver(tool: Tool, meter: Meter, deliver: bool) -> list[bool] | None:
    """What came of it; None where nothing was to be handed over."""
    assert meter.meter_id is not None
    count = len(frames.waiting(tool.store, meter.meter_id))
    if not deliver:
        if count:
            tool.say("waiting", count=count)
        return None
    if tool.dry_run:
        tool.say("would_deliver", count=count)
        tool.say("dry_run")
        return None
    with tool.store.lock():
        handed = frames.hand_over(tool.store, meter)
    tool.say("delivered", count=len(handed), taken=sum(handed))
    return handed
