"""The seal as it hangs when a technician comes back: its number tells whether somebody was there since (IW-83)."""

from __future__ import annotations

from ..hands import Hands
from ..outcome import PASSED, Outcome
from ..step import Question, Step
from ..texts import Texts
from .seal import number_of

TEXTS: Texts = {
    "title": ("The seal that is there", "Le scellé en place"),
    "do": (
        "Before you touch anything, read the number on the meter's seal. If there is none, leave this step out.",
        "Avant de toucher à quoi que ce soit, lisez le numéro du scellé. S’il n’y en a pas, laissez l’étape.",
    ),
    "good": (
        "Good: whole, and with the number that the office has; the office compares.",
        "Bon : entier, et au numéro que le bureau connaît ; le bureau compare.",
    ),
    "fail": ("Read it again in good light.", "Relisez-le en bonne lumière."),
    "number": ("Number on the seal:", "Numéro du scellé :"),
    "wrong_seal": (
        "3 to {most} capital letters, digits and hyphens.",
        "3 à {most} lettres capitales, chiffres et tirets.",
    ),
}


def _run(hands: Hands) -> Outcome:
    return Outcome(PASSED, {"number": hands.ask("number")})


STEP = Step("seal", TEXTS, _run, (Question("number", number_of),), waivable=lambda outcome: outcome is None)
