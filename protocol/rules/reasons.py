"""What the customer is told about the valve, in French and English: host side only, never on the meter.

Keys are the numbers of reason_codes.py. Each sentence says why, and a closed one also what opens the valve again: a
payment where money is missing, else the utility.
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
    reason_codes.VULNERABLE: {
        "fr": "Le crédit est épuisé ; l’eau de ce foyer protégé reste ouverte jusqu’au réexamen de son dossier.",
        "en": "Credit is used up; water stays on for this protected home until its file is reviewed.",
    },
    reason_codes.FIRE: {
        "fr": "Vous avez ouvert l’eau vous-même, pour une durée et des litres limités ; elle est due.",
        "en": "You opened the water yourself, for a limited time and a limited number of litres; it is owed.",
    },
    reason_codes.AMNESTY: {
        "fr": "Le crédit est épuisé ; l’eau est ouverte à tous pour un temps, dans la limite des litres annoncés.",
        "en": "Credit is used up; water is on for everyone for a time, within the litres announced.",
    },
    reason_codes.BATTERY_KEPT: {
        "fr": "La pile du compteur est presque vide : l’eau reste ouverte. Prévenez votre service des eaux.",
        "en": "The meter's battery is almost empty: water stays on. Please tell your water utility.",
    },
    reason_codes.ORDERED_OPEN: {
        "fr": "Le crédit est épuisé ; votre service des eaux a ouvert l’eau pour un temps limité.",
        "en": "Credit is used up; your water utility has turned the water on for a limited time.",
    },
    reason_codes.HOLIDAY: {
        "fr": "Le crédit est épuisé, mais l’eau reste ouverte pendant ce jour férié ; elle est due.",
        "en": "Credit is used up, but water stays on during this public holiday; it is owed.",
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
    reason_codes.ORDERED_CLOSED: {
        "fr": "L’eau est fermée par votre service des eaux, pour un temps limité : appelez-le pour savoir pourquoi.",
        "en": "Water is turned off by your water utility, for a limited time: call them to know why.",
    },
    reason_codes.TAMPER_CLOSED: {
        "fr": "L’eau est fermée : le compteur signale une manipulation. Appelez votre service des eaux.",
        "en": "Water is off: the meter reports that it was tampered with. Call your water utility.",
    },
    reason_codes.BATTERY_CLOSED: {
        "fr": "L’eau est fermée : la pile du compteur est vide. Appelez votre service des eaux.",
        "en": "Water is off: the meter's battery is empty. Call your water utility.",
    },
    reason_codes.LIFELINE_PAUSE: {
        "fr": "L’eau vitale fait une pause et revient bientôt. Un paiement la rouvre tout de suite.",
        "en": "Lifeline water is pausing and comes back soon. A payment opens it at once.",
    },
    reason_codes.REOPENING: {
        "fr": "L’eau vitale du jour arrive : la vanne s’ouvre bientôt. Un paiement la rouvre tout de suite.",
        "en": "Today's lifeline water is coming: the valve opens shortly. A payment opens it at once.",
    },
}


def sentence(code: int, language: str) -> str:
    """The sentence for a reason number in "fr" or "en"; KeyError for a number or language we do not speak."""
    return SENTENCES[code][language]
