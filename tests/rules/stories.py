"""The words in which the policy's scenarios are told: a home somewhere, what happens to it, and what its valve does.

Each step is done to a Home; the last one that decides is the story's end. Times are local to the story's place.
"""

from collections.abc import Callable
from typing import NamedTuple

from protocol.rules import reason_codes as why
from protocol.rules.calendar import Offsets, slot_of
from protocol.rules.decision import Decision, Order
from protocol.rules.policy import Policy
from tests.rules.homes import Home, unix_s
from tests.rules.packs import NIAMEY

Step = Callable[[Home], Decision | None]

OPEN, CLOSED = True, False
NOT_BY_TIME = ""  # no time ends it


class Story(NamedTuple):
    rule: str
    what: str
    policy: Policy
    steps: tuple[Step, ...]
    is_open: bool
    reason: int
    until: str = NOT_BY_TIME
    offsets: Offsets = NIAMEY
    jitter16: int = 0


def told(story: Story) -> Decision:
    """What the valve does at the end of the story."""
    home = Home(story.policy, 0, story.offsets, story.jitter16)
    decisions = [decision for step in story.steps if (decision := step(home)) is not None]
    return decisions[-1]


def at(when: str, balance_mills: int | None = None) -> Step:
    """The meter decides, at this balance if one is given."""
    return lambda home: home.at(when, balance_mills)


def hourly(begin: str, end: str) -> Step:
    """Hours pass, a decision each; the end itself is not decided."""

    def step(home: Home) -> None:
        for now_s in range(unix_s(begin, home.offsets), unix_s(end, home.offsets), 3_600):
            home.at_unix(now_s)

    return step


def flow(litres: int) -> Step:
    return lambda home: home.draw(litres)


def fire(when: str) -> Step:
    """The customer presses for water in an emergency of his own."""
    return lambda home: home.fire(when)


def order_open(until: str, litres: int) -> Step:
    return lambda home: _set(home, order=Order(True, unix_s(until, home.offsets), litres))


def order_closed(until: str) -> Step:
    return lambda home: _set(home, order=Order(False, unix_s(until, home.offsets), 0))


def policy(changed: Policy) -> Step:
    """Another policy comes into force."""
    return lambda home: _set(home, policy=changed)


def meter(**changes: object) -> Step:
    """sure, opened, tampered, battery_critical, valve_open."""
    return lambda home: _set(home, **changes)


def slot(when: str, offsets: Offsets = NIAMEY) -> int:
    return slot_of(unix_s(when, offsets))


def _set(home: Home, **changes: object) -> None:
    for name, value in changes.items():
        assert hasattr(home, name), name
        setattr(home, name, value)


# What the customer reads, by the reason, in French and in English.
READS = {
    why.CREDIT: (
        "L’eau est ouverte : il reste du crédit.",
        "Water is on: there is credit left.",
    ),
    why.EMERGENCY: (
        "L’eau est ouverte sur le crédit de secours ; il sera repris sur le prochain paiement.",
        "Water is on, on emergency credit; the next payment pays it back first.",
    ),
    why.FRIENDLY_HOURS: (
        "Le crédit est épuisé, mais l’eau reste ouverte pendant les heures protégées ; elle est due.",
        "Credit is used up, but water stays on during friendly hours; it is owed.",
    ),
    why.FRIENDLY_ENDING: (
        "Les heures protégées sont finies : l’eau va bientôt se fermer, payez pour la garder.",
        "Friendly hours are over: water will close soon, pay to keep it on.",
    ),
    why.LIFELINE: (
        "Le crédit est épuisé ; l’eau vitale du jour coule encore.",
        "Credit is used up; today's lifeline water still flows.",
    ),
    why.NEVER_CLOSE: (
        "Le crédit est épuisé ; l’eau n’est jamais coupée à cette adresse.",
        "Credit is used up; water is never cut at this address.",
    ),
    why.INSTALLATION: (
        "Compteur neuf : l’eau est ouverte en attendant l’ouverture du compte.",
        "New meter: water is on until the account is opened.",
    ),
    why.VULNERABLE: (
        "Le crédit est épuisé ; l’eau de ce foyer protégé reste ouverte jusqu’au réexamen de son dossier.",
        "Credit is used up; water stays on for this protected home until its file is reviewed.",
    ),
    why.FIRE: (
        "Vous avez ouvert l’eau vous-même, pour une durée et des litres limités ; elle est due.",
        "You opened the water yourself, for a limited time and a limited number of litres; it is owed.",
    ),
    why.AMNESTY: (
        "Le crédit est épuisé ; l’eau est ouverte à tous pour un temps, dans la limite des litres annoncés.",
        "Credit is used up; water is on for everyone for a time, within the litres announced.",
    ),
    why.BATTERY_KEPT: (
        "La pile du compteur est presque vide : l’eau reste ouverte. Prévenez votre service des eaux.",
        "The meter's battery is almost empty: water stays on. Please tell your water utility.",
    ),
    why.ORDERED_OPEN: (
        "Le crédit est épuisé ; votre service des eaux a ouvert l’eau pour un temps limité.",
        "Credit is used up; your water utility has turned the water on for a limited time.",
    ),
    why.HOLIDAY: (
        "Le crédit est épuisé, mais l’eau reste ouverte pendant ce jour férié ; elle est due.",
        "Credit is used up, but water stays on during this public holiday; it is owed.",
    ),
    why.NO_CREDIT: (
        "L’eau est fermée : le crédit est épuisé. Un paiement la rouvre.",
        "Water is off: credit is used up. A payment opens it again.",
    ),
    why.LIFELINE_USED: (
        "L’eau est fermée : le crédit et l’eau vitale du jour sont épuisés. Un paiement la rouvre, ou minuit.",
        "Water is off: credit and today's lifeline water are used up. A payment opens it again, or midnight.",
    ),
    why.FRIENDLY_USED: (
        "L’eau est fermée : les litres des heures protégées sont épuisés. Un paiement la rouvre.",
        "Water is off: the litres of these friendly hours are used up. A payment opens it again.",
    ),
    why.UNSURE_LIMIT: (
        "L’eau est fermée : le crédit est épuisé et l’horloge du compteur n’est pas sûre. Un paiement la rouvre.",
        "Water is off: credit is used up and the meter's clock is unsure. A payment opens it again.",
    ),
    why.ORDERED_CLOSED: (
        "L’eau est fermée par votre service des eaux, pour un temps limité : appelez-le pour savoir pourquoi.",
        "Water is turned off by your water utility, for a limited time: call them to know why.",
    ),
    why.TAMPER_CLOSED: (
        "L’eau est fermée : le compteur signale une manipulation. Appelez votre service des eaux.",
        "Water is off: the meter reports that it was tampered with. Call your water utility.",
    ),
    why.BATTERY_CLOSED: (
        "L’eau est fermée : la pile du compteur est vide. Appelez votre service des eaux.",
        "Water is off: the meter's battery is empty. Call your water utility.",
    ),
    why.LIFELINE_PAUSE: (
        "L’eau vitale fait une pause et revient bientôt. Un paiement la rouvre tout de suite.",
        "Lifeline water is pausing and comes back soon. A payment opens it at once.",
    ),
    why.REOPENING: (
        "L’eau vitale du jour arrive : la vanne s’ouvre bientôt. Un paiement la rouvre tout de suite.",
        "Today's lifeline water is coming: the valve opens shortly. A payment opens it at once.",
    ),
}
