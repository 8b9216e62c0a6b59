"""What can go wrong in a world: one table of kinds, each with how it is drawn and how it strikes."""

from __future__ import annotations

from .kind import Kind
from .power import POWER

KINDS: dict[str, Kind] = {kind.name: kind for kind in (*POWER,)}
