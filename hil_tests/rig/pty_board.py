"""A stand-in for a board on a serial port: the unix meter behind a pseudo-terminal, with its power in a process's hand.

    python -m hil_tests.rig.pty_board FOLDER                 serve; prints the port; FOLDER/firmware is built or a build
    python -m hil_tests.rig.pty_board FOLDER on|off|new|end  what `--table` calls, and its end

It proves that `--device` reaches a meter over nothing but a serial line; a real board takes its place.
"""

from __future__ import annotations

import os
import pty
import signal
import socket
import subprocess
import sys
import tty
from pathlib import Path

from firmware.build import build
from simulator.meter_process import HEAP, interpreter

_DOOR = "table"


class PtyBoard:
    """One unix meter on a pseudo-terminal. `port` is the name of its serial line."""

    def __init__(self, folder: Path, built: Path) -> None:
        self._flash, self._built = folder / "flash", built
        self._board_end, self._line_end = pty.openpty()
        tty.setraw(self._line_end)
        self.port = os.ttyname(self._line_end)
        self._process: subprocess.Popen[bytes] | None = None

    def obey(self, word: str) -> None:
        """`on`, `off` or `new`."""
        {"on": self._on, "off": self._off, "new": self._new}[word]()

    def close(self) -> None:
        """Off for good."""
        self._off()
        os.close(self._board_end)
        os.close(self._line_end)

    def _on(self) -> None:
        assert self._process is None
        self._process = subprocess.Popen(
            [interpreter(), "-X", HEAP, "-m", "main", "--flash", str(self._flash), "--lockstep"],
            cwd=self._built,
            stdin=self._board_end,
            stdout=self._board_end,
            process_group=0,
        )

    def _off(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGKILL)
            process.wait()

    def _new(self) -> None:
        assert self._process is None
        for chip in (self._flash, Path(f"{self._flash}.eeprom")):
            chip.unlink(missing_ok=True)


def serve(folder: Path, built: Path) -> None:
    """Print the port and obey whoever knocks at the folder's door, until told to `end`."""
    board = PtyBoard(folder, built)
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(folder / _DOOR))
        door.listen()
        sys.stdout.write(board.port + "\n")
        sys.stdout.flush()
        word = ""
        try:
            while word != "end":
                knock, _ = door.accept()
                with knock:
                    word = knock.recv(16).decode()
                    if word != "end":
                        board.obey(word)
                    knock.sendall(b"done")
        finally:
            board.close()


def tell(folder: Path, word: str) -> int:
    """Have the served board obey; the exit code."""
    with socket.socket(socket.AF_UNIX) as knock:
        knock.connect(str(folder / _DOOR))
        knock.sendall(word.encode())
        return 0 if knock.recv(16) == b"done" else 1


if __name__ == "__main__":
    place = Path(sys.argv[1])
    if len(sys.argv) > 2:
        sys.exit(tell(place, sys.argv[2]))
    built = place / "firmware"
    serve(place, built if built.is_dir() else build(built))
