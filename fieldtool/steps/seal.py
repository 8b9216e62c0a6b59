"""The numbered seal that shows whether somebody was at the meter since (IW-83, M18)."""

from __future__ import annotations

from .. import seals
from ..hands import Hands
from ..outcome import PASSED, Outcome
from ..step import Question, Step, Wrong, yes_no
from ..texts import Texts

TEXTS: Texts = {
    "title": ("Seal", "Scellé"),
    "do": (
        "Take the next seal of your stock, thread it through lid and union nut, and pull it tight.",
        "Prenez le prochain scellé de votre stock, passez-le par le couvercle et l’écrou, et serrez.",
    ),
    "good": (
        "Good: the lid cannot be opened without breaking it.",
        "Bon : le couvercle ne s’ouvre pas sans le casser.",
    ),
    "fail": (
        "Cut it, keep the pieces for the office, and take the next one.",
        "Coupez-le, gardez les morceaux pour le bureau, et prenez le suivant.",
    ),
    "number": ("Number on the seal:", "Numéro du scellé :"),
    "again": ("The same number once more, read from the seal:", "Encore une fois le numéro, lu sur le scellé :"),
    "wrong_seal": (
        "3 to {most} capital letters, digits and hyphens.",
        "3 à {most} lettres capitales, chiffres et tirets.",
    ),
    "different": ("The two numbers differ; type both again.", "Les deux numéros diffèrent ; tapez-les encore."),
    "tight": ("Is it tight?", "Est-il serré ?"),
}


def number_of(text: str) -> str:
    told = text.strip().upper().replace(" ", "")
    if not seals.is_number(told):
        raise Wrong("wrong_seal", most=seals.LENGTH_MAX)
    return told


def _run(hands: Hands) -> Outcome:
    number: str = hands.ask("number")
    while hands.voice.is_person and hands.ask("again") != number:
        hands.say("different")
        number = hands.ask("number")
    while not hands.ask("tight"):
        pass
    return Outcome(PASSED, {"number": number})


STEP = Step(
    "seal",
    TEXTS,
    _run,
    (Question("number", number_of), Question("again", number_of), Question("tight", yes_no, confirms=True)),
)
