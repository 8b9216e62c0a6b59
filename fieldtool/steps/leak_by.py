"""The closed valve holds: no pulse in some minutes with a tap open behind it, and no drop at the tap (M08).

A pulse may be a litre: minutes of counting see a gushing seat only, and the eye at the tap the drop. Both are asked.
"""

from __future__ import annotations

from protocol.wire.messages import VALVE_CLOSED

from ..hands import Hands
from ..meter import ORDER_CLOSE
from ..outcome import FAILED, PASSED, Outcome
from ..step import Question, Step, whole, yes_no
from ..texts import Texts

MINUTES_MAX = 12  # the technician's order ends after a quarter of an hour
POLL_S = 10

TEXTS: Texts = {
    "title": ("The closed valve holds", "La vanne fermée tient"),
    "do": (
        "The valve is closed. Open the lowest tap behind it, let the pipe run empty, and put a dry cloth under it.",
        "La vanne est fermée. Ouvrez le robinet le plus bas après elle, laissez vider, et posez un linge sec dessous.",
    ),
    "good": ("Good: no pulse, and the cloth stays dry.", "Bon : aucune impulsion, et le linge reste sec."),
    "fail": (
        "Rinse: open and close the valve twice with the tap open, and repeat. A valve that still drips goes back.",
        "Rincez : ouvrez et fermez deux fois la vanne, robinet ouvert, refaites. Si elle goutte encore, elle repart.",
    ),
    "closing": ("The valve closes …", "La vanne se ferme …"),
    "tap_open": ("Is the tap open, and has it stopped running?", "Le robinet est-il ouvert, et ne coule-t-il plus ?"),
    "minutes": ("How many minutes to wait? 2 is usual:", "Combien de minutes attendre ? 2 d’ordinaire :"),
    "waiting": ("Waiting {minutes} min …", "Attente de {minutes} min …"),
    "dripping": (
        "Does water still drip from the tap?",
        "De l’eau goutte-t-elle encore du robinet ?",
    ),
    "not_closed": ("The valve does not close.", "La vanne ne se ferme pas."),
    "runs": ("{ml_per_h} mL an hour run through.", "{ml_per_h} mL par heure passent."),
    "drips": ("It drips.", "Elle goutte."),
}


def _run(hands: Hands) -> Outcome:
    limits: dict[str, int | str] = {"ml_per_h_max": 0, "dripping": "no"}
    if hands.meter.read()["valve"] != VALVE_CLOSED:
        hands.say("closing")
    before = hands.meter.drive(ORDER_CLOSE)
    if before["valve"] != VALVE_CLOSED:
        return Outcome(FAILED, {}, limits, "not_closed")
    while not hands.ask("tap_open"):
        pass
    minutes: int = hands.ask("minutes")
    hands.meter.drive(ORDER_CLOSE)  # a fresh quarter of an hour
    first = int(hands.meter.read()["pulses"])
    hands.say("waiting", minutes=minutes)
    until = hands.clock.now() + 60 * minutes
    while (left := until - hands.clock.now()) > 0:
        hands.clock.sleep(min(left, POLL_S))
        hands.meter.read()  # keeps the session, and with it the order
    counted_ml = (int(hands.meter.read()["pulses"]) - first) * int(before["pulse_ml"])
    dripping = hands.ask("dripping")
    values: dict[str, int | str] = {
        "ml_per_h": counted_ml * 60 // minutes,
        "minutes": minutes,
        "dripping": "yes" if dripping else "no",
    }
    if counted_ml:
        hands.say("runs", ml_per_h=values["ml_per_h"])
        return Outcome(FAILED, values, limits, "runs")
    if dripping:
        return Outcome(FAILED, values, limits, "drips")
    return Outcome(PASSED, values, limits)


STEP = Step(
    "leak_by",
    TEXTS,
    _run,
    (
        Question("tap_open", yes_no, confirms=True),
        Question("minutes", whole(1, MINUTES_MAX)),
        Question("dripping", yes_no),
    ),
    waivable=lambda outcome: outcome is None,
)
