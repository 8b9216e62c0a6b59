"""Only in `--mode=sim`: the simulator sets the time and adds lines to the story. Production has no such addresses."""

from typing import Annotated

import msgspec
from aiohttp import web
from msgspec import Meta

from headend.api import strict_json
from headend.api.aftermath import STORY
from headend.api.dispatch import JSON, read_json
from headend.api.endpoint import BODY_BYTES_MAX
from headend.api.problems import Problem
from headend.api.shapes import Request
from headend.clock import Clock, SimClock
from headend.web.story import TONES, Told

UNIX_US_MAX = 4_102_444_800_000_000  # the year 2100

Text = Annotated[str, Meta(min_length=1, max_length=300)]

CLOCK: web.AppKey[SimClock] = web.AppKey("sim_clock", SimClock)


class Instant(Request):
    unix_us: Annotated[int, Meta(ge=0, le=UNIX_US_MAX)]


class StoryLine(Request):
    """What the simulated world did, in both languages. `who` is shown in both unless `who_en` is given."""

    at_unix_s: Annotated[int, Meta(ge=0, le=UNIX_US_MAX // 1_000_000)]
    who: Annotated[str, Meta(min_length=1, max_length=80)]
    what_fr: Text
    what_en: Text
    who_en: Annotated[str, Meta(max_length=80)] = ""
    tone: str = "plain"


async def set_clock(request: web.Request) -> web.Response:
    """The headend's time from now on; it never goes back."""
    wanted = strict_json.decode(await read_json(request, BODY_BYTES_MAX), Instant)
    try:
        request.app[CLOCK].set(wanted.unix_us)
    except ValueError:
        raise Problem("clock_back", (("/unix_us", "Expected an instant that is not before the present one"),)) from None
    return web.Response(status=204)


async def tell(request: web.Request) -> web.Response:
    """Add a line to the story."""
    line = strict_json.decode(await read_json(request, BODY_BYTES_MAX), StoryLine)
    if line.tone not in TONES:
        raise Problem("invalid_body", (("/tone", "Expected one of " + ", ".join(TONES)),))
    told = Told(line.at_unix_s, line.who, line.who_en or line.who, line.what_fr, line.what_en, line.tone)
    numbered = request.app[STORY].tell(told)
    return web.Response(status=201, body=msgspec.json.encode({"number": numbered.number}), content_type=JSON)


def add_routes(app: web.Application, clock: Clock) -> None:
    """The story, and the clock if it is one that can be set."""
    app.router.add_post("/sim/story", tell)
    if isinstance(clock, SimClock):
        app[CLOCK] = clock
        app.router.add_put("/sim/clock", set_clock)
