"""A service port that a cable can be pulled from: a pseudo-terminal under a name that stays.

`path` is a link to whichever terminal is plugged in just now. Pulled out, both ends of the terminal are closed, so who
holds the line hears what he would hear from a USB adapter that is gone.
"""

from __future__ import annotations

import os
import pty
import tty
from pathlib import Path

_CHUNK = 512


class Port:
    """Plugged in when it is made."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ends: tuple[int, int] | None = None
        self.plug()

    @property
    def sources(self) -> list[int]:
        """What to select on."""
        return [] if self._ends is None else [self._ends[0]]

    def plug(self) -> None:
        """The cable is put in; it is another terminal each time."""
        if self._ends is not None:
            return
        ours, theirs = pty.openpty()
        tty.setraw(theirs)
        os.set_blocking(ours, False)
        self._ends = ours, theirs
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.ttyname(theirs))
        fresh.replace(self.path)

    def unplug(self) -> None:
        """The cable is pulled out; what was on its way is lost."""
        ends, self._ends = self._ends, None
        if ends is not None:
            self.path.unlink(missing_ok=True)
            for end in ends:
                os.close(end)

    def hear(self) -> bytes:
        """What the tool has sent."""
        if self._ends is None:
            return b""
        try:
            return os.read(self._ends[0], _CHUNK)
        except BlockingIOError:
            return b""

    def send(self, data: bytes) -> None:
        """What the meter says. With nobody to read it, what does not fit is lost, as on any serial line."""
        view = memoryview(data)
        while view and self._ends is not None:
            try:
                view = view[os.write(self._ends[0], view) :]
            except BlockingIOError:
                return
