"""Every sentence of the live page, in French and English, side by side so that neither is forgotten."""

from headend.api.language import ENGLISH, FRENCH
from headend.wording import currency_label as currency_label
from headend.wording import date as date
from headend.wording import money as money
from headend.wording import number as number

# key: (French, English)
_TEXTS = {
    "title": ("l’eau prépayée, en direct", "prepaid water, live"),
    "lead": (
        "Chaque litre et chaque franc est compté deux fois : sur le compteur et dans les livres.",
        "Every litre and every franc is counted twice: on the meter and in the books.",
    ),
    "simulated": ("temps simulé", "simulated time"),
    "language": ("Langue", "Language"),
    "totals": ("L’essentiel", "At a glance"),
    "homes": ("Foyers", "Homes"),
    "no_homes": ("Aucun compteur n’est encore enregistré.", "No meter is registered yet."),
    "story": ("Ce qui se passe", "What happens"),
    "no_story": ("Rien encore. Les événements s’inscrivent ici.", "Nothing yet. Events appear here."),
    "with_water": ("Foyers avec eau", "Homes with water"),
    "credit_held": ("Crédit des foyers", "Credit of the homes"),
    "litres_today": ("Litres aujourd’hui", "Litres today"),
    "paid_today": ("Payé aujourd’hui", "Paid today"),
    "books": ("Livres", "Books"),
    "entry": ("écriture", "entry"),
    "entries": ("écritures", "entries"),
    "balanced": ("équilibrés", "balanced"),
    "not_balanced": ("déséquilibrés", "out of balance"),
    "chain_ok": ("chaîne intacte", "chain intact"),
    "chain_broken": ("chaîne rompue", "chain broken"),
    "agree": ("compteurs et livres d’accord :", "meters and books agree:"),
    "not_checked": ("pas encore contrôlés", "not checked yet"),
    "of": ("sur", "of"),
    "balance": ("Solde", "Balance"),
    "today": ("Aujourd’hui", "Today"),
    "seen": ("Vu", "Seen"),
    "never": ("jamais", "never"),
    "tariff": ("Tarif", "Tariff"),
    "number_n": ("n°\u00a0{n}", "no.\u00a0{n}"),
    "per_half_hour": (
        "Litres par demi-heure, 24 dernières heures ; aujourd’hui :",
        "Litres per half-hour, last 24 hours; today:",
    ),
    "gap": ("sans relevé :", "no reading:"),
    "low_credit": ("crédit faible", "low credit"),
    "on_its_way": ("crédit en route", "credit on its way"),
    "disagrees": ("écart avec les livres", "differs from the books"),
    "footer": (
        "Page du serveur Guelta, lisible sur place seulement tant que la connexion des exploitants n’existe pas. "
        "Sans JavaScript, elle se recharge toutes les 15 secondes.",
        "A page of the Guelta headend, served on this machine only until operators can sign in. "
        "Without JavaScript it reloads every 15 seconds.",
    ),
    "api": ("Interface (OpenAPI)", "Interface (OpenAPI)"),
    "lost_contact": ("Connexion perdue, nouvel essai…", "Connection lost, trying again…"),
    "valve_open": ("Ouverte", "Open"),
    "valve_closed": ("Fermée", "Closed"),
    "valve_moving": ("En mouvement", "Moving"),
    "valve_fault": ("En panne", "Fault"),
    "valve_unknown": ("Inconnue", "Unknown"),
    "no_news": ("Pas encore de nouvelles de ce compteur.", "No news from this meter yet."),
    "why_open": ("L’eau reste ouverte bien que le crédit soit épuisé.", "Water stays on although credit is used up."),
    "why_closed": ("L’eau est fermée.", "Water is off."),
    "why_moving": ("La vanne est en train de bouger.", "The valve is moving."),
    "why_fault": (
        "La vanne n’obéit plus : un technicien doit passer.",
        "The valve does not obey: a technician is needed.",
    ),
    "alarm_flash_lost": ("mémoire en panne : ne compte plus", "memory lost: counts no more"),
    "alarm_leak": ("fuite", "leak"),
    "alarm_burst": ("débit anormal", "burst flow"),
    "alarm_tamper": ("fraude ou retour d’eau", "tamper or backflow"),
    "alarm_low_battery": ("pile faible", "low battery"),
    "alarm_clock_unsure": ("heure incertaine", "clock unsure"),
}

_WEEKDAYS = {
    FRENCH: ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
    ENGLISH: ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}
TEXTS = {
    FRENCH: {key: french for key, (french, _) in _TEXTS.items()},
    ENGLISH: {key: english for key, (_, english) in _TEXTS.items()},
}


def unbroken(text: str) -> str:
    """French punctuation kept on the line of its word: "ouverte : il" never breaks before the colon."""
    for mark in ":;?!»":
        text = text.replace(f" {mark}", f"\u00a0{mark}")
    return text.replace("« ", "«\u00a0")


def clock_time(local_unix_s: int) -> str:
    """Seconds of local time since 1970 as "21:05"."""
    minute = local_unix_s // 60 % 1440
    return f"{minute // 60:02d}:{minute % 60:02d}"


def day_and_time(local_unix_s: int, language: str) -> str:
    """Local time as "mer. 21:05"."""
    return f"{weekday(local_unix_s, language)} {clock_time(local_unix_s)}"


def weekday(local_unix_s: int, language: str) -> str:
    """The short name of the local weekday; day 0 of Unix time was a Thursday."""
    return _WEEKDAYS[language][(local_unix_s // 86400 + 3) % 7]
