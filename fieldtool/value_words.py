"""What a step measured, was told, or failed by, in a person's words and units; a record keeps names and integers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from .outcome import Outcome
from .position import degrees_text
from .steps.grace import money_text
from .steps.volume_test import litres_text, percent_text
from .texts import LANGUAGES, Texts, sentence

VALUES: Texts = {
    "serial": ("serial number {told}", "numéro de série {told}"),
    "plate_ml": ("{told} L per pulse on the plate", "{told} L par impulsion sur la plaque"),
    "litres_per_pulse": ("{told} L per pulse", "{told} L par impulsion"),
    "meter_id": ("meter {told}", "compteur {told}"),
    "travel_ms": ("{told} ms from end to end", "{told} ms d’une butée à l’autre"),
    "bucket_ml": ("bucket {told} L", "seau {told} L"),
    "counted_ml": ("counted {told} L", "compté {told} L"),
    "error_permille": ("{told} %", "{told} %"),
    "fits_ml": ("{told} L per pulse would fit", "{told} L par impulsion conviendraient"),
    "ml_per_h": ("{told} mL an hour", "{told} mL par heure"),
    "minutes": ("in {told} min", "en {told} min"),
    "bearer": ("over {told}", "par {told}"),
    "margin_db": ("margin {told} dB", "marge {told} dB"),
    "number": ("seal {told}", "scellé {told}"),
    "lat_e6": ("latitude {told}", "latitude {told}"),
    "lon_e6": ("longitude {told}", "longitude {told}"),
    "accuracy_m": ("± {told} m", "± {told} m"),
    "name": ("{told}", "{told}"),
    "mills": ("{told}", "{told}"),
    "volume_l": ("index {told} L", "index {told} L"),
    "spent_mills": ("{told} spent", "{told} dépensés"),
    "collected_mills": ("{told} collected for debt", "{told} recouvrés sur dette"),
    "at": ("{told}", "{told}"),
}
# Said by the step itself already, or by its outcome.
_UNSAID = ("ok", "dripping", "valve")
_NOTHING = (("accuracy_m", 0), ("at", 0), ("margin_db", "carried by hand"))

REASONS: Texts = {
    "plate_differs": ("the plate says another weight than the office", "la plaque dit un autre poids que le bureau"),
    "arrow": ("the arrow is against the flow", "la flèche est contre l’écoulement"),
    "strainer": ("the strainer", "le filtre"),
    "check_valve": ("no check valve", "pas de clapet anti-retour"),
    "dry": ("a joint is wet", "un raccord est mouillé"),
    "not_there": ("the end is not reached", "la butée n’est pas atteinte"),
    "travel": ("it takes too long, or no time", "la course est trop longue, ou nulle"),
    "no_water": ("the valve does not open", "la vanne ne s’ouvre pas"),
    "not_closed": ("the valve does not close", "la vanne ne se ferme pas"),
    "wrong_weight": ("the wrong pulse weight", "un faux poids d’impulsion"),
    "no_pulses": ("nothing was counted", "rien n’a été compté"),
    "too_coarse": ("more water is needed", "il faut plus d’eau"),
    "too_little": ("more water is needed", "il faut plus d’eau"),
    "off": ("bucket and meter differ", "seau et compteur diffèrent"),
    "runs": ("water runs", "l’eau coule"),
    "drips": ("it drips", "elle goutte"),
    "low": ("too low", "trop peu"),
    "no_network": ("no network: carried by hand", "sans réseau : porté à la main"),
    "refuses": ("the customer does not agree", "le client n’est pas d’accord"),
    "not_yet": ("not heard yet", "pas encore entendue"),
    "post_check": ("looked at once more, it is not so", "relu aussitôt, ce n’est pas le cas"),
    "meter_clock_unsure": ("the meter is not sure of its time", "le compteur n’est pas sûr de son heure"),
    "meter_not_now": ("the meter may not now", "le compteur ne le peut pas maintenant"),
}


def words(result: Outcome, lang: str, job: dict[str, Any]) -> str:
    """One line, "" when the outcome says all. A reason that a person typed stands as it was typed."""

    def money(mills: int) -> str:
        return money_text(mills, str(job.get("currency") or ""), int(job.get("exponent") or 0)).strip()

    said = []
    for name, value in result.values.items():
        if name in _UNSAID or (name, value) in _NOTHING:
            continue
        said.append(
            sentence(VALUES, name, lang, told=_told(name, value, lang, money)) if name in VALUES else str(value)
        )
    if result.reason:
        said.append(REASONS[result.reason][LANGUAGES.index(lang)] if result.reason in REASONS else result.reason)
    return ", ".join(said)


def _told(name: str, value: int | str, lang: str, money: Callable[[int], str]) -> str:
    if not isinstance(value, int):
        return value
    if name in ("lat_e6", "lon_e6"):
        return degrees_text(value)
    if name in ("plate_ml", "bucket_ml", "counted_ml", "fits_ml"):
        text = litres_text(value)
    elif name == "error_permille":
        text = percent_text(value)
    elif name == "at":
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(value))
    elif name.endswith("mills"):
        text = money(value)
    else:
        return str(value)
    return text.replace(".", ",") if lang == "fr" else text
