"""The first frame: has the headend answered one by radio already? Fresh ones go along with this laptop anyway."""

from __future__ import annotations

from ..hands import Hands
from ..outcome import PASSED, WAIVED, Outcome
from ..step import Step
from ..texts import Texts

TEXTS: Texts = {
    "title": ("First frame", "Première trame"),
    "do": ("Leave the cable in for a moment more.", "Laissez le câble encore un instant."),
    "good": (
        "Good: the headend has answered by radio, or this laptop carries the meter's first frames to it.",
        "Bon : la tête de réseau a répondu par radio, ou ce portable lui porte les premières trames.",
    ),
    "fail": ("Give the same command again.", "Redonnez la même commande."),
    "answered": ("The headend has answered by radio.", "La tête de réseau a répondu par radio."),
    "carried": ("{count} frames taken along.", "{count} trames emportées."),
}


def _run(hands: Hands) -> Outcome:
    reading = hands.meter.read()
    frames = hands.meter.report()
    hands.carry(frames)
    hands.say("carried", count=len(frames))
    if int(reading["acked_slot"]) > int(hands.journal.facts.get("acked_slot", 0)):
        hands.say("answered")
        return Outcome(PASSED, {"at": hands.clock.now()})
    return Outcome(WAIVED, {"at": 0}, {}, "not_yet")


STEP = Step("first_uplink", TEXTS, _run)
