"""What the customer is told about the valve, in French and English: host side only, never on the meter.

Keys are the numbers of reason_codes.py. Each sentence says why, and a closed one also what opens the valve again.
"""

from protocol.rules import reason_codes

LANGUAGES = ("fr", "en")

SENTENCES = {
    reason_codes.CREDIT: {
        "fr": "L’eau est ouverte : il reste du crédit.",
        "en": "Water is on: there is credit left.",
    },
    reason_codes.EMERGENCY: {
        "fr": "L’eau est ouverte sur le crédit de secours ; il sera repris sur le prochain paiement.",
        "en": "Water is on, on emergency credit; the next payment pays it back first.",
    },
    reason_codes.FRIENDLY_HOURS: {
        "fr": "Le crédit est épuisé, mais l’eau reste ouverte pendant les heures protégées ; elle est due.",
        "en": "Credit is used up, but water stays on during friendly hours; it is owed.",
    },
    reason_codes.FRIENDLY_ENDING: {
        "fr": "Les heures protégées sont finies : l’eau va bientôt se fermer, payez pour la garder.",
        "en": "Friendly hours are over: water will close soon, pay to keep it on.",
    },
    reason_codes.LIFELINE: {
        "fr": "Le crédit est épuisé ; l’eau vitale du jour coule encore.",
        "en": "Credit is used up; today's lifeline water still flows.",
    },
    reason_codes.NEVER_CLOSE: {
        "fr": "Le crédit est épuisé ; l’eau n’est jamais coupée à cette adresse.",
        "en": "Credit is used up; water is never cut at this address.",
    },
    reason_codes.INSTALLATION: {
        "fr": "Compteur neuf : l’eau est ouverte en attendant l’ouverture du compte.",
        "en": "New meter: water is on until the account is opened.",
    },
    reason_codes.NO_CREDIT: {
        "fr": "L’eau est fermée : le crédit est épuisé. Un paiement la rouvre.",
        "en": "Water is off: credit is used up. A payment opens it again.",
    },
    reason_codes.LIFELINE_USED: {
        "fr": "L’eau est fermée : le crédit et l’eau vitale du jour sont épuisés. Un paiement la rouvre, ou minuit.",
        "en": "Water is off: credit and today's lifeline water are used up. A payment opens it again, or midnight.",
    },
    reason_codes.FRIENDLY_USED: {
        "fr": "L’eau est fermée : les litres des heures protégées sont épuisés. Un paiement la rouvre.",
        "en": "Water is off: the litres of these friendly hours are used up. A payment opens it again.",
    },
    reason_codes.UNSURE_LIMIT: {
        "fr": "L’eau est fermée : le crédit est épuisé et l’horloge du compteur n’est pas sûre. Un paiement la rouvre.",
        "en": "Water is off: credit is used up and the meter's clock is unsure. A payment opens it again.",
    },
}


def sentence(code: int, language: str) -> str:
    """The sentence for a reason number in "fr" or "en"; KeyError for a number or language we do not speak."""
    return SENTENCES[code][language]
