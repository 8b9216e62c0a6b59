"""What all watchers share: a place for findings, one of each kind and home, so that a world can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..finding import Finding

if TYPE_CHECKING:
    from ..home import WorldHome
    from ..life import Life


class Watch:
    """Looks at events; `findings` are what was wrong."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._said: set[tuple[str, int, str]] = set()

    def event(self, life: Life, what: str, home: WorldHome | None, data: bytes) -> None:
        """`what` has just happened."""

    def say(self, life: Life, check: str, home: WorldHome | None, kind: str, text: str) -> None:
        """Something is wrong; the same kind of it is said once for each home."""
        number = 0 if home is None else home.number
        if (check, number, kind) not in self._said:
            self._said.add((check, number, kind))
            self.findings.append(Finding(check, number, f"{text} (at {life.world.now_us} µs)"))
