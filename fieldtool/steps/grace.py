"""The installation grace: what the customer may use before a first payment reaches the meter (H12). No gift."""

from __future__ import annotations

from ..hands import Hands
from ..outcome import PASSED, Outcome
from ..step import Question, Step, yes_no
from ..texts import Texts

TEXTS: Texts = {
    "title": ("Installation grace", "Délai d’installation"),
    "do": (
        "Tell the customer: until the first payment arrives, water for {grace} flows; the first payment settles it.",
        "Dites au client : jusqu’au premier paiement il coule de l’eau pour {grace} ; le premier paiement la règle.",
    ),
    "good": ("Good: the customer can say it back.", "Bon : le client sait le redire."),
    "fail": ("Explain it once more.", "Expliquez encore une fois."),
    "told": ("Does the customer know?", "Le client le sait-il ?"),
}


def money_text(mills: int, currency: str, exponent: int) -> str:
    """Mills in the currency's own unit: (5_000_000, "XOF", 0) is "5000 XOF", with what is below a minor unit cut."""
    whole, rest = divmod(mills // 1000, 10**exponent)
    return f"{whole}.{rest:0{exponent}} {currency}" if exponent else f"{whole} {currency}"


def _run(hands: Hands) -> Outcome:
    while not hands.ask("told"):
        hands.say("fail")
    return Outcome(PASSED, {"mills": hands.order.installation_grace_mills})


STEP = Step("grace", TEXTS, _run, (Question("told", yes_no, confirms=True),))
