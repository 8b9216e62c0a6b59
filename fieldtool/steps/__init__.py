"""The steps of the checklist, one file each, and their order: first what costs nothing to find wrong."""

from __future__ import annotations

from dataclasses import replace

from ..step import Step
from . import (
    consent,
    final,
    first_uplink,
    grace,
    identify,
    leak_by,
    orientation,
    position,
    provision,
    pulse_weight,
    radio,
    seal,
    seal_found,
    valve_close,
    valve_open,
    volume_test,
)

# Weight and orientation come before the key: a box that is wrong is put back into the van as blank as it came.
INSTALLATION: tuple[Step, ...] = (
    identify.STEP,
    pulse_weight.STEP,
    orientation.STEP,
    provision.STEP,
    valve_open.STEP,
    volume_test.STEP,
    valve_close.STEP,
    leak_by.STEP,
    radio.STEP,
    seal.STEP,
    position.STEP,
    consent.STEP,
    grace.STEP,
    first_uplink.STEP,
)
REMOVAL: tuple[Step, ...] = (final.STEP,)


def _for_a_visit(step: Step) -> Step:
    """A visit does what it came for: what it leaves out has a reason; what fails is kept as it failed, with one."""
    return replace(step, waivable=lambda _outcome: True)


VISITING: tuple[Step, ...] = (
    seal_found.STEP,
    *map(
        _for_a_visit,
        (
            orientation.STEP,
            valve_open.STEP,
            volume_test.STEP,
            valve_close.STEP,
            leak_by.STEP,
            radio.STEP,
            position.STEP,
            first_uplink.STEP,
        ),
    ),
)
