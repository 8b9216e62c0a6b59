"""The story's sentences in English and French: one key, two texts, the same named facts.

`why` texts say the cause. Nothing here decides anything.
"""

from __future__ import annotations

import os

LANGUAGES = ("en", "fr")

SENTENCES: dict[str, tuple[str, str]] = {
    "page": ("The live page: {address}", "La page en direct : {address}"),
    "world": (
        "{homes}, {days} from Monday 30 March 2026, seed {seed}; prices of Niger: {price} mills a litre"
        " ({price} F CFA a cubic metre).",
        "{homes}, {days} à partir du lundi 30 mars 2026, graine {seed} ; tarif du Niger :"
        " {price} millièmes le litre ({price} F CFA le mètre cube).",
    ),
    "one_home": ("{n} home", "{n} foyer"),
    "homes": ("{n} homes", "{n} foyers"),
    "one_day": ("{n} day", "{n} jour"),
    "days": ("{n} days", "{n} jours"),
    "left_out": ("Not in this world: {event} ({why}).", "Pas dans ce monde : {event} ({why})."),
    "needs_two_days": ("it needs two days", "il faut deux jours"),
    "needs_second_home": ("it needs a second home", "il faut un second foyer"),
    "event_tariff": ("a tariff change while a meter is unreachable", "un changement de tarif, un compteur injoignable"),
    "event_leak": ("a leak", "une fuite"),
    "event_friendly_night": ("a night of friendly hours", "une nuit d’heures protégées"),
    "moves_in": (
        "meter switched on; {amount} F CFA paid to begin with",
        "compteur mis en service ; {amount} F CFA payés pour commencer",
    ),
    "low_credit": (
        "the lamp lights: credit is low, {balance} F CFA left",
        "le voyant s’allume : crédit bas, reste {balance} F CFA",
    ),
    "dry_friendly": (
        "the credit is used up, and the tap stays open till {until}: friendly hours never close a valve",
        "le crédit est épuisé, et le robinet reste ouvert jusqu’à {until} : pas de coupure aux heures protégées",
    ),
    "button": (
        "the payer presses the button: the meter asks whether there is news",
        "le payeur appuie sur le bouton : le compteur demande s’il y a du nouveau",
    ),
    "closes": ("the valve closes: {why}", "la vanne se ferme : {why}"),
    "opens": ("the valve opens: {why}", "la vanne s’ouvre : {why}"),
    "opens_paid": (
        "water again, {seconds} s after the payment: {why}",
        "l’eau est revenue, {seconds} s après le paiement : {why}",
    ),
    "pays": (
        "{amount} F CFA paid from a phone, credited at once: {why}",
        "{amount} F CFA payés par téléphone, crédités aussitôt : {why}",
    ),
    "callback_again": (
        "the operator tells of payment {transaction} for the {nth} time: answered “{answer}”, nothing credited twice",
        "l’opérateur annonce le paiement {transaction} pour la {nth} fois : réponse « {answer} »,"
        " rien n’est crédité deux fois",
    ),
    "second": ("second", "deuxième"),
    "third": ("third", "troisième"),
    "why_dry": ("the tap is dry", "le robinet est à sec"),
    "why_lamp": ("the lamp is on", "le voyant est allumé"),
    "why_ahead": ("a habit of paying ahead", "une habitude d’avance"),
    "meter_killed": (
        "the meter loses its power in the middle of a flash write",
        "le compteur perd son alimentation au milieu d’une écriture en flash",
    ),
    "meter_back": (
        "power is back after {minutes} min: the meter finds its last whole record and counts on",
        "le courant revient après {minutes} min : le compteur retrouve son dernier enregistrement entier et continue",
    ),
    "headend_killed": (
        "the headend is killed while it works on an uplink; gateways keep what they hear",
        "la tête de réseau est tuée en plein traitement d’une trame ; les passerelles gardent ce qu’elles entendent",
    ),
    "headend_back": (
        "the headend is back after {minutes} min and takes the {kept} frames kept: nothing acknowledged was lost",
        "de retour après {minutes} min, elle prend les {kept} trames gardées : rien d’acquitté n’a disparu",
    ),
    "leak_begins": (
        "a tap no longer closes: {litres} litres every half-hour, day and night",
        "un robinet ne ferme plus : {litres} litres par demi-heure, jour et nuit",
    ),
    "leak_alarm": (
        "leak alarm from the meter after {hours} h: no half-hour without flow",
        "alerte de fuite du compteur après {hours} h : pas une demi-heure sans débit",
    ),
    "leak_repaired": ("the tap is repaired: the alarm was read", "le robinet est réparé : l’alerte a été lue"),
    "tariff_published": (
        "a new price from {midnight}: {before} → {price} mills a litre, sent to the meters",
        "un nouveau prix dès {midnight} : {before} → {price} millièmes le litre, envoyé aux compteurs",
    ),
    "tariff_begins": ("the new price is in force", "le nouveau prix est en vigueur"),
    "goes_silent": (
        "the meter can no longer be reached: a truck is parked in front of its antenna",
        "le compteur est injoignable : un camion est garé devant son antenne",
    ),
    "heard_again": (
        "the meter can be reached again: the truck has left",
        "le compteur est de nouveau joignable : le camion est parti",
    ),
    "applied_late": (
        "the new price reaches this meter {hours} h late; it never prices a litre twice",
        "le nouveau prix arrive à ce compteur avec {hours} h de retard ; il ne compte jamais un litre deux fois",
    ),
    "corrected_credit": (
        "{mills} mills credited: litres after midnight were priced at the old, higher price (SEMANTICS B5)",
        "{mills} millièmes crédités : des litres d’après minuit ont été comptés à l’ancien prix (SEMANTICS B5)",
    ),
    "corrected_waived": (
        "{mills} mills waived: a rise that reached the meter late is not charged after the fact (SEMANTICS B6)",
        "{mills} millièmes abandonnés : une hausse arrivée en retard n’est pas facturée après coup (SEMANTICS B6)",
    ),
    "drain": (
        "faults and taps stop; the meters report until everything is acknowledged",
        "pannes et robinets s’arrêtent ; les compteurs transmettent jusqu’à ce que tout soit acquitté",
    ),
    "agree": ("meters and books agree: {agreeing}/{meters}", "compteurs et livres concordent : {agreeing}/{meters}"),
    "finding": ("NOT AGREED, home {home}, {check}: {text}", "DÉSACCORD, foyer {home}, {check} : {text}"),
    "ledger": (
        "ledger: {entries} entries, balanced: {balanced}, chain: {chain}",
        "grand livre : {entries} écritures, équilibré : {balanced}, chaîne : {chain}",
    ),
    "summary": (
        "{uplinks} uplinks ({lost} lost), {downlinks} downlinks, {slots} half-hours stored of {expected}; {seconds} s",
        "{uplinks} trames montantes ({lost} perdues), {downlinks} descendantes,"
        " {slots} demi-heures gardées sur {expected} ; {seconds} s",
    ),
    "stays_up": ("The page stays up. Ctrl-C ends the demo.", "La page reste ouverte. Ctrl-C termine la démo."),
    "columns": ("V l|C|D|S|R|balance|valve|slots", "V l|C|D|S|R|solde|vanne|demi-heures"),
    "side_meter": ("meter", "compteur"),
    "side_books": ("books", "livres"),
    "open": ("open", "ouverte"),
    "closed": ("closed", "fermée"),
    "yes": ("yes", "oui"),
    "no": ("NO", "NON"),
    "whole": ("whole", "entière"),
    "broken": ("BROKEN", "ROMPUE"),
    "who_headend": ("headend", "tête de réseau"),
    "who_utility": ("utility", "régie"),
    "who_world": ("town", "ville"),
    "day": ("— day {day} of {days} —", "— jour {day} sur {days} —"),
}

# What the headend puts on its page by itself, from what meters and operators report.
TOLD_BY_THE_HEADEND = frozenset(
    (
        "low_credit",
        "closes",
        "opens",
        "opens_paid",
        "pays",
        "moves_in",
        "callback_again",
        "leak_alarm",
        "tariff_published",
    )
)

# How the page colours a line; everything else is plain.
TONES = {
    "low_credit": "warn",
    "dry_friendly": "warn",
    "closes": "bad",
    "opens": "water",
    "opens_paid": "water",
    "pays": "money",
    "moves_in": "money",
    "callback_again": "money",
    "corrected_credit": "money",
    "corrected_waived": "money",
    "meter_killed": "bad",
    "headend_killed": "bad",
    "leak_alarm": "warn",
    "goes_silent": "warn",
    "finding": "bad",
    "agree": "water",
}


def sentence(key: str, lang: str, **facts: object) -> str:
    """One sentence in one language."""
    return SENTENCES[key][LANGUAGES.index(lang)].format(**facts)


def default_language() -> str:
    """French when the environment asks for French, else English."""
    asked = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    return "fr" if asked.lower().startswith("fr") else "en"
