"""What a test of a guide needs: its blocks in order, terminals in which they are typed, ports that are free.

A block begins with ```sh WHO or ```text WHO, where WHO is the terminal that types it.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(?:sh|text) (\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Patience only: a busy machine takes seconds for each command.
WAITS_S = 120


def blocks(page: str) -> list[tuple[str, str]]:
    """(who types it, what), in the order of the page."""
    return BLOCK.findall((ROOT / "docs" / page).read_text())


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Terminal:
    """A shell that begins in the clone with the two lines that every terminal begins with."""

    def __init__(self, home: Path, begins: str) -> None:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "HOME": str(home), "PATH": path, "LC_ALL": "C.UTF-8"}
        self.process = subprocess.Popen(
            ["bash", "-e", "-s"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, process_group=0, env=environment,
        )  # fmt: skip
        self.lines: Queue[str] = Queue()
        self.reader = Thread(target=self._read)
        self.reader.start()
        self.type(begins)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def type(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text)
        self.process.stdin.flush()

    def said(self, wanted: str) -> str:
        """All that is said up to and with a line that holds `wanted`."""
        heard, deadline = "", time.monotonic() + WAITS_S
        while time.monotonic() < deadline:
            try:
                heard += (line := self.lines.get(timeout=1))
            except Empty:
                assert self.reader.is_alive(), f"it ended, and {wanted!r} was never said, but:\n{heard}"
                continue
            if wanted in line:
                return heard
        raise AssertionError(f"{wanted!r} was never said, but:\n{heard}")

    def close(self, patience_s: float = 5) -> None:
        """End of what is typed; what still runs is told to end, as by closing the window."""
        if self.process.stdout is not None and self.process.stdout.closed:
            return
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        try:
            self.process.wait(timeout=patience_s)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(timeout=WAITS_S)
        self.reader.join(timeout=WAITS_S)
        self.process.stdout.close()


def on_free_ports(name: str, rig_options: str = "") -> list[tuple[str, str]]:
    """The blocks of a guide with two free ports in the place of its own; `rig_options` for its `guelta rig`."""
    http, udp = free_port(socket.SOCK_STREAM), free_port(socket.SOCK_DGRAM)

    def moved(text: str) -> str:
        text = text.replace("guelta serve", f"guelta serve --http 127.0.0.1:{http} --udp 127.0.0.1:{udp}")
        text = text.replace("guelta rig", f"guelta rig{rig_options} --udp 127.0.0.1:{udp}")
        return text.replace("127.0.0.1:8080", f"127.0.0.1:{http}")

    return [(who, moved(text)) for who, text in blocks(name)]
