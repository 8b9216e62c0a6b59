"""`guelta serve`: the running headend."""

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from headend.app import running
from headend.cli.config import CONFIG
from headend.cli.work import CURRENCY, DATABASE, HIGH_WATER, KEY_FILE, UTILITY, refusals_told
from headend.clock import SimClock, SystemClock
from headend.configuration import effective
from headend.life import notify
from headend.log import configure
from headend.settings import (
    CLOCKS,
    MODES,
    SIM_CLOCK,
    Address,
    Settings,
    SettingsRefused,
    checked,
    parse_address,
)
from headend.storage import migrate
from headend.storage.reader import Reader

# SimClock stands here until the simulator sets it, or at the last commit of the database that is opened.
SIM_START_US = 1_577_836_800_000_000
_LAST_COMMIT = (
    "SELECT max(committed_us) FROM batch WHERE id NOT IN (SELECT batch_id FROM audit WHERE actor_kind = 'cli')"
)


class Bound(click.ParamType):
    """HOST:PORT."""

    name = "HOST:PORT"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        try:
            return value if isinstance(value, Address) else parse_address(value)
        except SettingsRefused as refused:
            self.fail(str(refused), param, ctx)


@click.command()
@CONFIG
@DATABASE
@KEY_FILE
@HIGH_WATER
@click.option("--http", type=Bound(), default="127.0.0.1:8080", show_default=True, help="REST, biller API and page.")
@click.option("--udp", type=Bound(), default="127.0.0.1:5683", show_default=True, help="The UDP bearer.")
@click.option("--mode", type=click.Choice(MODES), default=MODES[0], show_default=True)
@click.option("--clock", "clock_name", type=click.Choice(CLOCKS), default=CLOCKS[0], show_default=True)
@click.option("--chirpstack-url", help="REST API of a ChirpStack v4 network server, as http://127.0.0.1:8090.")
@click.option(
    "--chirpstack-token-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File that holds an API token of that server.",
)
@click.option("--allow-remote", is_flag=True, help="Let --http listen for other machines; needs an API key.")
@UTILITY
@CURRENCY
@click.option("--ledger-check-s", type=int, default=3600, show_default=True, help="Seconds between checks; 0 for none.")
@click.option("--release-key", help="Public key of your firmware releases: the 128 hex digits in KEY.pub.")
@click.pass_context
def serve(context: click.Context, config_file: Path | None, **options: Any) -> None:
    """Run the headend: bearers, ledger, REST, biller API and the live page.

    Settings come from --config, from the environment (GUELTA_HTTP…) and from these options, the later before the
    earlier; 'guelta config show' prints them. Prints one JSON line when it is ready: {"ready": true, "http": [host,
    port], "udp": [host, port]}. Port 0 is any free port. Stops on SIGTERM or Ctrl-C, after what was accepted is
    committed.
    """
    configure()
    with refusals_told():
        given = {_SETTING_OF.get(name, name): options[name] for name in options if _is_given(context, name)}
        asyncio.run(_serve(checked(effective(config_file, os.environ, given).configuration.settings())))


# Where an option's parameter has another name than its setting.
_SETTING_OF = {"database": "db", "clock_name": "clock"}


def _is_given(context: click.Context, name: str) -> bool:
    return context.get_parameter_source(name) is ParameterSource.COMMANDLINE


async def _serve(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    clock = SimClock(_last_commit_us(settings.database)) if settings.clock == SIM_CLOCK else SystemClock()
    async with running(settings, clock, os.urandom, time.time_ns() // 1_000_000) as started:
        click.echo(json.dumps({"ready": True, "http": started.http, "udp": started.udp}))
        sys.stdout.flush()
        notify("READY=1")
        await stop.wait()


def _last_commit_us(database: Path) -> int:
    """Where a simulated clock goes on: the world's books know nothing later than this.

    Commands on the command line, as the making of a key before the first start, keep the time of the machine.
    """
    if not database.exists():
        return SIM_START_US
    migrate.upgrade(database)
    reader = Reader(database)
    try:
        last = reader.read(lambda connection: connection.exec_driver_sql(_LAST_COMMIT).scalar_one())
    finally:
        reader.close()
    return max(SIM_START_US, last or 0)
