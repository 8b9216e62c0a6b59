"""The command group `guelta bench`."""

import click

from bench.wire import wire


@click.group()
def bench() -> None:
    """Measure; every benchmark prints JSON."""


bench.add_command(wire)
