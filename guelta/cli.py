"""The command `guelta`: one name for every room, each room's commands loaded only when asked for.

A room that is not installed is refused with the extra that brings it, so `guelta field` never needs a database and
`guelta serve` never needs a serial port. Exit codes: 0 done, 1 failed, 2 usage (docs/GLOSSARY.md, "exit code").
"""

import importlib
from typing import NamedTuple

import click


class Room(NamedTuple):
    """Where a command lives, which extra installs it, and its line in `guelta --help`."""

    module: str
    attribute: str
    extra: str
    summary: str


ROOMS = {
    "serve": Room("headend.cli.serve", "serve", "headend", "Run the headend: bearers, ledger, REST and the live page."),
    "db": Room("headend.cli.database", "db", "headend", "Create, check, back up and restore the database."),
    "keyring": Room("headend.cli.keyring", "keyring", "headend", "Check and change the key that wraps all secrets."),
    "audit": Room(
        "headend.cli.audit", "audit", "headend", "Who changed what, and how a meter was known at an instant."
    ),
    "config": Room("headend.cli.config", "config", "headend", "Print a configuration file, or the settings in force."),
    "key": Room("headend.cli.keys", "key", "headend", "Create, list and revoke API keys."),
    "provider": Room("headend.cli.providers", "provider", "headend", "Payment providers and their signing secrets."),
    "meter": Room("headend.cli.meters", "meter", "headend", "Add, import, order, rekey and renew meters."),
    "job": Room("headend.cli.jobs", "job", "headend", "Make, list and cancel jobs for technicians."),
    "seal": Room("headend.cli.jobs", "seal", "headend", "Take numbered seals into stock, and list them."),
    "release": Room("headend.cli.releases", "release", "headend", "Take signed releases of firmware, and list them."),
    "plan": Room("headend.cli.plans", "plan", "headend", "Make, show, change and end debt plans."),
    "policy": Room("headend.cli.policies", "policy", "headend", "Show, set and explain valve policies."),
    "tariff": Room("headend.cli.tariffs", "tariff", "headend", "Publish, try, show and explain tariffs."),
    "ledger": Room("headend.cli.ledger", "ledger", "headend", "Check and rebuild the books."),
    "field": Room(
        "fieldtool.cli", "field", "field", "The technician's tool: commission, read, flash and swap meters by cable."
    ),
    "demo": Room(
        "simulator.demo", "demo", "simulator", "Watch eight homes for three days, on real MicroPython meters."
    ),
    "sim": Room("simulator.worlds.cli", "sim", "simulator", "Play whole worlds of faults, and judge them."),
    "rig": Room("simulator.rig", "rig", "simulator", "Run one real meter over UDP, with a tap opened by hand."),
    "firmware": Room("bench.firmware", "firmware", "simulator", "Build the real image, and say how large it is."),
    "bench": Room("bench.cli", "bench", "simulator", "Measure; every benchmark prints JSON."),
}


class LazyRooms(click.Group):
    """A click group whose commands are imported at first use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        room = ROOMS.get(cmd_name)
        if room is None:
            return None
        try:
            module = importlib.import_module(room.module)
        except ModuleNotFoundError as missing:
            if missing.name is not None and missing.name.split(".")[0] == room.module.split(".")[0]:
                raise
            raise click.ClickException(
                f"'guelta {cmd_name}' needs the package '{missing.name}'. Install it with: "
                f"pip install 'guelta[{room.extra}]'"
            ) from missing
        command = getattr(module, room.attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the rooms from the table, so that `guelta --help` imports none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, room.summary) for name, room in ROOMS.items()])


@click.group(cls=LazyRooms, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="guelta")
def main() -> None:
    """Guelta: prepaid water metering in the open. Pay any amount, water flows, and meter and books always agree."""
