"""One function for each invariant, I1 to I25: from what a world shows to what is wrong with it.

None knows code of the meter or the headend, none stops at the first fault, none repairs anything. What must be looked
at while it happens is in ../watch.
"""

from __future__ import annotations

from collections.abc import Callable

from ..evidence import Evidence
from ..finding import Finding
from .chain import check_I2
from .liveness import check_I12, check_I22
from .money import check_I1, check_I3, check_I4
from .rating import check_I16
from .water import check_I5, check_I21

CHECKS: tuple[Callable[[Evidence], list[Finding]], ...] = (
    check_I1,
    check_I2,
    check_I3,
    check_I4,
    check_I5,
    check_I12,
    check_I16,
    check_I21,
    check_I22,
)
