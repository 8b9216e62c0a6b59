"""Who looks at every event of a world: what cannot be seen any more when it is over."""

from __future__ import annotations

from collections.abc import Callable

from .durable import DurableWatch
from .frames import FrameWatch
from .meters import MeterWatch
from .topups import TopUpWatch
from .watch import Watch

WATCHES: tuple[Callable[[], Watch], ...] = (MeterWatch, FrameWatch, DurableWatch, TopUpWatch)
