"""The known-volume test at the tap: a measured bucket against the pulses counted meanwhile (M01)."""

from __future__ import annotations

from protocol.wire.messages import VALVE_OPEN

from .. import volume_test
from ..hands import Hands
from ..meter import ORDER_OPEN
from ..outcome import FAILED, PASSED, Outcome
from ..step import Question, Step, Wrong, thousandths, yes_no
from ..texts import Texts

QUIET_S = 10  # so long without a pulse: whoever draws has closed the tap
STILL_S = 3  # so long, where a person says that the tap is closed
DRAW_S_MAX = 900
POLL_S = 1

TEXTS: Texts = {
    "title": ("Known volume: litres against a bucket", "Volume connu : des litres contre un seau"),
    "do": (
        "Take a bucket with a scale and a tap behind the meter; no other tap may run until the step is over.",
        "Prenez un seau gradué et un robinet après le compteur ; aucun autre robinet ne doit couler pendant l’étape.",
    ),
    "good": ("Good: the meter counts the bucket within 5 %.", "Bon : le compteur compte le seau à 5 % près."),
    "fail": (
        "Close every other tap, let air out of the pipe, read the bucket at eye level, and repeat.",
        "Fermez les autres robinets, purgez l’air, lisez le seau à hauteur des yeux, et refaites.",
    ),
    "opening": ("The valve opens …", "La vanne s’ouvre …"),
    "draw": (
        "Now fill the bucket: {litres} L, not less than {least} L. Then close the tap.",
        "Maintenant remplissez le seau : {litres} L, pas moins de {least} L. Puis fermez le robinet.",
    ),
    "drawn": ("Is the tap closed again?", "Le robinet est-il refermé ?"),
    "counting": ("The meter counts; waiting until the water stops …", "Le compteur compte ; attente de l’arrêt …"),
    "litres": ("Litres in the bucket (such as 10 or 9.85):", "Litres dans le seau (par exemple 10 ou 9,85) :"),
    "wrong_bucket": ("Between 0.1 and {most} litres.", "Entre 0,1 et {most} litres."),
    "result": (
        "Bucket {bucket} L, counted {counted} L: {error} %.",
        "Seau {bucket} L, compté {counted} L : {error} %.",
    ),
    "no_water": ("The valve does not open.", "La vanne ne s’ouvre pas."),
    "wrong_weight": (
        "One pulse of this meter is {fits} L; it is set to {set} L. Bills would be {times} times wrong: do not leave it"
        " in service. The office retires it and makes a job with {fits} L per pulse.",
        "Une impulsion de ce compteur vaut {fits} L ; il est réglé à {set} L. Les factures seraient {times} fois"
        " fausses : ne le laissez pas en service. Le bureau le retire et refait l’intervention à {fits} L"
        " par impulsion.",
    ),
    "no_pulses": (
        "The meter counted nothing: is the arrow with the flow, the sensor plugged in, the water behind this meter?",
        "Le compteur n’a rien compté : la flèche suit-elle l’écoulement, le capteur est-il branché, l’eau passe-t-elle"
        " par ce compteur ?",
    ),
    "too_coarse": (
        "Within one pulse of right, which this bucket cannot tell from wrong: repeat with more water.",
        "Juste à une impulsion près, ce que ce seau ne peut pas trancher : refaites avec plus d’eau.",
    ),
    "too_little": (
        "Too little water to judge by: repeat with {litres} L.",
        "Trop peu d’eau pour en juger : refaites avec {litres} L.",
    ),
    "off": (
        "No pulse weight explains this: another tap ran, the bucket was misread, or the meter is broken.",
        "Aucun poids d’impulsion ne l’explique : un autre robinet coulait, le seau est mal lu, ou le compteur est en"
        " panne.",
    ),
}


def litres_text(volume_ml: int) -> str:
    """9850 is "9.85"."""
    whole, rest = divmod(volume_ml, 1000)
    return f"{whole}.{rest:03}".rstrip("0").rstrip(".")


def percent_text(permille: int) -> str:
    """-12 is "-1.2"."""
    return f"{'-' if permille < 0 else '+' if permille else ''}{abs(permille) // 10}.{abs(permille) % 10}"


def _bucket_ml(text: str) -> int:
    told = thousandths(text)
    if not 100 <= told <= volume_test.BUCKET_ML_MAX:
        raise Wrong("wrong_bucket", most=volume_test.BUCKET_ML_MAX // 1000)
    return told


def _run(hands: Hands) -> Outcome:
    before = hands.meter.read()
    pulse_ml = int(before["pulse_ml"])
    if before["valve"] != VALVE_OPEN:
        hands.say("opening")
    before = hands.meter.drive(ORDER_OPEN)
    limits = {"error_permille_max": volume_test.TOLERANCE_PERMILLE, "pulse_ml": pulse_ml}
    if before["valve"] != VALVE_OPEN:
        return Outcome(FAILED, {}, limits, "no_water")
    advised = litres_text(volume_test.bucket_ml_advised(pulse_ml))
    hands.say("draw", litres=advised, least=litres_text(volume_test.bucket_ml_min(pulse_ml)))
    pulses = _drawn(hands, int(before["pulses"])) - int(before["pulses"])
    bucket_ml: int = hands.ask("litres")
    verdict = volume_test.judge(bucket_ml, pulses, pulse_ml)
    values = {
        "bucket_ml": bucket_ml,
        "counted_ml": verdict.counted_ml,
        "error_permille": verdict.error_permille,
    }
    hands.say(
        "result",
        bucket=litres_text(bucket_ml),
        counted=litres_text(verdict.counted_ml),
        error=percent_text(verdict.error_permille),
    )
    if verdict.code == volume_test.PASSED:
        return Outcome(PASSED, values, limits)
    fits = litres_text(verdict.fits_ml or 0)
    hands.say(
        verdict.code, litres=advised, fits=fits, set=litres_text(pulse_ml), times=_times(verdict.fits_ml, pulse_ml)
    )
    if verdict.fits_ml is not None:
        values["fits_ml"] = verdict.fits_ml
    return Outcome(FAILED, values, limits, verdict.code)


def _times(fits_ml: int | None, pulse_ml: int) -> int:
    """How wrong bills would be."""
    return max(fits_ml, pulse_ml) // min(fits_ml, pulse_ml) if fits_ml else 1


def _drawn(hands: Hands, first: int) -> int:
    """The pulses when the bucket is full and the water stands. A person says that the tap is closed, perhaps while the
    last litre still comes; for a script, a while without a pulse says so."""
    quiet_s = QUIET_S
    if hands.voice.is_person:
        while not hands.ask("drawn"):
            pass
        first, quiet_s = -1, STILL_S  # no pulse at all is an answer too
    hands.say("counting")
    started = last_s = hands.clock.now()
    pulses = first
    while True:
        now_pulses, now = int(hands.meter.read()["pulses"]), hands.clock.now()
        if now_pulses != pulses:
            pulses, last_s = now_pulses, now
        if (pulses != first and now - last_s >= quiet_s) or now - started >= DRAW_S_MAX:
            return pulses
        hands.clock.sleep(POLL_S)


def _waivable(outcome: Outcome | None) -> bool:
    """No water in the street is a reason; a count that is wrong is none."""
    return outcome is None or outcome.reason in (volume_test.TOO_COARSE, volume_test.TOO_LITTLE, "no_water")


STEP = Step(
    "volume_test",
    TEXTS,
    _run,
    (Question("drawn", yes_no), Question("litres", _bucket_ml)),
    waivable=_waivable,
)
