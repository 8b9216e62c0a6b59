"""The box sits in the pipe as it must: with the flow, a clean strainer before it, a check valve (M15, M18)."""

from __future__ import annotations

from ..hands import Hands
from ..outcome import FAILED, PASSED, Outcome
from ..step import Question, Step, yes_no
from ..texts import Texts

TEXTS: Texts = {
    "title": ("Mounting", "Montage"),
    "do": (
        "Close the stopcock, rinse the pipe, mount the meter, open the stopcock slowly, look for drops at the joints.",
        "Fermez le robinet d’arrêt, rincez la conduite, montez le compteur, ouvrez lentement, cherchez des gouttes aux"
        " raccords.",
    ),
    "good": ("Good: yes to all four.", "Bon : oui aux quatre questions."),
    "fail": (
        "Close the stopcock, put right what is not, and repeat the step.",
        "Fermez le robinet d’arrêt, corrigez ce qui ne va pas et refaites l’étape.",
    ),
    "arrow": (
        "Does the arrow on the body point with the flow, towards the house?",
        "La flèche du corps suit-elle l’écoulement, vers la maison ?",
    ),
    "strainer": ("Is the strainer clean and in its place?", "Le filtre est-il propre et à sa place ?"),
    "check_valve": ("Is there a check valve behind the meter?", "Y a-t-il un clapet anti-retour après le compteur ?"),
    "dry": ("Are the joints dry under pressure?", "Les raccords sont-ils secs sous pression ?"),
}
_SEEN = ("arrow", "strainer", "check_valve", "dry")


def _run(hands: Hands) -> Outcome:
    for name in _SEEN:
        if not hands.ask(name):
            return Outcome(FAILED, {"ok": 0}, {"ok": 1}, name)
    return Outcome(PASSED, {"ok": 1}, {"ok": 1})


STEP = Step("orientation", TEXTS, _run, tuple(Question(name, yes_no, confirms=True) for name in _SEEN))
