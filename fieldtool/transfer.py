"""The sending of an update to one meter, over a line that may go away and come back, possibly under another path."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, NamedTuple

import click

from protocol.wire.console_codes import MAINTAINER

from . import ports
from .access import Meter, begin, meet
from .line import Line
from .refusals import Refusal
from .session import Session
from .update_file import Update, version_text
from .verb import Tool

CHUNK = 512
# Sealed, a piece lies in the meter's heap as line, message, cipher and plain at once: of 40 KB, 4 KB are free then.
SEALED_CHUNK = 128
VERIFY_S = 120.0
VALVE_S = 120
RESTART_S = 120
NO_PROGRESS_MAX = 5
_LOOK_S = 0.5
_HELLO_S = 1.0
# What a pulled cable, a reset or a restart looks like from here. Each is waited for.
_GONE = ("port_gone", "port_unknown", "silent", "no_answer", "port_busy", "port_denied")


class Status(NamedTuple):
    """What the meter answers to "update"."""

    running: int
    slot: int
    trial: int
    offered: int
    next_offset: int
    offered_size: int
    outcome: int

    def start_of(self, update: Update) -> int:
        """Where it would go on with this update, as far as it tells before it has seen the manifest."""
        same = self.offered == update.manifest.version and self.offered_size == update.manifest.size
        return self.next_offset if same else 0


class Transfer:
    """One update to one meter. `sent` and `seconds` are figures for the report."""

    def __init__(self, tool: Tool, update: Update, wait_s: int) -> None:
        self._tool, self._update, self._wait_s = tool, update, wait_s
        self._line: Line | None = None
        self._meter: Meter | None = None
        self._serial = ""
        self._path = ""
        self._began = time.monotonic()
        self._shown = -1
        self.sent = 0
        self.verified = False
        self.name = ""

    @property
    def seconds(self) -> int:
        return round(time.monotonic() - self._began)

    def __enter__(self) -> Transfer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._hang_up()

    def meet(self) -> Status:
        """Find the meter, begin a session that may update it, and ask how far it is."""
        self._path = ports.path_of(self._tool.asked_port, self._tool.store)
        self._serial = next((one.serial for one in ports.attached() if one.path == self._path), "")
        self._line = Line(self._path)
        self._meter = meet(Session(self._line), self._tool.store, (MAINTAINER,))
        self.name = "" if self._meter.meter_id is None else self._meter.meter_id.hex()
        if not self._tool.dry_run:
            ports.remember(self._path, self._tool.store)
        return self._status()

    def run(self) -> int:
        """Send, verify, restart, and see it run; whether it is on trial. Raises Refusal."""
        self._began = time.monotonic()
        self._send()
        self._tool.say("verifying")
        self._asked("update-end", ["verified"], patience_s=VERIFY_S)
        self.verified = True
        self._restart()
        return self._see_it_run()

    def _send(self) -> None:
        """All bytes, from wherever the meter stands; through lost cables and resets."""
        stuck = furthest = 0
        was_lost = False
        while True:
            try:
                offset = self._ready("update-begin", self._update.raw)
                size = SEALED_CHUNK if self.name else CHUNK
                if was_lost:
                    self._tool.say("back", start=offset)
                    was_lost = False
                while offset < len(self._update.image):
                    self._show(offset)
                    chunk = self._update.image[offset : offset + size]
                    offset = self._ready("update-data", offset, chunk)
                    self.sent += len(chunk)
                self._show(offset)
                return
            except Refusal as refusal:
                if refusal.code not in (*_GONE, "update_offset", "update_nothing_begun"):
                    raise
                stuck = 0 if self.sent > furthest else stuck + 1
                furthest = self.sent
                if stuck > NO_PROGRESS_MAX:
                    raise
                if refusal.code in _GONE:
                    self._reach(self._wait_s, refusal)
                    was_lost = True

    def _ready(self, command: str, *arguments: object) -> int:
        answer = self._ask(command, *arguments)
        if len(answer) != 2 or answer[0] != "ready" or not isinstance(answer[1], int):
            raise Refusal("nonsense", command=command)
        offset: int = answer[1]
        if not 0 <= offset <= len(self._update.image):
            raise Refusal("nonsense", command=command)
        return offset

    def _restart(self) -> None:
        """Ask for the restart. A lost answer is no matter: it may have restarted already."""
        try:
            self._asked("update-start", ["restarting"])
        except Refusal as refusal:
            if refusal.code not in _GONE:
                raise
        self._tool.say("restarting")

    def _see_it_run(self) -> int:
        """Until the meter answers again and says what it runs."""
        self._reach(RESTART_S, Refusal("update_not_back", seconds=RESTART_S), quiet=True)
        status = self._status()
        if status.running != self._update.manifest.version:
            raise Refusal(
                "update_not_running",
                running=version_text(status.running),
                offered=version_text(self._update.manifest.version),
            )
        assert self._meter is not None
        if self._meter.is_blank and status.trial:
            self._asked("update-confirm", ["confirmed"])
            return 0
        return status.trial

    def _reach(self, wait_s: int, otherwise: Refusal, quiet: bool = False) -> None:
        """The same meter again within a time, at the port with the same serial number or path; else `otherwise`."""
        self._hang_up()
        if not quiet and wait_s:
            self._tool.say("waits", seconds=wait_s)
        until = time.monotonic() + wait_s
        while time.monotonic() < until:
            time.sleep(_LOOK_S)
            try:
                self._line = Line(self._path_now())
                session = Session(self._line)
                greeting = session.hello(tries=1, patience_s=_HELLO_S)
                found = "" if greeting.meter_id is None else greeting.meter_id.hex()
                if found != self.name:
                    raise Refusal("other_meter", found=found or "-", expected=self.name or "-")
                self._meter = (
                    Meter(session, None, None, {})
                    if greeting.meter_id is None
                    else begin(session, self._tool.store, greeting.meter_id, (MAINTAINER,))
                )
                return
            except Refusal as refusal:
                self._hang_up()
                if refusal.code not in _GONE:
                    raise
        raise otherwise

    def _path_now(self) -> str:
        if self._serial:
            for one in ports.attached():
                if one.serial == self._serial:
                    return one.path
        return self._path

    def _hang_up(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _status(self) -> Status:
        answer = self._ask("update")
        if len(answer) < len(Status._fields) or not all(isinstance(value, int) for value in answer[:7]):
            raise Refusal("nonsense", command="update")
        return Status(*answer[:7])

    def _asked(self, command: str, expected: list[str], patience_s: float | None = None) -> None:
        if self._ask(command, patience_s=patience_s) != expected:
            raise Refusal("nonsense", command=command)

    def _ask(self, command: str, *arguments: object, patience_s: float | None = None) -> list[Any]:
        """Ask, and once more when the valve has come to stand: a meter writes nothing while its motor draws."""
        assert self._meter is not None
        until = time.monotonic() + VALVE_S
        waits = False
        while True:
            try:
                return self._meter.ask(command, *arguments, patience_s=patience_s)
            except Refusal as refusal:
                if refusal.code != "meter_valve_moving" or time.monotonic() > until:
                    raise
            if not waits:
                self._tool.say("valve")
            waits = True
            time.sleep(_LOOK_S)

    def _show(self, done: int) -> None:
        """Progress on standard error: one moving line on a terminal, else a line for every tenth."""
        size = len(self._update.image)
        percent = 100 * done // size if size else 100
        on_terminal = sys.stderr.isatty()
        step = percent if on_terminal else percent // 10
        if step == self._shown:
            return
        self._shown = step
        text = self._tool.text("progress", percent=percent, done=done, size=size)
        click.echo(f"\r{text}" if on_terminal else text, nl=not on_terminal or done == size, err=True)
