"""What `guelta field` is tried on: an image on a table beside a real headend in wall time."""

from __future__ import annotations

from pathlib import Path

from tests.fieldtool.office import Office
from tests.fieldtool.table_meter import TableMeter

from .rig.table_image import ImageOnTable


def image_meter(image: Path, flash: Path, office: Office, weight_l: int = 1) -> TableMeter:
    """An image without power. Its flash file is made when it is first given power: a blank board."""
    return TableMeter(lambda: ImageOnTable(image, flash, office.udp), flash, weight_l)
