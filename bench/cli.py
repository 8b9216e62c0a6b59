"""The command group `guelta bench`."""

import click

from bench.battery_report import battery
from bench.completeness import completeness
from bench.cuts import cuts
from bench.day import day
from bench.latency_report import latency
from bench.night import night
from bench.trust import trust
from bench.valve import valve
from bench.wire import wire


@click.group()
def bench() -> None:
    """Measure; every benchmark prints JSON."""


bench.add_command(wire)
bench.add_command(latency)
bench.add_command(completeness)
bench.add_command(battery)
bench.add_command(cuts)
bench.add_command(day)
bench.add_command(valve)
bench.add_command(trust)
bench.add_command(night)
