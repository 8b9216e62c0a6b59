"""`guelta field test`: a quick check of a meter, each figure against its limit. Writes nothing, needs no job's record.

Every check says what was measured, what is allowed, and what to do. One that fails ends with exit code 5.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import click

from protocol.wire.messages import VALVE_CLOSED, VALVE_MOVING, VALVE_OPEN

from . import exit_codes, reading_text
from .access import Meter, meet
from .fields import values_of
from .texts import Texts
from .verb import Tool, option, verb

HELP = (
    "Check a meter: answers, clock, battery, valve, leak-by, memory. Each figure against its limit; writes nothing.",
    "Vérifier un compteur : réponses, horloge, pile, vanne, fuite à travers la vanne, mémoire. Chaque valeur avec sa"
    " limite ; n’écrit rien.",
)
ANSWER_MS_MAX = 2000
CLOCK_S_MAX = 60
BATTERY_MV_MIN = 3100  # where the meter itself calls its battery good again
LEAK_BY_ML_PER_H_MAX = 1000

TEXTS: Texts = {
    "moves": ("The valve moves; waiting up to {seconds} s.", "La vanne bouge ; on attend {seconds} s au plus."),
    "head": ("Meter {meter_id}", "Compteur {meter_id}"),
    "passed": ("ok  ", "bon "),
    "failed": ("FAIL", "NON "),
    "line": ("{mark}  {name}: {measured} (allowed: {limit})", "{mark}  {name} : {measured} (permis : {limit})"),
    "remedy": ("      → {text}", "      → {text}"),
    "verdict_ok": ("All checks passed.", "Tout est bon."),
    "verdict_bad": ("{count} check(s) failed.", "{count} vérification(s) en échec."),
    "answers": ("answers in", "répond en"),
    "mode": ("mode", "mode"),
    "clock_sure": ("sure of its time", "sûr de son heure"),
    "clock": ("clock beside this laptop's", "horloge à côté de celle du portable"),
    "battery": ("battery", "pile"),
    "valve": ("valve", "vanne"),
    "flow": ("valve and flow", "vanne et écoulement"),
    "leak_by": ("through the closed valve", "à travers la vanne fermée"),
    "bad_copies": ("bad copies in its memory", "mauvaises copies en mémoire"),
    "tampered": ("tampered with", "effraction"),
    "alarms": ("alarms", "alertes"),
    "fix_answers": ("Check the cable; wait until the meter rests.", "Vérifiez le câble ; attendez le repos."),
    "fix_mode": (
        "The meter cannot read its memory: replace it (guelta field swap).",
        "Le compteur ne peut pas lire sa mémoire : remplacez-le (guelta field swap).",
    ),
    "fix_clock_sure": (
        "Let it hear the headend once: press its button, check the radio.",
        "Laissez-le entendre la tête de réseau : appuyez sur son bouton, vérifiez la radio.",
    ),
    "fix_clock": (
        "Check this laptop's clock first; then let the meter hear the headend.",
        "Vérifiez d’abord l’horloge du portable ; puis laissez le compteur entendre la tête de réseau.",
    ),
    "fix_battery": ("Replace the battery.", "Remplacez la pile."),
    "fix_valve": (
        "Look at motor and valve; move it: guelta field commission tries both ways.",
        "Regardez le moteur et la vanne ; guelta field commission l’essaie dans les deux sens.",
    ),
    "fix_flow": (
        "Water passes a closed valve: look for a bypass, clean or replace the valve.",
        "L’eau passe une vanne fermée : cherchez un contournement, nettoyez ou remplacez la vanne.",
    ),
    "fix_leak_by": ("Clean or replace the valve.", "Nettoyez ou remplacez la vanne."),
    "fix_bad_copies": (
        "Its memory loses what is written: plan to replace the meter.",
        "Sa mémoire perd ce qu’on y écrit : prévoyez de remplacer le compteur.",
    ),
    "fix_tampered": ("Look at seal, lid and magnet; then report it.", "Regardez scellé, couvercle, aimant ; signalez."),
    "fix_alarms": ("Read them on site and find the cause.", "Lisez-les sur place et trouvez la cause."),
}


class Check(NamedTuple):
    """One figure: `name` is stable; `measured` and `limit` are as people read them."""

    name: str
    passed: bool
    value: int
    measured: str
    limit: str


_WAIT = (
    "Seconds in which a moving valve must come to stand.",
    "Secondes pendant lesquelles une vanne en mouvement doit s’arrêter.",
)


@verb("test", HELP, TEXTS)
@option("--wait", "wait_s", help=_WAIT, type=click.IntRange(0, 600), default=30, show_default=True)
def test(tool: Tool, wait_s: int) -> None:
    with tool.session() as session:
        meter = meet(session, tool.store)
        began = time.monotonic()
        values = values_of(meter.ask("read"))
        answer_ms = round((time.monotonic() - began) * 1000)
        if values.get("valve") == VALVE_MOVING:
            tool.say("moves", seconds=wait_s)
        while values.get("valve") == VALVE_MOVING and time.monotonic() - began < wait_s:
            time.sleep(min(1, wait_s))
            values = values_of(meter.ask("read"))
    checks = list(_checks(tool, meter, values, answer_ms, int(time.time())))
    failed = [check for check in checks if not check.passed]
    name = "-" if meter.meter_id is None else meter.meter_id.hex()
    document = {
        "meter_id": None if meter.meter_id is None else name,
        "passed": not failed,
        "checks": [check._asdict() for check in checks],
    }
    lines = [tool.text("head", meter_id=name)]
    for check in checks:
        mark = tool.text("passed" if check.passed else "failed")
        shown = {"name": tool.text(check.name), "measured": check.measured, "limit": check.limit}
        lines.append(tool.text("line", mark=mark, **shown))
        if not check.passed:
            lines.append(tool.text("remedy", text=tool.text(f"fix_{check.name}")))
    lines.append(tool.text("verdict_bad", count=len(failed)) if failed else tool.text("verdict_ok"))
    tool.result(document, lines)
    if failed:
        sys.exit(exit_codes.NOT_VERIFIED)


def _checks(tool: Tool, meter: Meter, values: dict[str, Any], answer_ms: int, now_s: int) -> Iterator[Check]:
    """All that this meter can be asked about; one that was never provisioned knows little of itself."""
    lang = tool.lang
    yield Check("answers", answer_ms <= ANSWER_MS_MAX, answer_ms, f"{answer_ms} ms", f"≤ {ANSWER_MS_MAX} ms")
    if meter.is_blank:
        return
    mode = values.get("safe_mode", 0)
    yield Check("mode", mode == 0, mode, reading_text.shown("safe_mode", mode, lang), "0")
    if mode:
        return
    sure = values["clock_sure"]
    yield Check("clock_sure", bool(sure), int(sure), reading_text.shown("clock_sure", sure, lang), tool.text("yes"))
    off_s = values["unix_s"] - now_s
    yield Check("clock", abs(off_s) <= CLOCK_S_MAX, off_s, f"{off_s:+} s", f"± {CLOCK_S_MAX} s")
    if values.get("battery_mv"):
        mv = values["battery_mv"]
        yield Check("battery", mv >= BATTERY_MV_MIN, mv, f"{mv} mV", f"≥ {BATTERY_MV_MIN} mV")
    valve = values["valve"]
    stands = f"{reading_text.shown('valve', VALVE_OPEN, lang)}, {reading_text.shown('valve', VALVE_CLOSED, lang)}"
    yield Check("valve", valve in (VALVE_OPEN, VALVE_CLOSED), valve, reading_text.shown("valve", valve, lang), stands)
    yield from _flow(values, lang)
    bad = values["bad_copies"]
    yield Check("bad_copies", bad == 0, bad, str(bad), "0")
    if "tampered" in values:
        tampered = values["tampered"]
        yield Check("tampered", not tampered, int(tampered), tool.text("yes" if tampered else "no"), tool.text("no"))
    alarms = values["alarms"]
    yield Check("alarms", alarms == 0, alarms, reading_text.alarms(alarms, lang), reading_text.alarms(0, lang))


def _flow(values: dict[str, Any], lang: str) -> Iterator[Check]:
    """Water that passes a valve which stands closed, and how much (CT-02)."""
    passes = values["valve"] == VALVE_CLOSED and values["valve_inferred"] == reading_text.PASSES
    shown = reading_text.shown("valve_inferred", values["valve_inferred"], lang)
    holds = reading_text.shown("valve_inferred", reading_text.HOLDS, lang)
    if values["valve"] == VALVE_CLOSED:
        yield Check("flow", not passes, values["valve_inferred"], shown, holds)
    rate = values["leak_by_ml_per_h"]
    limit = f"≤ {LEAK_BY_ML_PER_H_MAX} mL/h"
    yield Check("leak_by", rate <= LEAK_BY_ML_PER_H_MAX, rate, f"{rate} mL/h", limit)
