"""What meters report of themselves, as story lines: valve moves with their reason, alarms and their end."""

from headend.web.facts import MeterEvent
from headend.web.story import BAD, PLAIN, WARN, WATER, Told
from protocol.rules import reasons
from protocol.wire import event_codes as codes

# code: (tone, French, English); {n} is the event's argument, {high} and {low} what is above its low byte, and that.
_LINES = {
    codes.VALVE_STUCK: (BAD, "la vanne est bloquée après {n} essais.", "the valve is stuck after {n} attempts."),
    codes.VALVE_STUCK_OPEN: (
        BAD,
        "de l’eau passe alors que la vanne est fermée : {n} L.",
        "water flows although the valve is closed: {n} L.",
    ),
    codes.VALVE_LEAK_BY: (WARN, "la vanne fermée fuit un peu : {n} L.", "the closed valve lets a little by: {n} L."),
    codes.LEAK: (WARN, "fuite : de l’eau coule sans arrêt depuis 24 h.", "leak: water has not stopped for 24 hours."),
    codes.LEAK_CLEARED: (WATER, "la fuite a cessé.", "the leak has stopped."),
    codes.BURST: (BAD, "débit anormal : {n} L en moins d’une demi-heure.", "burst: {n} L in less than half an hour."),
    codes.BURST_CLEARED: (WATER, "le débit est redevenu normal.", "the flow is normal again."),
    codes.TAMPER: (BAD, "le boîtier a été forcé ou l’eau a reculé.", "the case was forced or water ran backwards."),
    codes.TAMPER_CLEARED: (PLAIN, "le boîtier est de nouveau en ordre.", "the case is in order again."),
    codes.LOW_BATTERY: (WARN, "la pile faiblit : {n} mV.", "the battery is weak: {n} mV."),
    codes.LOW_BATTERY_CLEARED: (PLAIN, "la pile est de nouveau bonne.", "the battery is good again."),
    codes.CLOCK_UNSURE: (WARN, "l’heure du compteur est incertaine.", "the meter's clock is unsure."),
    codes.CLOCK_SET: (
        PLAIN,
        "l’heure du compteur est réglée (écart de {n} s).",
        "the meter's clock is set ({n} s off).",
    ),
    codes.LOW_CREDIT: (WARN, "le crédit devient faible.", "credit is getting low."),
    codes.BLOCKED: (
        WARN,
        "plus de débit depuis {n} demi-heures, vanne ouverte.",
        "no flow for {n} half-hours, valve open.",
    ),
    codes.FLASH_COPY_BAD: (
        WARN,
        "une des deux copies de mémoire était abîmée ; l’autre a servi.",
        "one of two memory copies was damaged; the other one served.",
    ),
    codes.LOG_GENERATION: (
        PLAIN,
        "l’horloge a reculé : nouvelle série de relevés n° {n}.",
        "the clock went back: log no. {n}.",
    ),
    codes.KEYS_CHANGED: (
        PLAIN,
        "le compteur a changé de clés (époque {n}).",
        "the meter changed its keys (epoch {n}).",
    ),
    codes.FLASH_LOST: (
        BAD,
        "le compteur ne lit plus sa mémoire : il ne compte plus et laisse la vanne comme elle est. Remplacez-le.",
        "the meter cannot read its memory: it counts no more and leaves the valve as it stands. Replace it.",
    ),
    codes.CONSOLE_LOCKED: (
        BAD,
        "quelqu’un a essayé la prise de service avec de mauvaises clés, {n} fois.",
        "somebody tried the service port with wrong keys, {n} times.",
    ),
    codes.LEAK_BY_RATE: (
        WARN,
        "la vanne fermée laisse passer {n} mL par heure.",
        "the closed valve lets {n} mL an hour by.",
    ),
    codes.NO_WATER: (
        BAD,
        "vanne ouverte depuis {n} min, pas une goutte, et le client attend : conduite, robinet d’arrêt ou vanne.",
        "valve open for {n} min, not a drop, and the customer waits: pipe, stopcock or valve.",
    ),
    codes.VALVE_EXERCISED: (
        PLAIN,
        "la vanne a fait son exercice contre le tartre (n° {n}).",
        "the valve was exercised against scale (no. {n}).",
    ),
    codes.AIR: (
        WARN,
        "après une coupure, {n} L comptés plus vite que l’eau ne coule : sans doute de l’air, compté et facturé.",
        "after a dry spell, {n} L counted faster than water flows: probably air, counted and charged.",
    ),
    codes.BACKFLOW: (
        BAD,
        "l’eau a reculé : {n} L en une demi-heure.",
        "water ran backwards: {n} L in half an hour.",
    ),
    codes.BATTERY_CRITICAL: (
        BAD,
        "la pile n’a plus que de quoi mouvoir la vanne une fois : {n} mV. Changez-la.",
        "the battery has one move of the valve left: {n} mV. Replace it.",
    ),
    codes.FIRMWARE_CONFIRMED: (
        PLAIN,
        "la mise à jour a fait ses preuves : version {n}.",
        "the update has proved itself: version {n}.",
    ),
    codes.FIRMWARE_REJECTED: (
        WARN,
        "la mise à jour {n} est rejetée ; l’ancienne version tourne à nouveau.",
        "update {n} is rejected; what ran before runs again.",
    ),
    codes.SERVICE: (
        PLAIN,
        "modifié par câble sous l’autorisation n° {high} (rôle {low}).",
        "changed by cable under grant no. {high} (role {low}).",
    ),
}
_VALVE = {
    codes.VALVE_OPENED: (WATER, "la vanne s’ouvre. {reason}", "the valve opens. {reason}"),
    codes.VALVE_CLOSED: (BAD, "la vanne se ferme. {reason}", "the valve closes. {reason}"),
}
_UNKNOWN = (PLAIN, "signale l’événement n° {code} ({n}).", "reports event no. {code} ({n}).")


def told(event: MeterEvent) -> Told:
    """The event as a line in both languages."""
    if event.code in _VALVE:
        tone, french, english = _VALVE[event.code]
        what_fr = french.format(reason=_reason(event.argument, "fr")).rstrip()
        what_en = english.format(reason=_reason(event.argument, "en")).rstrip()
    else:
        tone, french, english = _LINES.get(event.code, _UNKNOWN)
        facts = {"n": event.argument, "code": event.code, "high": event.argument >> 8, "low": event.argument & 0xFF}
        what_fr, what_en = french.format(**facts), english.format(**facts)
    return Told(event.at_unix_s, event.meter_name, event.meter_name, what_fr, what_en, tone)


def _reason(code: int, language: str) -> str:
    return reasons.sentence(code, language) if code in reasons.SENTENCES else ""
