"""What can go wrong in a world: one table of kinds, each with how it is drawn and how it strikes."""

from __future__ import annotations

from .clocks import CLOCKS
from .clones import CLONES
from .flash import FLASH
from .forged import FORGED
from .kind import Kind
from .machine import MACHINE
from .money import MONEY
from .people import PEOPLE
from .power import POWER
from .prices import PRICES
from .pulses import PULSES
from .radio import RADIO
from .service import SERVICE
from .valves import VALVES

_ALL = (POWER, FLASH, CLOCKS, RADIO, FORGED, VALVES, PULSES, CLONES, MACHINE, MONEY, PRICES, SERVICE, PEOPLE)
KINDS: dict[str, Kind] = {kind.name: kind for kinds in _ALL for kind in kinds}
