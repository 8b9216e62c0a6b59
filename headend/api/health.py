"""Is it alive, and does the time move? For machines; no key needed and nothing secret told."""

from sqlalchemy import Connection, text

from headend.api.endpoint import OPEN, Endpoint
from headend.api.shapes import Response, instant


class Health(Response):
    """`ok`, the headend's time, and the number of the last commit that changed the books."""

    status: str
    now: str
    last_commit: int


def get_health(connection: Connection, now_unix_s: int) -> Health:
    """Answers when the database can be read."""
    last: int = connection.execute(text("SELECT coalesce(max(id), 0) FROM batch")).scalar_one()
    return Health("ok", instant(now_unix_s), last)


ENDPOINTS = (Endpoint("GET", "/healthz", get_health, "Health", "Operation", security=OPEN),)
