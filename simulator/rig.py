"""`guelta rig`: one real meter on the table, in wall time over UDP, with a tap you open by hand.

The meter is the MicroPython process of the demo, but it talks to a headend that someone runs, not to a simulated one.
Whoever starts the rig plays the house: words on standard input open the tap, press the button, ask the console. The
meter's flash is a file, so the meter is the same one when the rig is started again. With --service-port its console
is sealed and lies on a pseudo-terminal, where `guelta field` finds it as at the end of a cable.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from firmware.build import BuildFailed, build
from firmware.provisioning import IdentityRefused, identity_from_answer
from protocol.errors import Refused
from protocol.rules import reasons
from protocol.wire.messages import VALVE_MOVING

from . import link
from .face import Face, parse_reading, read_request
from .meter_process import MeterFailed, interpreter
from .pipe import Pipe, TapShut
from .port import Port
from .rig_words import AT_THE_PORT, LEAK_ML_PER_H_MAX, OPEN_TABLE, Word, say, understand
from .table import News, Table, UnixMachine, clock_us, pulses_on
from .texts import LANGUAGES, default_language

DRAW_ML_PER_S = 5000
POUR_ML_PER_S = 1000  # what a hose fills a bucket with: a DN15 meter's 3.6 m³/h
_CHUNK = 4096
_TOLD = (
    "volume_l", "credited_mills", "debited_mills", "spent_mills", "collected_mills", "balance_mills", "interpreter",
)  # fmt: skip
_STOPS = {link.END_OPEN: "open", link.END_CLOSED: "closed", link.END_NONE: "stalled"}


class Rig:
    """The house around one meter: what is typed, and what is told."""

    def __init__(self, table: Table, lang: str, pour_ml_per_s: int = POUR_ML_PER_S) -> None:
        self.table, self.lang = table, lang
        self._pour_ml_per_s = pour_ml_per_s
        self._face: Face | None = None
        self._shown = self._reason = self._typed = ""
        self._lines: list[str] = []
        self._ended = False
        table.news = self.hears

    def run(self, udp: str) -> None:
        """Live until `quit`, the end of input, or the end of the meter."""
        try:
            self.table.power_on()
            if self.table.port is not None:
                click.echo(str(self.table.port.path))
            self.say("on", udp=udp, words=self._known)
            while not self._ended:
                self._turn()
        finally:
            self.table.power_off()

    def say(self, key: str, **facts: object) -> None:
        """One line, with the time of day."""
        self._say(say(key, self.lang, **facts))

    @staticmethod
    def _say(text: str) -> None:
        click.echo(f"{time.strftime('%H:%M:%S')}  {text}")

    @property
    def _known(self) -> str:
        return OPEN_TABLE if self.table.port is None else AT_THE_PORT

    def _turn(self) -> None:
        """One word after the other, each to its end; words wait until the meter has shown its face."""
        waits = self.table.pipe.tap_is_open or (self.table.face is None and self.table.port is None)
        if self._lines and not waits:
            self._obey(self._lines.pop(0))
        elif self.table.turn([] if self._lines else [sys.stdin.fileno()]):
            self._read_words()

    def _read_words(self) -> None:
        """Take what was typed. Not readline(): its buffer would hide lines from select."""
        typed = os.read(sys.stdin.fileno(), _CHUNK)
        *self._lines, self._typed = (self._typed + typed.decode(errors="replace")).split("\n")
        self._typed = self._typed[-_CHUNK:]
        self._ended = not typed

    def hears(self, news: News) -> None:
        """Say what a person at the table would notice."""
        if news.what == "console":
            reading = parse_reading(news.value)
            click.echo(json.dumps({name: reading[name] for name in _TOLD}))
        elif news.what == "face":
            self._show(news.value)
        elif news.what == "motor" and news.value != link.MOTOR_STOP:
            self.say("opening" if news.value == link.MOTOR_OPEN else "closing")
        elif news.what == "stop":
            self.say(_STOPS[news.value])
        elif news.what == "tap":
            self._tell_tap(news.value)

    def _tell_tap(self, tap: TapShut) -> None:
        if tap.came_ml or tap.into == "pour":
            self.say(tap.into, litres=_litres(tap.came_ml))
        if tap.came_ml < tap.asked_ml:
            self.say("dry", litres=_litres(tap.asked_ml - tap.came_ml))

    def _show(self, face: Face) -> None:
        before, self._face = self._face, face
        low = say("low", self.lang) if face.low_credit else ""
        sign, (whole, mills) = "-" if face.balance_mills < 0 else "", divmod(abs(face.balance_mills), 1000)
        reason = reasons.sentence(face.reason, self.lang)
        shown = say("face", self.lang, balance=f"{sign}{whole}.{mills:03}", low=low, reason=reason)
        arrived = before is not None and before.valve == VALVE_MOVING != face.valve
        # Not a line for every litre: only what it comes to, or what it changes.
        if shown != self._shown and (arrived or reason != self._reason or not self.table.pipe.tap_is_open):
            self._shown, self._reason = shown, reason
            self._say(shown)

    def _obey(self, line: str) -> None:
        if not line.strip():
            return
        word = understand(line, at_the_port=self.table.port is not None)
        if word is None:
            self.say("unknown", words=line.strip(), known=self._known)
        elif word.name == "quit":
            self._ended = True
        elif word.name == "press":
            self.table.press()
        elif word.name == "read":
            self.table.machine.tell(link.record(link.CONSOLE, read_request()))
        elif word.name in ("draw", "pour"):
            rate = DRAW_ML_PER_S if word.name == "draw" else self._pour_ml_per_s
            self.table.open_tap(word.name, word.amount, rate)
        else:
            self._handle(word)

    def _handle(self, word: Word) -> None:
        """What a hand does to cable and valve."""
        port, valve = self.table.port, self.table.pipe.valve
        assert port is not None
        {
            "unplug": port.unplug,
            "plug": port.plug,
            "stick": valve.stick,
            "heal": valve.heal,
            "leak": lambda: valve.leak_by(word.amount),
        }[word.name]()
        self.say(word.name, path=port.path, ml=word.amount)


def _litres(millilitres: int) -> str:
    whole, rest = divmod(millilitres, 1000)
    return f"{whole}.{rest:03}".rstrip("0").rstrip(".") if rest else str(whole)


def _headend(_ctx: click.Context, _parameter: click.Parameter, value: str) -> str:
    host, _, port = value.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or not 1 <= int(port) <= 65535:
        raise click.BadParameter(f"{value!r} is not HOST:PORT with a port of 1 to 65535, as 127.0.0.1:5683")
    try:
        socket.getaddrinfo(host, int(port), socket.AF_INET)
    except (OSError, UnicodeError):
        raise click.BadParameter(f"there is no host {host!r} with an IPv4 address") from None
    return value


def _added(file: Path) -> tuple[dict[str, Any], bytes]:
    try:
        added = json.loads(file.read_bytes())
        return added, identity_from_answer(added)
    except (ValueError, RecursionError):
        raise click.ClickException(f"{file} is not the JSON that 'guelta meter add' prints") from None
    except IdentityRefused as refused:
        raise click.ClickException(f"{file}: {refused}: missing, or not as 'guelta meter add' prints it") from None
    except Refused as refused:
        raise click.ClickException(f"{file}: {refused}: not as 'guelta meter add' prints it") from None


def _flash_of(added: Path | None, flash: Path | None, blank: bool, service_port: bool) -> Path:
    """Where the flash is; what does not fit together is refused."""
    if added is None and not service_port:
        raise click.UsageError("give ADDED, the file with what 'guelta meter add' printed, or --service-port")
    if blank and (added is not None or not service_port):
        raise click.UsageError("--blank is a board that was never provisioned: it goes with --service-port, not ADDED")
    if flash is None:
        flash = Path("meter.flash") if added is None else added.with_suffix(".flash")
    flash = flash.absolute()
    if not flash.parent.is_dir():
        raise click.BadParameter(f"the folder of {flash} does not exist", param_hint="--flash")
    if blank and flash.exists():
        raise click.BadParameter(
            f"{flash} exists: it is the flash of a board. Name another file, or leave --blank out to go on with it",
            param_hint="--flash",
        )
    return flash


@click.command()
@click.argument("added", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--udp", default="127.0.0.1:5683", show_default=True, callback=_headend, help="HOST:PORT of the headend.")
@click.option("--flash", type=click.Path(dir_okay=False, path_type=Path), help="The flash file. [ADDED with .flash]")
@click.option(
    "--service-port", is_flag=True, help="Seal the console, on a pseudo-terminal: its path is the first line."
)
@click.option("--blank", is_flag=True, help="A new board without an identity, for 'guelta field commission'.")
@click.option("--weight", type=click.IntRange(1, 1000), help="Litres that a pulse truly is. [as in ADDED, or 1]")
@click.option("--leak", type=click.IntRange(0, LEAK_ML_PER_H_MAX), default=0, help="mL an hour through a closed valve.")
@click.option("--stuck", is_flag=True, help="The valve is seized where it stands.")
@click.option("--flow", type=click.IntRange(1, 1000), default=60, show_default=True, help="Litres a minute of 'pour'.")
@click.option(
    "--release-key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="It takes updates signed with this key: KEY.pub of 'guelta firmware newkey'.",
)
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of what is told (from LANG).")
def rig(
    added: Path | None,
    udp: str,
    flash: Path | None,
    service_port: bool,
    blank: bool,
    weight: int | None,
    leak: int,
    stuck: bool,
    flow: int,
    release_key: Path | None,
    lang: str | None,
) -> None:
    """Run one real MicroPython meter in wall time over UDP, with a tap you open by hand.

    ADDED is the file with what 'guelta meter add' printed; it holds the meter's root key. A new flash file is
    provisioned with it; a flash file that holds another meter is refused. Type: draw LITRES, press, read, quit.

    With --service-port the technician's tool reaches it as at the end of a cable. ADDED may then be left out: the
    board is whatever its flash file holds, a new one without an identity when there is no such file. Further words:
    pour LITRES (into a bucket), unplug, plug, stick, leak ML_PER_H, heal.
    """
    flash = _flash_of(added, flash, blank, service_port)
    answer, identity = _added(added) if added is not None else ({"litres_per_pulse": 1}, None)
    # As Ctrl-C: two meters on one flash would be one too many, so the meter never outlives its rig.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    pipe = Pipe(weight or int(answer["litres_per_pulse"]), pulses_on(flash), clock_us())
    pipe.valve.leak_by(leak)
    if stuck:
        pipe.valve.stick()
    with tempfile.TemporaryDirectory(prefix="guelta-rig-") as folder:
        try:
            interpreter()
            options = _options(Path(folder), identity, service_port, release_key)
            machine = UnixMachine(build(Path(folder)), flash, udp, *options)
            port = Port(flash.with_suffix(".port")) if service_port else None
            house = Rig(Table(machine, pipe, port), lang or default_language(), flow * 1000 // 60)
            house.run(udp)
        except (MeterFailed, BuildFailed) as failure:
            raise click.ClickException(str(failure)) from failure
        except KeyboardInterrupt:
            click.echo()
            sys.exit(130)


def _options(folder: Path, identity: bytes | None, service_port: bool, release_key: Path | None) -> list[str]:
    options = ["--sealed-console"] if service_port else []
    if release_key is not None:
        options += ["--release-key", _public(release_key)]
    if identity is None:
        return options
    # In a file of ours, not among the arguments: those can be seen by every user of the machine.
    (folder / "identity").write_text(identity.hex())
    return [*options, "--provision", "@identity"]


def _public(release_key: Path) -> str:
    from firmware.image.release import ReleaseRefused, read_public

    try:
        return read_public(release_key).hex()
    except ReleaseRefused:
        raise click.BadParameter(
            f"{release_key} is no public key as 'guelta firmware newkey' writes it", param_hint="--release-key"
        ) from None
