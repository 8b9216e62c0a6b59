"""One function for each invariant, I1 to I25: from what a world shows to what is wrong with it.

None knows code of the meter or the headend, none stops at the first fault, none repairs anything. What must be looked
at while it happens is in ../watch: I9, I11 and I14 are there alone, parts of I2, I6, I7, I8, I10, I13, I15, I24, I25.
"""

from __future__ import annotations

from collections.abc import Callable

from ..evidence import Evidence
from ..finding import Finding
from .chain import check_I2
from .liveness import check_I12, check_I22
from .meters import check_I6, check_I7, check_I8, check_I10, check_I13, check_I15, check_I24, check_I25
from .money import check_I1, check_I3, check_I4
from .office import check_I17, check_I18, check_I19, check_I20, check_I23
from .rating import check_I16
from .water import check_I5, check_I21

CHECKS: tuple[Callable[[Evidence], list[Finding]], ...] = (
    check_I1,
    check_I2,
    check_I3,
    check_I4,
    check_I5,
    check_I6,
    check_I7,
    check_I8,
    check_I10,
    check_I12,
    check_I13,
    check_I15,
    check_I16,
    check_I17,
    check_I18,
    check_I19,
    check_I20,
    check_I21,
    check_I22,
    check_I23,
    check_I24,
    check_I25,
)
