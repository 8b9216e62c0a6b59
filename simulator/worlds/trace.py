"""One hash of everything that happened in a world: the same seed gives the same hash, on any Python, in any process."""

from __future__ import annotations

from hashlib import sha256


class Trace:
    """Feed it what happens, in order; `digest` names the world. The last lines are kept for a person to read."""

    KEPT = 400

    def __init__(self) -> None:
        self._hash = sha256()
        self.lines: list[tuple[int, int, str, bytes]] = []

    def note(self, now_us: int, home: int, what: str, data: bytes = b"") -> None:
        """Something happened to a home (0: to all)."""
        self._hash.update(b"%d %d %s %d " % (now_us, home, what.encode(), len(data)) + data)
        self.lines.append((now_us, home, what, data))
        if len(self.lines) > 2 * self.KEPT:
            del self.lines[: -self.KEPT]

    @property
    def digest(self) -> str:
        """The hash so far, hexadecimal."""
        return self._hash.hexdigest()
