"""The unix meter with the hands a rig has on a board: the same tests run on it, to tell the image from the firmware."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from simulator.meter_process import MeterProcess, Spoken


class UnixMeter(MeterProcess):
    """MeterProcess that can be frozen and reset. A process has no reset pin: it ends and starts again."""

    def reset(self, now_us: int, records: Sequence[bytes]) -> Spoken:
        """Start anew with what the board senses now."""
        self.kill()
        return self.start(now_us, records)

    def freeze(self) -> None:
        """Stop the process between two instructions."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on from there."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
