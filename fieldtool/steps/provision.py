"""The box becomes the meter: it takes its identity by cable, once. A box that is this meter already keeps it.

The key is never read back: that it arrived is proven by the grant, whose key follows from it. Two boxes with one
identity would use the same frame counters under the same keys; so once a box may have it, no other blank box gets it.
"""

from __future__ import annotations

from .. import identity
from ..hands import Hands
from ..outcome import PASSED, Outcome
from ..refusals import Refusal
from ..step import Question, Step, yes_no
from ..texts import Texts

TEXTS: Texts = {
    "title": ("Give the box its identity", "Donner à la boîte son identité"),
    "do": (
        "Leave the cable where it is. The box becomes meter {meter_id} of customer {customer_number}.",
        "Laissez le câble en place. La boîte devient le compteur {meter_id} du client {customer_number}.",
    ),
    "good": (
        "Good: the meter starts again and knows its own key.",
        "Bon : le compteur redémarre et connaît sa propre clé.",
    ),
    "fail": (
        "Give the same command again. If the meter knows another key, call the office.",
        "Redonnez la même commande. Si le compteur connaît une autre clé, appelez le bureau.",
    ),
    "same_box": (
        "This was begun before and the box is blank. Is it the same box, serial number {serial}?",
        "Ceci avait commencé et la boîte est vierge. Est-ce la même, numéro de série {serial} ?",
    ),
    "writing": ("Writing the identity …", "Écriture de l’identité …"),
    "already": ("The box is this meter already; nothing is written.", "C’est déjà ce compteur ; rien n’est écrit."),
}


def _run(hands: Hands) -> Outcome:
    if hands.meter.is_blank():
        _write(hands)
    else:
        hands.say("already")
    reading = hands.meter.read()
    hands.journal.note(acked_slot=int(reading["acked_slot"]), **hands.meter.make())
    return Outcome(PASSED, {"meter_id": hands.meter.meter_id})


def _write(hands: Hands) -> None:
    hands.meter.require_grant()
    begun = hands.journal.facts.get("provision_begun")
    serial = next(step.result.values["serial"] for step in hands.journal.steps if step.name == "identify")
    if begun is not None and not hands.ask("same_box", serial=serial):
        raise Refusal("box_exchanged", meter_id=hands.meter.meter_id)
    try:
        identity_bytes = identity.encode(hands.order.identity, hands.order.installation_grace_mills)
    except identity.AnswerRefused as refused:
        raise Refusal("identity_incomplete", field=refused.args[0], job_id=hands.order.job_id) from None
    hands.journal.note(provision_begun=1)
    hands.say("writing")
    hands.meter.provision(identity_bytes)


def _check(hands: Hands, _outcome: Outcome) -> bool:
    """The meter counts with the job's pulse weight, under a grant that only its key opens."""
    return bool(hands.meter.read()["pulse_ml"] == 1000 * int(hands.order.job["litres_per_pulse"]))


STEP = Step("provision", TEXTS, _run, (Question("same_box", yes_no, confirms=True),), _check)
