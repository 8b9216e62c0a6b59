"""A unix meter on the table with its service port on a pseudo-terminal, as `guelta rig --service-port` makes one, but
with hands that a test moves."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import serial

from firmware.provisioning import identity_from_answer
from protocol.console_client import Client
from simulator.face import Face
from simulator.pipe import Pipe, TapShut
from simulator.port import Port
from simulator.table import LiveTable, Machine, News, Table, UnixMachine, clock_us, pulses_on

POUR_ML_PER_S = 20_000  # a test has no time to watch a bucket
_STEP_S = 0.02
_PATIENCE_S = 60


class TableMeter:
    """Whatever meter lies on the table: the tap, the cable, the power and the faults of its valve."""

    def __init__(self, machine: Callable[[], Machine], flash: Path, weight_l: int = 1) -> None:
        self.flash, self.weight_l = flash, weight_l
        self.added: dict[str, Any] | None = None
        self.news: list[News] = []
        self._machine = machine
        self._live: LiveTable | None = None
        self._poured_ml = 0

    # Power and cable ------------------------------------------------------------------------------------------------

    @property
    def port(self) -> str:
        """Where the tool finds its service port."""
        return str(self.flash.with_suffix(".port"))

    def power_on(self) -> None:
        """Give it power, with its cable in."""
        pipe = Pipe(self.weight_l, pulses_on(self.flash), clock_us())
        table = Table(self._machine(), pipe, Port(Path(self.port)))
        table.news = self.news.append
        table.power_on()
        self._live = LiveTable(table)
        self._live.start()

    def power_off(self) -> None:
        """Take its power, and the pseudo-terminal with it."""
        live, self._live = self._live, None
        if live is not None:
            live.end()

    def unplug(self) -> None:
        """Pull the cable."""
        self.live.do(self._port.unplug)

    def plug(self) -> None:
        """Put it in again."""
        self.live.do(self._port.plug)

    # Water, button and faults ---------------------------------------------------------------------------------------

    def pour(self, litres: int) -> int:
        """Into a bucket; how many millilitres came, when no more come."""
        before = len(self.news)
        self.live.do(lambda: self.live.table.open_tap("pour", litres, POUR_ML_PER_S))
        shut = self.waits_for(lambda: [news.value for news in self.news[before:] if isinstance(news.value, TapShut)])
        time.sleep(_STEP_S)
        return int(shut[0].came_ml)

    draw = pour

    def press(self) -> None:
        """The button."""
        self.live.do(self.live.table.press)

    def stick(self) -> None:
        """The valve is seized where it stands."""
        self.live.do(self.live.table.pipe.valve.stick)

    def leak(self, ml_per_h: int) -> None:
        """Closed, it lets so much through."""
        self.live.do(lambda: self.live.table.pipe.valve.leak_by(ml_per_h))

    def heal(self) -> None:
        """The valve is as new."""
        self.live.do(self.live.table.pipe.valve.heal)

    def asks_unsealed(self, question: bytes) -> bytes:
        """What a board without an identity answers."""
        client = Client(lambda _meter_id, _generation: b"", os.urandom)
        with serial.Serial(self.port, timeout=_STEP_S, exclusive=True) as line:
            line.write(client.ask_unsealed(question))
            kind, told = self.waits_for(lambda: client.feed(line.read(line.in_waiting or 1)))[0]
        assert kind == "plain", told
        return bytes(told)

    # What is seen ---------------------------------------------------------------------------------------------------

    @property
    def face(self) -> Face | None:
        """Its display; None before it has one."""
        return self.live.table.face

    @property
    def valve_is_open(self) -> bool:
        """Whether water can pass, in truth."""
        return bool(self.live.do(lambda: self.live.table.pipe.valve.lets_water_through))

    @staticmethod
    def waits_for(what: Callable[[], Any], within_s: float = _PATIENCE_S) -> Any:
        """Until something is so; what it then is."""
        until = time.monotonic() + within_s
        while not (found := what()):
            assert time.monotonic() < until, f"not within {within_s} s"
            time.sleep(_STEP_S)
        return found

    @property
    def live(self) -> LiveTable:
        """The table it lies on, while it has power."""
        assert self._live is not None, "it has no power"
        return self._live

    @property
    def _port(self) -> Port:
        port = self.live.table.port
        assert port is not None
        return port


def unix_meter(
    built: Path,
    flash: Path,
    udp: str,
    added: dict[str, Any] | None = None,
    weight_l: int = 0,
    options: tuple[str, ...] = (),
) -> TableMeter:
    """A unix meter without power: blank, or provisioned with what the office answered. `weight_l`: what a pulse truly
    is, if not what the meter was told."""
    arguments = ["--sealed-console", *options]
    if added is not None:
        identity = flash.with_suffix(".identity")
        with open(os.open(identity, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(identity_from_answer(json.loads(json.dumps(added))).hex())
        arguments += ["--provision", f"@{identity}"]
    weight_l = weight_l or (int(added["litres_per_pulse"]) if added is not None else 1)
    meter = TableMeter(lambda: UnixMachine(built, flash, udp, *arguments), flash, weight_l)
    meter.added = added
    return meter
