"""`guelta field flash FILE.update`: signed firmware by cable, in pieces, into the slot that does not run.

The meter says how far it is, so whatever ends the transfer, the same command goes on there: a cable pulled out (it is
waited for), a reset, another laptop. The meter verifies hash and signature itself and starts the new firmware only
then; what ran before stays in its slot until the new one has proved itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .texts import Texts
from .update_file import Update, load, version_text
from .verb import Tool, option, verb

HELP = (
    "Give a meter a signed firmware: FILE.update. Interrupted anywhere, the same command goes on.",
    "Donner à un compteur un micrologiciel signé : FICHIER.update. Interrompue n’importe où, la même commande reprend.",
)
TEXTS: Texts = {
    "plan": (
        "Meter {meter}: {running} → {offered} for {hardware}, {size} bytes, from byte {start}.",
        "Compteur {meter} : {running} → {offered} pour {hardware}, {size} octets, à partir de l’octet {start}.",
    ),
    "blank": ("(blank board)", "(carte vierge)"),
    "unsaid": ("?", "?"),
    "proceed_flash": ("Write it to meter {meter}?", "L’écrire sur le compteur {meter} ?"),
    "same": ("Meter {meter} runs {offered} already.", "Le compteur {meter} a déjà {offered}."),
    "progress": ("{percent:3} %  {done} of {size} bytes", "{percent:3} %  {done} octets sur {size}"),
    "waits": (
        "The meter is gone; waiting for it ({seconds} s). Plug the cable in again. Ctrl-C keeps what is done.",
        "Le compteur a disparu ; on l’attend ({seconds} s). Rebranchez le câble. Ctrl-C garde ce qui est fait.",
    ),
    "back": ("It is back: going on at byte {start}.", "Il est revenu : on reprend à l’octet {start}."),
    "verifying": ("The meter verifies hash and signature…", "Le compteur vérifie l’empreinte et la signature…"),
    "restarting": ("The meter restarts…", "Le compteur redémarre…"),
    "valve": ("The valve moves; waiting until it stands.", "La vanne bouge ; on attend qu’elle s’arrête."),
    "done": (
        "Meter {meter} runs {offered}. {sent} bytes sent in {seconds} s.",
        "Le compteur {meter} tourne avec {offered}. {sent} octets envoyés en {seconds} s.",
    ),
    "trial": (
        "On trial: it keeps it once it has heard the headend, else it goes back to {running} within a day.",
        "À l’essai : il le garde dès qu’il a entendu la tête de réseau, sinon il revient à {running} dans la journée.",
    ),
}
_WAIT = ("Seconds to wait for a meter that disappeared.", "Secondes d’attente d’un compteur disparu.")


@verb("flash", HELP, TEXTS, writes=True)
@click.argument("file", type=click.Path(path_type=Path))
@option("--wait", "wait_s", help=_WAIT, type=click.IntRange(0, 3600), default=60, show_default=True)
def flash(tool: Tool, file: Path, wait_s: int) -> None:
    from .transfer import Transfer

    update = load(file)
    with Transfer(tool, update, wait_s) as transfer:
        status = transfer.meet()
        facts = _facts(tool, update, transfer.name, status.running, status.start_of(update))
        if status.running == update.manifest.version:
            tool.say("same", **facts)
            tool.result(_document(facts, update, transfer, trial=status.trial), [])
            return
        tool.say("plan", **facts)
        if tool.dry_run:
            tool.say("dry_run")
            tool.result({"dry_run": True, **_document(facts, update, transfer, trial=0)}, [])
            return
        tool.confirm("proceed_flash", **facts)
        trial = transfer.run()
    lines = [tool.text("done", **facts, sent=transfer.sent, seconds=transfer.seconds)]
    if trial:
        lines.append(tool.text("trial", **facts))
    tool.result(_document(facts, update, transfer, trial), lines)


def _facts(tool: Tool, update: Update, name: str, running: int, start: int) -> dict[str, Any]:
    manifest = update.manifest
    return {
        "meter": name or tool.text("blank"),
        "running": version_text(running),
        "offered": version_text(manifest.version),
        "hardware": manifest.hardware,
        "size": manifest.size,
        "start": start,
    }


def _document(facts: dict[str, Any], update: Update, transfer: Any, trial: int) -> dict[str, Any]:
    return {
        "meter_id": transfer.name or None,
        "running": facts["running"],
        "offered": facts["offered"],
        "hardware": facts["hardware"],
        "size": facts["size"],
        "sha256": update.manifest.sha256.hex(),
        "started_at_byte": facts["start"],
        "bytes_sent": transfer.sent,
        "seconds": transfer.seconds,
        "verified": transfer.verified,
        "trial": int(trial),
    }
