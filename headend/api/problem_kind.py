"""What is known of a kind of refusal."""

from typing import NamedTuple


class Kind(NamedTuple):
    """One kind of refusal. The details are format strings; their fields are given where the Problem is raised."""

    status: int
    title_en: str
    title_fr: str
    detail_en: str
    detail_fr: str
