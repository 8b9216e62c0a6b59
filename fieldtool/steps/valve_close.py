"""The valve closes on the technician's order, all the way."""

from __future__ import annotations

from ..meter import ORDER_CLOSE
from ..step import Step
from ..texts import Texts
from .stroke import may_stay, stands_closed, stroke

TEXTS: Texts = {
    "title": ("The valve closes", "La vanne se ferme"),
    "do": (
        "Leave the tap in the house open a little: its jet must stop.",
        "Laissez le robinet de la maison un peu ouvert : son jet doit s’arrêter.",
    ),
    "good": ("Good: closed within 20 s.", "Bon : fermée en 20 s au plus."),
    "fail": (
        "Look whether something blocks the valve, check the battery, and repeat. A valve that stays open goes back.",
        "Regardez si quelque chose bloque la vanne, vérifiez la pile, et refaites. Une vanne qui reste ouverte repart.",
    ),
    "there_first": ("The valve is closed; it opens first …", "La vanne est fermée ; elle s’ouvre d’abord …"),
    "moving": ("The valve closes …", "La vanne se ferme …"),
    "took": ("Closed after {travel_ms} ms.", "Fermée après {travel_ms} ms."),
    "not_there": ("It does not come closed.", "Elle n’arrive pas à se fermer."),
    "travel": ("The time it took cannot be right.", "Le temps mis ne peut pas être juste."),
}

STEP = Step("valve_close", TEXTS, lambda hands: stroke(hands, ORDER_CLOSE), check=stands_closed, waivable=may_stay)
