"""`guelta field label`: the PDF label of a job that is recorded. The same record gives the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .refusals import Refusal
from .store import DONE, JOURNALS, OUTBOX, Store
from .texts import Texts
from .verb import Tool, option, verb

HELP = (
    "Print the label of a commissioned meter: a PDF with a QR code, on A7, A6 or A8.",
    "Imprimer l’étiquette d’un compteur mis en service : un PDF avec code QR, en A7, A6 ou A8.",
)
TEXTS: Texts = {"written": ("{file}: meter {meter_id}", "{file} : compteur {meter_id}")}
_SIZE = ("Paper: a6, a7 or a8.", "Papier : a6, a7 ou a8.")
_OUT = ("Write the PDF here.", "Écrire le PDF ici.")


@verb("label", HELP, TEXTS, port=False, writes=True)
@click.argument("job_id", metavar="[JOB]", required=False, default="")
@option("--size", help=_SIZE, type=click.Choice(["a6", "a7", "a8"]), default="a7")
@option("--output", "-o", help=_OUT, type=click.Path(path_type=Path), metavar="FILE")
def label(tool: Tool, job_id: str, size: str, output: Path | None) -> None:
    from .label import Label, pdf

    job_id = job_id or _the_only(tool.store)
    facts = facts_of(tool.store, job_id)
    drawn = Label(**facts)
    file = output or Path(f"label-{drawn.meter_id}.pdf")
    if not tool.dry_run:
        try:
            file.write_bytes(pdf(drawn, size, tool.lang))
        except OSError as failure:
            raise Refusal("label_unwritable", file=file, why=failure.strerror) from None
    else:
        tool.say("dry_run")
    told = {"job_id": job_id, "file": str(file), "size": size, **facts}
    tool.result(told, [tool.text("written", file=file, meter_id=drawn.meter_id)])


def facts_of(store: Store, job_id: str) -> dict[str, Any]:
    """What the label of a job shows. Raises Refusal: no_record, no_label, store_damaged."""
    made = store.read(OUTBOX, job_id) or store.read(DONE, job_id)
    journal = store.read(JOURNALS, job_id)
    if made is None or journal is None:
        raise Refusal("no_record", job_id=job_id, verb="commission")
    try:
        record, facts = made["record"], journal["facts"]
        seals = [step["values"]["number"] for step in record["steps"] if step["name"] == "seal"]
        if not seals:
            raise Refusal("no_label", job_id=job_id)
        return {
            "meter_id": record["new_meter_id"] or record["meter_id"],
            "customer_number": str(facts["customer_number"]),
            "service_point": str(facts["service_point"]),
            "seal": seals[0],
            "unix_s": int(record["finished_at"]),
        }
    except (KeyError, TypeError, ValueError):
        raise Refusal("store_damaged", file=f"{JOURNALS}/{job_id}.json", why="record") from None


def _the_only(store: Store) -> str:
    """The job whose record is on this laptop, where there is one."""
    names = sorted({*store.names(OUTBOX), *store.names(DONE)})
    if not names:
        raise Refusal("no_records")
    if len(names) > 1:
        raise Refusal("several_records", jobs=", ".join(names))
    return names[0]
