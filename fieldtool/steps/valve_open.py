"""The valve opens on the technician's order, all the way."""

from __future__ import annotations

from ..meter import ORDER_OPEN
from ..step import Step
from ..texts import Texts
from .stroke import may_stay, stands_open, stroke

TEXTS: Texts = {
    "title": ("The valve opens", "La vanne s’ouvre"),
    "do": (
        "Open a tap in the house a little and keep your hands off the meter: its motor moves by itself.",
        "Ouvrez un peu un robinet de la maison et ne touchez pas au compteur : le moteur bouge tout seul.",
    ),
    "good": ("Good: open within 20 s.", "Bon : ouverte en 20 s au plus."),
    "fail": (
        "Look whether something blocks the valve, check the battery, and repeat. A valve that stays shut goes back.",
        "Regardez si quelque chose bloque la vanne, vérifiez la pile, et refaites. Une vanne qui reste fermée repart.",
    ),
    "there_first": ("The valve is open; it closes first …", "La vanne est ouverte ; elle se ferme d’abord …"),
    "moving": ("The valve opens …", "La vanne s’ouvre …"),
    "took": ("Open after {travel_ms} ms.", "Ouverte après {travel_ms} ms."),
    "not_there": ("It does not come open.", "Elle n’arrive pas à s’ouvrir."),
    "travel": ("The time it took cannot be right.", "Le temps mis ne peut pas être juste."),
}

STEP = Step(
    "valve_open", TEXTS, lambda hands: stroke(hands, ORDER_OPEN), check=stands_open, waivable=may_stay, waits=True
)
