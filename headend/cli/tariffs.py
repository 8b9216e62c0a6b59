"""`guelta tariff`: publish prices."""

from collections import Counter
from pathlib import Path
from typing import TypeVar

import click
import msgspec

from headend.api.aftermath import Aftermath
from headend.api.dispatch import from_text
from headend.api.endpoint import BODY_BYTES_MAX
from headend.api.explained import ExplainQuery, MeterDayPath, get_explained_day
from headend.api.shapes import PageQuery
from headend.api.tariff_knowledge import AsOfQuery, CodePath, get_tariff, list_tariff_versions, try_tariff
from headend.api.tariffs import TariffToPublish, create_tariff, list_tariffs
from headend.billing.work import work_off_one
from headend.cli.work import AS_JSON, DATABASE, PUBLICATION_KEY, json_of, refusals_told, repeated, seen, written
from headend.clock import SystemClock

T = TypeVar("T")


@click.group()
def tariff() -> None:
    """Publish, try, show and explain tariffs."""


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
        body = json_of(file, BODY_BYTES_MAX, TariffToPublish)
    key_text = f"cli/{idempotency_key}"
    made = written(database, lambda tx: create_tariff(tx, Aftermath(), body, key_text))
    meters = repeated(database, work_off_one)
    click.echo(f"{meters} meters got their packs and were rated again", err=True)
    click.echo(msgspec.json.encode(made).decode())


@tariff.command("try")
@DATABASE
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--code", help="Try the prices under this code instead of the file's.")
@click.option("--from", "valid_from", help="Try them from this instant on instead of the file's (RFC 3339).")
def tariff_try(database: Path, file: Path, code: str | None, valid_from: str | None) -> None:
    """Show what publishing FILE now would post, per customer and in all, without posting anything."""
    with refusals_told():
        body = json_of(file, BODY_BYTES_MAX, TariffToPublish)
        changes = {name: value for name, value in (("code", code), ("valid_from", valid_from)) if value}
        body = msgspec.convert({**msgspec.to_builtins(body), **changes}, TariffToPublish)
    now_unix_s = SystemClock().unix_us() // 1_000_000
    cursor: str | None = ""
    sums: Counter[str] = Counter()
    meters = 0
    while cursor is not None:
        page = seen(database, lambda c, at=cursor: try_tariff(c, body, PageQuery(limit=100, cursor=at), now_unix_s))
        for one in page.items:
            click.echo(msgspec.json.encode(one).decode())
        sums.update(page.total_by_account)
        meters += page.meters
        cursor = page.next
    click.echo(msgspec.json.encode({"meters": meters, "total_by_account": dict(sums)}).decode())


@tariff.command("show")
@DATABASE
@click.argument("code")
@click.option("--at", help="True at this instant (RFC 3339); now by default.")
@click.option("--known", help="As far as it was known by this instant; now by default.")
@click.option("--history", is_flag=True, help="Show every version instead, in the order of publication.")
def tariff_show(database: Path, code: str, at: str | None, known: str | None, history: bool) -> None:
    """Show the tariff CODE as of an instant, as it was known by another; who published it, and when."""
    path, now_unix_s = _shaped({"code": code}, CodePath), SystemClock().unix_us() // 1_000_000
    if not history:
        query = AsOfQuery(at=at, known=known)
        click.echo(msgspec.json.encode(seen(database, lambda c: get_tariff(c, path, query, now_unix_s))).decode())
        return
    cursor: str | None = ""
    while cursor is not None:
        page = seen(database, lambda c, at=cursor: list_tariff_versions(c, path, PageQuery(limit=500, cursor=at)))
        for one in page.items:
            click.echo(msgspec.json.encode(one).decode())
        cursor = page.next


@tariff.command("explain")
@DATABASE
@click.argument("meter_id")
@click.argument("day")
@click.option("--lang", type=click.Choice(["fr", "en"]), default="fr", show_default=True)
@AS_JSON
def tariff_explain(database: Path, meter_id: str, day: str, lang: str, as_json: bool) -> None:
    """Take the local DAY (2026-11-22) of METER_ID apart to the last mill."""
    path = _shaped({"meter_id": meter_id, "day": day}, MeterDayPath)
    told = seen(database, lambda c: get_explained_day(c, path, ExplainQuery(lang)))
    click.echo(msgspec.json.encode(told).decode() if as_json else "\n".join(told.text))


def _shaped(fields: dict[str, str], shape: type[T]) -> T:
    """Arguments as the address of a request would give them."""
    with refusals_told():
        return from_text(fields, shape, "invalid_path")


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
