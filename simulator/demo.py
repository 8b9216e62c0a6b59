"""`guelta demo`: a town in virtual time, watched or as fast as it goes, and at the end meters beside books.

Exit codes: 0 every meter and its books agree, 1 something does not (or could not run), 2 wrong options.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

import click

from firmware.build import BuildFailed

from .headend_link import HeadendFailed
from .meter_process import MeterFailed, interpreter
from .prices import FIRST_BLOCK_MILLS_PER_L
from .radio import RadioOptions
from .report import Outcome, as_json, table
from .run import Options, Run
from .teller import words
from .texts import LANGUAGES, default_language, sentence

_WATCHED_SECONDS_PER_DAY = 20


@click.command()
@click.option("--headless", is_flag=True, help="As fast as possible, then exit; nothing is left running.")
@click.option("--days", type=click.IntRange(1, 14), default=3, show_default=True, help="Days of virtual time.")
@click.option("--meters", type=click.IntRange(1, 50), default=8, show_default=True, help="Homes with a meter.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), default=7, show_default=True, help="One seed is one world.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures here.")
@click.option("--skew", type=click.IntRange(0, 1000), default=0, help="Provision one meter wrong by so many mills.")
@click.option(
    "--pace", type=click.IntRange(1, 86400), help="Wall seconds for one virtual day (20, or none if headless)."
)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of the story (from LANG).")
@click.option("--loss", type=click.IntRange(0, 95), default=5, show_default=True, help="Frames lost each way, percent.")
@click.option(
    "--duplicates", type=click.IntRange(0, 100), default=2, show_default=True, help="Frames doubled, percent."
)
@click.option("--reorder", type=click.IntRange(0, 100), default=1, show_default=True, help="Frames delayed, percent.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port of the live page (a free one).")
@click.option("--exit", "exits", is_flag=True, help="Exit at the end instead of keeping the page up.")
def demo(
    headless: bool,
    days: int,
    meters: int,
    seed: int,
    json_file: Path | None,
    skew: int,
    pace: int | None,
    lang: str | None,
    loss: int,
    duplicates: int,
    reorder: int,
    port: int,
    exits: bool,
) -> None:
    """Watch prepaid water work: real MicroPython meters, a lossy radio, payments, and books that always agree."""
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise click.BadParameter(f"the folder of {json_file} does not exist", param_hint="--json")
    _refuse_taken(port)
    _refuse_without_interpreter()
    _end_well_on_sigterm()
    options = Options(
        seed=seed,
        meters=meters,
        days=days,
        radio=RadioOptions(
            loss_up_permille=10 * loss,
            loss_down_permille=10 * loss,
            duplicate_permille=10 * duplicates,
            reorder_permille=10 * reorder,
        ),
        skew_mills=skew,
        seconds_per_day=pace if pace or headless else _WATCHED_SECONDS_PER_DAY,
        lang=lang or default_language(),
        port=port,
    )
    with tempfile.TemporaryDirectory(prefix="guelta-demo-", ignore_cleanup_errors=True) as folder:
        run = Run(options, Path(folder), click.echo)
        try:
            outcome = _watch(run, json_file, stays=not (headless or exits))
        except (MeterFailed, HeadendFailed, BuildFailed) as failure:
            raise click.ClickException(str(failure)) from failure
        except KeyboardInterrupt:
            click.echo()
            sys.exit(130)
        finally:
            run.close()
    sys.exit(0 if outcome.good else 1)


def _refuse_without_interpreter() -> None:
    """Said before anything is started: without MicroPython there is nothing to watch."""
    try:
        interpreter()
    except MeterFailed as missing:
        raise click.ClickException(str(missing)) from missing


def _end_well_on_sigterm() -> None:
    """Being told to end is no reason to leave a headend running: unwind as after Ctrl-C."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))


def _refuse_taken(port: int) -> None:
    """A port that another program holds is a wrong option, found out before anything is started."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as taken:
            raise click.BadParameter(f"port {port}: {taken.strerror}; choose another", param_hint="--port") from taken


def _watch(run: Run, json_file: Path | None, stays: bool) -> Outcome:
    """The whole world, told on the terminal."""
    started = time.monotonic()
    options, teller = run.options, run.teller
    teller.remark(
        "world",
        homes=words("one_home" if options.meters == 1 else "homes", n=options.meters),
        days=words("one_day" if options.days == 1 else "days", n=options.days),
        seed=options.seed,
        price=FIRST_BLOCK_MILLS_PER_L,
    )
    run.prepare()
    teller.remark("page", address=run.headend.address)
    for event, why in run.story.left_out:
        teller.remark("left_out", event=sentence(f"event_{event}", options.lang), why=sentence(why, options.lang))
    run.live()
    run.drain()
    outcome = run.judge()
    _conclude(run, outcome, int(time.monotonic() - started))
    if json_file is not None:
        json_file.write_text(json.dumps(as_json(outcome), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    if stays:
        teller.remark("stays_up")
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            click.echo()
    return outcome


def _conclude(run: Run, outcome: Outcome, seconds: int) -> None:
    """The table, the findings, and the last line: whether meters and books agree."""
    teller, lang = run.teller, run.options.lang
    click.echo()
    for row in table(outcome, lang):
        click.echo(row)
    click.echo()
    for finding in outcome.findings:
        teller.remark("finding", home=finding.home, check=finding.check, text=finding.text)
    teller.remark(
        "ledger",
        entries=outcome.ledger.entries,
        balanced=sentence("yes" if outcome.ledger.balanced else "no", lang),
        chain=sentence("whole" if outcome.ledger.chain_ok else "broken", lang),
    )
    teller.remark(
        "summary",
        uplinks=outcome.counts.uplinks,
        lost=outcome.counts.uplinks_lost,
        downlinks=outcome.counts.downlinks,
        slots=sum(one.books.slots for one in outcome.witnesses),
        expected=sum(one.meter.slots for one in outcome.witnesses),
        seconds=seconds,
    )
    teller.remark("agree", agreeing=outcome.agreeing, meters=len(outcome.witnesses))
