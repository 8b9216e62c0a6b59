"""The page's look at the books, apart from the page."""

import asyncio
from typing import Any, cast

from headend.web.facts import last_batch, last_event
from headend.web.live import LOOK_PERIOD_MIN_S, Live
from headend.web.story import Story


class NoBooks:
    """A store in which nothing ever happens."""

    async def read(self, query: object) -> int | list[object]:
        return 0 if query in (last_batch, last_event) else []

    def now_unix_s(self) -> int:
        return 0


async def test_looking_ends_though_news_come_at_that_very_moment() -> None:
    """A cancellation that meets the news must not be lost: the server could never stop then."""
    news = asyncio.Event()
    live = Live(cast(Any, NoBooks()), Story(0), cast(Any, None), news)
    for _ in range(3):
        looking = asyncio.create_task(live.run())
        await asyncio.sleep(LOOK_PERIOD_MIN_S + 0.05)  # it waits for news now
        news.set()
        looking.cancel()
        await asyncio.wait({looking}, timeout=2)
        assert looking.cancelled()
