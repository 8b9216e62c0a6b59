"""`guelta tariff`: publish prices."""

from pathlib import Path

import click
import msgspec

from headend.api import strict_json
from headend.api.aftermath import Aftermath
from headend.api.endpoint import BODY_BYTES_MAX
from headend.api.shapes import PageQuery
from headend.api.tariffs import TariffToPublish, create_tariff, list_tariffs
from headend.billing.work import work_off_one
from headend.cli.work import DATABASE, PUBLICATION_KEY, content_of, refusals_told, repeated, seen, written


@click.group()
def tariff() -> None:
    """Publish and list tariffs."""


@tariff.command("publish")
@DATABASE
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@PUBLICATION_KEY
def tariff_publish(database: Path, file: Path, idempotency_key: str) -> None:
    """Publish the tariff in FILE, a JSON object as POST /v1/tariffs takes it.

    \b
    {"code": "niger", "title": "Niger 2006", "valid_from": "2026-01-01T00:00:00Z",
     "prices": {"utc_offset_minutes": 60,
                "blocks": [{"upto_l": 10000, "price": 127}, {"upto_l": 0, "price": 279}]}}

    Prices are per cubic metre, in minor units. More: docs/examples/niger.json, docs/TARIFFS.md, docs/openapi.json.
    """
    with refusals_told():
        body = strict_json.decode(content_of(file, BODY_BYTES_MAX), TariffToPublish)
    key_text = f"cli/{idempotency_key}"
    made = written(database, lambda tx: create_tariff(tx, Aftermath(), body, key_text))
    meters = repeated(database, work_off_one)
    click.echo(f"{meters} meters got their packs and were rated again", err=True)
    click.echo(msgspec.json.encode(made).decode())


@tariff.command("list")
@DATABASE
def tariff_list(database: Path) -> None:
    """Show every tariff ever published, one JSON object a line."""
    cursor: str | None = ""
    while cursor is not None:
        page = seen(database, lambda c, at=cursor: list_tariffs(c, PageQuery(limit=500, cursor=at)))
        for one in page.items:
            click.echo(msgspec.json.encode(one).decode())
        cursor = page.next
