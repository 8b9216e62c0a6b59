"""`guelta rig`: one real meter on the table, in wall time over UDP, with a tap you open by hand.

The meter is the MicroPython process of the demo, but it talks to a headend that someone runs, not to a simulated one.
Whoever starts the rig plays the house: words on standard input open the tap, press the button, ask the console. The
meter's flash is a file, so the meter is the same one when the rig is started again.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
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
from protocol.wire.messages import VALVE_CLOSED, VALVE_MOVING, VALVE_OPEN

from . import link
from .face import Face, parse_face, parse_reading, read_request, valve_is_open
from .meter_process import HEAP, MeterFailed, interpreter
from .texts import LANGUAGES, default_language

LITRES_MAX = 1000
_RESTS = {VALVE_OPEN: "open", VALVE_CLOSED: "closed"}
_LITRE_S = 0.2
_COUNTER_BYTES = 4
_CHUNK = 4096
_TOLD = (
    "volume_l", "credited_mills", "debited_mills", "spent_mills", "collected_mills", "balance_mills", "interpreter",
)  # fmt: skip

TEXTS = {
    "on": (
        "the meter is on and talks to {udp}; words: draw LITRES, press, read, quit",
        "le compteur est en marche et parle à {udp} ; mots : draw LITRES, press, read, quit",
    ),
    "face": ("balance {balance}{low}. {reason}", "solde {balance}{low}. {reason}"),
    "low": (", the lamp is on", ", le voyant est allumé"),
    "closing": ("the valve closes", "la vanne se ferme"),
    "opening": ("the valve opens", "la vanne s’ouvre"),
    "open": ("the valve is open", "la vanne est ouverte"),
    "closed": ("the valve is closed", "la vanne est fermée"),
    "drawn": ("drawn: {litres} L", "tirés : {litres} L"),
    "dry": ("the tap is dry: {litres} L were not drawn", "le robinet est à sec : {litres} L n’ont pas été tirés"),
    "unknown": (
        "{words}: not understood. Words: draw LITRES (1 to 1000), press, read, quit",
        "{words} : pas compris. Mots : draw LITRES (1 à 1000), press, read, quit",
    ),
}


class Rig:
    """The house around one meter. `added` is what the headend answered when the meter was added."""

    def __init__(self, added: dict[str, Any], flash: Path, udp: str, lang: str) -> None:
        self.lang = lang
        self._pulse_l = int(added["litres_per_pulse"])
        self._drawn_l = self._pulse_l * _pulses_on(flash)
        self._flash, self._udp = flash, udp
        self._records = link.Records()
        self._face: Face | None = None
        self._left_l = self._asked_l = 0
        self._shown = self._reason = self._typed = ""
        self._lines: list[str] = []

    def run(self, folder: Path, identity: bytes) -> None:
        """Build, provision if the flash is new, and live until `quit`, the end of input, or the end of the meter."""
        build(folder)
        # In a file of ours, not among the arguments: those can be seen by every user of the machine.
        (folder / "identity").write_text(identity.hex())
        command = [interpreter(), "-X", HEAP, "-m", "main", "--flash", str(self._flash)]
        command += ["--udp", self._udp, "--provision", "@identity"]
        pipe = subprocess.PIPE
        with subprocess.Popen(
            command, cwd=folder, stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, umask=0o077, process_group=0
        ) as self._process:
            self.say("on", udp=self._udp)
            try:
                while self._turn():
                    pass
            finally:
                self._process.kill()  # the power goes; the flash is made for that

    def say(self, key: str, **facts: object) -> None:
        """One line, with the time of day."""
        self._say(TEXTS[key][LANGUAGES.index(self.lang)].format(**facts))

    def _say(self, text: str) -> None:
        click.echo(f"{time.strftime('%H:%M:%S')}  {text}")

    def _turn(self) -> bool:
        """Wait for the meter, a word, or the next litre; False at the end."""
        output = self._process.stdout
        assert output is not None
        waits_s = _LITRE_S if self._left_l else None
        sources: list[Any] = [output] if self._left_l or self._lines else [output, sys.stdin]
        ready = select.select(sources, [], [], 0 if self._lines and not self._left_l else waits_s)[0]
        if output in ready:
            self._hear(os.read(output.fileno(), _CHUNK))
        elif self._left_l:
            self._draw()
        elif self._lines:
            return self._obey(self._lines.pop(0))
        elif ready:
            return self._read_words()
        return True

    def _read_words(self) -> bool:
        """Take what was typed; False at the end of input. Not readline(): its buffer would hide lines from select."""
        typed = os.read(sys.stdin.fileno(), _CHUNK)
        *self._lines, self._typed = (self._typed + typed.decode(errors="replace")).split("\n")
        self._typed = self._typed[-_CHUNK:]
        return bool(typed)

    def _hear(self, data: bytes) -> None:
        if not data:
            assert self._process.stderr is not None
            raise MeterFailed(f"the meter ended: {self._process.stderr.read().decode(errors='replace').strip()}")
        for channel, payload in self._records.feed(data):
            if channel == link.CONSOLE:
                reading = parse_reading(payload)
                click.echo(json.dumps({name: reading[name] for name in _TOLD}))
            elif payload[:1] == b"F":
                self._show(parse_face(payload[1:]))
            elif payload[:1] == b"M" and payload[1] in (link.MOTOR_OPEN, link.MOTOR_CLOSE):
                self.say("opening" if payload[1] == link.MOTOR_OPEN else "closing")

    def _show(self, face: Face) -> None:
        before, self._face = self._face, face
        if before is not None and before.valve == VALVE_MOVING and face.valve in _RESTS:
            self.say(_RESTS[face.valve])
        low = TEXTS["low"][LANGUAGES.index(self.lang)] if face.low_credit else ""
        sign, (whole, mills) = "-" if face.balance_mills < 0 else "", divmod(abs(face.balance_mills), 1000)
        reason = reasons.sentence(face.reason, self.lang)
        shown = TEXTS["face"][LANGUAGES.index(self.lang)].format(
            balance=f"{sign}{whole}.{mills:03}", low=low, reason=reason
        )
        # Not a line for every litre: only what it comes to, or what it changes.
        if shown != self._shown and (reason != self._reason or not self._left_l):
            self._shown, self._reason = shown, reason
            self._say(shown)

    def _obey(self, line: str) -> bool:
        words = line.split()
        if words == ["quit"]:
            return False
        if words == ["press"]:
            self._tell(link.button())
        elif words == ["read"]:
            self._tell(link.record(link.CONSOLE, read_request()))
        elif len(words) == 2 and words[0] == "draw" and words[1] in _LITRES:
            self._left_l = self._asked_l = int(words[1])
        elif words:
            self.say("unknown", words=" ".join(words))
        return True

    def _draw(self) -> None:
        """One litre, if the valve lets it through."""
        if self._face is None:
            return  # still starting
        if not valve_is_open(self._face.valve):
            self.say("dry", litres=self._left_l)
            self._left_l = 0
            return
        self._drawn_l, self._left_l = self._drawn_l + 1, self._left_l - 1
        if self._drawn_l % self._pulse_l == 0:
            self._tell(link.pulses(self._drawn_l // self._pulse_l))
        if not self._left_l:
            self.say("drawn", litres=self._asked_l)

    def _tell(self, record: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(record)


_LITRES = {str(litres) for litres in range(1, LITRES_MAX + 1)}


def _pulses_on(flash: Path) -> int:
    """Where the counter beside the flash stands: a meter that was off goes on from there."""
    counter = Path(f"{flash}.pulses")
    return int.from_bytes(counter.read_bytes()[:_COUNTER_BYTES], "big") if counter.is_file() else 0


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


@click.command()
@click.argument("added", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--udp", default="127.0.0.1:5683", show_default=True, callback=_headend, help="HOST:PORT of the headend.")
@click.option("--flash", type=click.Path(dir_okay=False, path_type=Path), help="The flash file. [ADDED with .flash]")
@click.option("--lang", type=click.Choice(LANGUAGES), help="Language of what is told (from LANG).")
def rig(added: Path, udp: str, flash: Path | None, lang: str | None) -> None:
    """Run one real MicroPython meter in wall time over UDP, with a tap you open by hand.

    ADDED is the file with what 'guelta meter add' printed; it holds the meter's root key. A new flash file is
    provisioned with it; a flash file that holds another meter is refused. Type: draw LITRES, press, read, quit.
    """
    answer, identity = _added(added)
    flash = (added.with_suffix(".flash") if flash is None else flash).absolute()
    if not flash.parent.is_dir():
        raise click.BadParameter(f"the folder of {flash} does not exist", param_hint="--flash")
    # As Ctrl-C: two meters on one flash would be one too many, so the meter never outlives its rig.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="guelta-rig-") as folder:
        try:
            interpreter()
            Rig(answer, flash, udp, lang or default_language()).run(Path(folder), identity)
        except (MeterFailed, BuildFailed) as failure:
            raise click.ClickException(str(failure)) from failure
        except KeyboardInterrupt:
            click.echo()
            sys.exit(130)
