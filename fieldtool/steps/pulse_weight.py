"""The litres per pulse on the plate against those of the job, before anything is written (M01)."""

from __future__ import annotations

from ..hands import Hands
from ..outcome import FAILED, PASSED, Outcome
from ..step import Question, Step, Wrong, thousandths
from ..texts import Texts
from ..volume_test import WEIGHTS_ML

TEXTS: Texts = {
    "title": ("Pulse weight", "Poids d’impulsion"),
    "do": (
        "Read on the plate of the measuring unit what one pulse stands for (such as 1 L/pulse, 0.1 L/imp, K=10).",
        "Lisez sur la plaque de la partie mesurante ce que vaut une impulsion (par exemple 1 L/imp, 0,1 L/imp, K=10).",
    ),
    "good": ("Good: {litres} L per pulse, as the office has it.", "Bon : {litres} L par impulsion, comme au bureau."),
    "fail": (
        "Do not install it: bills would be wrong by ten times. Take a meter of {litres} L per pulse, or have the office"
        " make this job again with the weight on the plate.",
        "Ne l’installez pas : les factures seraient dix fois fausses. Prenez un compteur de {litres} L par impulsion,"
        " ou faites refaire l’intervention par le bureau avec le poids de la plaque.",
    ),
    "litres": ("Litres per pulse on the plate:", "Litres par impulsion sur la plaque :"),
    "wrong_weight": ("0.1, 1, 10 or 100 litres.", "0,1, 1, 10 ou 100 litres."),
}


def _weight_ml(text: str) -> int:
    told = thousandths(text)
    if told not in WEIGHTS_ML:
        raise Wrong("wrong_weight")
    return told


def _run(hands: Hands) -> Outcome:
    office_l = int(hands.order.job["litres_per_pulse"])
    plate_ml: int = hands.ask("litres")
    limits = {"litres_per_pulse": office_l}
    if plate_ml != 1000 * office_l:
        return Outcome(FAILED, {"plate_ml": plate_ml}, limits, "plate_differs")
    return Outcome(PASSED, {"litres_per_pulse": office_l}, limits)


STEP = Step("pulse_weight", TEXTS, _run, (Question("litres", _weight_ml),))
