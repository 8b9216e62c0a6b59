"""Who was told how prepaid water works here, and agreed, by name and instant (H12)."""

from __future__ import annotations

from ..hands import Hands
from ..outcome import FAILED, PASSED, Outcome
from ..step import Question, Step, free_text, yes_no
from ..texts import Texts

NAME_MAX = 80

TEXTS: Texts = {
    "title": ("Consent", "Accord"),
    "do": (
        "Read the notice to the customer: water is paid ahead; at zero credit the valve closes, never without warning"
        " and never in friendly hours; any phone pays under number {customer_number}; the meter tells half-hours"
        " of use.",
        "Lisez l’avis au client : l’eau se paie d’avance ; sans crédit la vanne se ferme, jamais sans avertir ni aux"
        " heures clémentes ; on paie de tout téléphone au numéro {customer_number} ; le compteur transmet la"
        " consommation par demi-heure.",
    ),
    "good": ("Good: an adult of the household agrees.", "Bon : un adulte du ménage est d’accord."),
    "fail": (
        "Do not persuade. Stop here and let the office speak with the customer.",
        "N’insistez pas. Arrêtez ici et laissez le bureau parler avec le client.",
    ),
    "agrees": ("Does the customer agree?", "Le client est-il d’accord ?"),
    "name": ("Name of the person who agrees:", "Nom de la personne d’accord :"),
    "refuses": ("The customer does not agree.", "Le client n’est pas d’accord."),
}


def _run(hands: Hands) -> Outcome:
    if not hands.ask("agrees"):
        return Outcome(FAILED, {}, {}, "refuses")
    return Outcome(PASSED, {"name": hands.ask("name"), "at": hands.clock.now()})


STEP = Step("consent", TEXTS, _run, (Question("agrees", yes_no), Question("name", free_text(NAME_MAX))))
