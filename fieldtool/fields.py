"""What a meter's answer to "read" holds, in its order (docs/SPEC.md, Appendix B): name, unit, what people call it.

The order is the meter's; a test holds both tables together. Firmware may answer more or less: what both
know is read.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .refusals import Refusal


class Field(NamedTuple):
    """`unit` is printed behind the value; "mills" is money, "s" an instant, "" a bare number."""

    name: str
    unit: str
    en: str
    fr: str


FIELDS = (
    Field("volume_l", "L", "water counted in all", "eau comptée en tout"),
    Field("credited_mills", "mills", "credited in all", "crédité en tout"),
    Field("debited_mills", "mills", "debited in all", "débité en tout"),
    Field("spent_mills", "mills", "spent on water", "dépensé pour l’eau"),
    Field("collected_mills", "mills", "collected for debt", "recouvré sur dette"),
    Field("remainder", "", "fraction of a mill", "fraction de millième"),
    Field("balance_mills", "mills", "balance", "solde"),
    Field("statement", "", "last statement taken", "dernier relevé pris"),
    Field("log_generation", "", "log generation", "génération du journal"),
    Field("open_slot", "slot", "half-hour under way", "demi-heure en cours"),
    Field("open_litres", "L", "water in it", "eau dans celle-ci"),
    Field("acked_slot", "slot", "acknowledged up to", "acquitté jusqu’à"),
    Field("unix_s", "time", "clock", "horloge"),
    Field("clock_sure", "yes", "sure of its time", "sûr de son heure"),
    Field("opened", "yes", "account opened", "compte ouvert"),
    Field("valve", "valve", "valve", "vanne"),
    Field("reason", "reason", "because", "parce que"),
    Field("low_credit", "yes", "low credit", "crédit bas"),
    Field("alarms", "alarms", "alarms", "alertes"),
    Field("tariff_version", "", "tariff", "tarif"),
    Field("policy_version", "", "valve policy", "politique de vanne"),
    Field("plan_version", "", "debt plan", "plan de dette"),
    Field("instalments", "", "instalments taken", "échéances prises"),
    Field("boot_count", "", "starts", "démarrages"),
    Field("refused_frames", "", "refused frames", "trames refusées"),
    Field("command", "", "last command", "dernière commande"),
    Field("command_outcome", "", "its outcome", "son résultat"),
    Field("report_slots", "half-hours", "reports every", "transmet toutes les"),
    Field("key_epoch", "", "key epoch", "époque des clés"),
    Field("bad_copies", "", "bad copies in its memory", "mauvaises copies en mémoire"),
    Field("safe_mode", "mode", "mode", "mode"),
    Field("interpreter", "", "interpreter", "interpréteur"),
    Field("interpreter_version", "", "its version", "sa version"),
    Field("heap_free_min", "B", "least free memory", "mémoire libre, au moins"),
    Field("flash_operations", "", "flash operations", "opérations de flash"),
    Field("valve_commanded", "valve", "valve wanted", "vanne voulue"),
    Field("valve_inferred", "flow", "what the flow says", "ce que dit l’écoulement"),
    Field("valve_moves", "", "valve moves", "mouvements de vanne"),
    Field("motor_ms", "ms", "motor time in all", "temps de moteur en tout"),
    Field("exercises", "", "exercises against scale", "exercices contre le tartre"),
    Field("leak_by_ml_per_h", "mL/h", "through the closed valve", "à travers la vanne fermée"),
    Field("reverse_l", "L", "water backwards", "eau à rebours"),
    Field("battery_mv", "mV", "battery", "pile"),
    Field("pulse_ml", "mL", "a pulse is", "une impulsion vaut"),
    Field("pulses", "", "pulses counted", "impulsions comptées"),
    Field("volume_ml", "mL", "water below a litre", "eau sous le litre"),
    Field("generation", "", "wallet generation", "génération du portefeuille"),
    Field("grant", "", "highest grant seen", "plus haute autorisation vue"),
    Field("grant_sessions", "", "its visits", "ses visites"),
    Field("tampered", "yes", "tampered with now", "effraction en cours"),
    Field("temperature_c10", "°C/10", "temperature", "température"),
)
NAMES = tuple(field.name for field in FIELDS)


_TEXTS = ("interpreter", "interpreter_version")


class Values(dict[str, Any]):
    """A reading by name. What a meter did not answer is missed only by who needs it."""

    def __missing__(self, name: str) -> Any:
        raise Refusal("nonsense", command="read")


def values_of(answer: list[Any]) -> Values:
    """The answer to "read" by name. Raises Refusal nonsense: a value of another kind than its field's."""
    values = Values(zip(NAMES, answer, strict=False))
    for name, value in values.items():
        if value is not None and not isinstance(value, str if name in _TEXTS else int):
            raise Refusal("nonsense", command="read")
    return values
