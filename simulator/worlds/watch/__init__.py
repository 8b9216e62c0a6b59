"""Who looks at every event of a world: what cannot be seen any more when it is over."""

from __future__ import annotations

from collections.abc import Callable

from .watch import Watch

WATCHES: tuple[Callable[[], Watch], ...] = ()
