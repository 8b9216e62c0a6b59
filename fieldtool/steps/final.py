"""The last visit to a meter that goes: its water shut, its frames taken along, its index read (M17)."""

from __future__ import annotations

from protocol.wire.messages import VALVE_CLOSED

from ..hands import Hands
from ..meter import ORDER_CLOSE, VALVE_WORDS
from ..outcome import FAILED, PASSED, Outcome
from ..refusals import Refusal
from ..step import Question, Step, yes_no
from ..texts import Texts
from .stroke import NOT_BY_THE_METER

TEXTS: Texts = {
    "title": ("Last reading of the old meter", "Dernier relevé de l’ancien compteur"),
    "do": (
        "Plug the cable into the OLD meter {old_meter_id}. Close the stopcock before it and a tap behind it."
        " If it is dead, leave this step out and say so.",
        "Branchez le câble à l’ANCIEN compteur {old_meter_id}. Fermez le robinet d’arrêt avant lui, un robinet après."
        " S’il est mort, laissez cette étape et dites-le.",
    ),
    "good": (
        "Good: its index stands still, and its frames are on this laptop.",
        "Bon : son index ne bouge plus, et ses trames sont sur ce portable.",
    ),
    "fail": (
        "Water still runs through it: close the stopcock in the street and repeat.",
        "L’eau y coule encore : fermez le robinet dans la rue et refaites.",
    ),
    "shut": ("Is the stopcock closed?", "Le robinet d’arrêt est-il fermé ?"),
    "closing": ("Its valve closes …", "Sa vanne se ferme …"),
    "by_hand": (
        "This job does not move its valve; the stopcock must hold.",
        "Cette intervention ne bouge pas sa vanne ; le robinet d’arrêt doit tenir.",
    ),
    "index": (
        "Final index {volume_l} L; {count} frames taken along.",
        "Index final {volume_l} L ; {count} trames emportées.",
    ),
    "runs": ("The index moves.", "L’index bouge."),
}
STILL_S = 5


def _run(hands: Hands) -> Outcome:
    if hands.meter.is_blank():
        raise Refusal("blank_meter")
    while not hands.ask("shut"):
        pass
    _close(hands)
    hands.journal.note(**hands.meter.make())
    before = hands.meter.read()
    frames = hands.meter.report_all()
    hands.clock.sleep(STILL_S)
    after = hands.meter.read()
    values = {name: int(after[name]) for name in ("volume_l", "spent_mills", "collected_mills")}
    values_and_valve: dict[str, int | str] = {**values, "valve": VALVE_WORDS.get(after["valve"], "unknown")}
    if after["pulses"] != before["pulses"]:
        return Outcome(FAILED, values_and_valve, {}, "runs")
    hands.carry(frames)
    hands.say("index", volume_l=values["volume_l"], count=len(frames))
    return Outcome(PASSED, values_and_valve)


def _close(hands: Hands) -> None:
    """Shut its valve where the grant allows that; the stopcock is shut in any case."""
    if hands.meter.read()["valve"] == VALVE_CLOSED:
        return
    try:
        hands.say("closing")
        hands.meter.drive(ORDER_CLOSE)
    except Refusal as refusal:
        if refusal.code not in ("meter_not_allowed", *NOT_BY_THE_METER):
            raise
        hands.say("by_hand")


# A meter that is dead has no last word; the office reads why, and its own last uplink counts.
STEP = Step("final", TEXTS, _run, (Question("shut", yes_no, confirms=True),), waivable=lambda outcome: outcome is None)
