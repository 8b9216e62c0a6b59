"""The page as it changes: one look at the books at a time, rendered once per language, sent to whoever listens.

Each listener is sent the fragments that differ from what it was sent before. Nothing is rendered while nobody listens.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

import structlog
from aiohttp import web
from sqlalchemy.exc import SQLAlchemyError

from headend.api.store import Store
from headend.web.facts import Facts, events_after, last_batch, last_event, read_facts
from headend.web.health import BooksHealth, check_books
from headend.web.meter_events import told
from headend.web.past import past
from headend.web.rendering import Renderer
from headend.web.story import Numbered, Story, put_last

log = structlog.get_logger("headend.web")

LOOK_PERIOD_MIN_S = 0.1
LOOK_PERIOD_S = 0.5
CHECK_PERIOD_S = 10.0
HEARTBEAT_S = 15.0
LISTENERS_MAX = 200


class Signal(Enum):
    """What else than a story line wakes a listener."""

    LOOK = "look"
    CLOSE = "close"


@dataclass(frozen=True)
class Sent:
    """One server-sent event: its kind, its text, and the story number to resume after."""

    kind: str
    text: str
    number: int | None = None


class Live:
    """Looks at the books on a period and wakes the listeners when something changed."""

    def __init__(self, store: Store, story: Story, renderer: Renderer, news: asyncio.Event) -> None:
        self._store = store
        self._story = story
        self._renderer = renderer
        self._news = news
        self._facts: Facts | None = None
        self._health: BooksHealth | None = None
        self._check_again_s = 0.0
        self._queues: set[asyncio.Queue[Numbered | Signal]] = set()
        self._last_event: int | None = None
        self._telling = asyncio.Lock()

    async def run(self) -> None:
        """Until cancelled: tell what meters reported; look again while somebody listens."""
        seen: tuple[int, int] | None = None
        while True:
            try:
                seen = await self._step(seen)
            except (SQLAlchemyError, OSError):
                # The page may miss a beat; the next look makes it good. Bearers and payments have their own say.
                log.exception("look_failed")
            # At once when a meter was heard, else now and then; never more often than a reader can follow.
            await asyncio.sleep(LOOK_PERIOD_MIN_S)
            with suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it loses a cancellation that comes together with the news.
                async with asyncio.timeout(LOOK_PERIOD_S):
                    await self._news.wait()
            self._news.clear()

    async def _step(self, seen: tuple[int, int] | None) -> tuple[int, int]:
        state = (await self._store.read(last_batch), self._store.now_unix_s() // 60)
        if seen is None or state[0] != seen[0]:
            await self._tell_events()
        if self._queues and (state != seen or self._facts is None):
            await self._look()
            self._signal(Signal.LOOK)
        return state

    async def page(self, language: str) -> str:
        """The whole page as of now."""
        await self._tell_events()
        facts, health = await self._look()
        return self._renderer.page(facts, health, self._story.shown(), language)

    async def events(self, language: str, after: int) -> AsyncGenerator[Sent | None, None]:
        """Story lines above `after`, then fragments and lines as they come; None when it is time for a heartbeat."""
        with self._story.listening() as queue:
            self._queues.add(queue)
            try:
                await self._look()
                # What is told while we look is in the queue as well; each line is sent once.
                for numbered in self._story.lines(after):
                    yield self._line(numbered, language)
                    after = numbered.number
                sent: dict[str, str] = {}
                found: Numbered | Signal | None = Signal.LOOK
                while found is not Signal.CLOSE:
                    if found is Signal.LOOK:
                        for fragment in self._fragments(language, sent):
                            yield fragment
                    elif isinstance(found, Numbered) and found.number > after:
                        yield self._line(found, language)
                    elif found is None:
                        yield None
                    found = await _next(queue)
            finally:
                self._queues.discard(queue)

    def close(self) -> None:
        """Let every stream end, so that the server can stop."""
        self._signal(Signal.CLOSE)

    @property
    def is_full(self) -> bool:
        return len(self._queues) >= LISTENERS_MAX

    def _signal(self, signal: Signal) -> None:
        for queue in self._queues:
            put_last(queue, signal)

    async def _look(self) -> tuple[Facts, BooksHealth]:
        """Read the facts; check the books as well now and then, at most a twentieth of the time."""
        now_s = asyncio.get_running_loop().time
        if self._health is None or now_s() >= self._check_again_s:
            began_s = now_s()
            before = self._health
            self._health = await self._store.read(lambda connection: check_books(connection, before))
            self._check_again_s = now_s() + max(CHECK_PERIOD_S, 20 * (now_s() - began_s))
        self._facts = await self._store.read(lambda connection: read_facts(connection, self._store.now_unix_s()))
        return self._facts, self._health

    async def _tell_events(self) -> None:
        """Each event once, though two looks may overlap; what was before the start is recalled, not streamed."""
        async with self._telling:
            if self._last_event is None:
                self._last_event = await self._store.read(last_event)
                self._story.recall(await self._store.read(past))
            after = self._last_event
            for event in await self._store.read(lambda connection: events_after(connection, after)):
                self._story.tell(told(event))
                self._last_event = max(self._last_event, event.event_id)

    def _fragments(self, language: str, sent: dict[str, str]) -> list[Sent]:
        """What differs from `sent`, which is brought up to date."""
        assert self._facts is not None and self._health is not None
        fresh = self._renderer.fragments(self._facts, self._health, language)
        changed = [name for name, text in fresh.items() if sent.get(name) != text]
        sent.update(fresh)
        return [Sent("home" if name.startswith("home-") else "fragment", fresh[name]) for name in changed]

    def _line(self, numbered: Numbered, language: str) -> Sent:
        assert self._facts is not None
        return Sent("story", self._renderer.story_line(self._facts, numbered, language), numbered.number)


async def _next(queue: "asyncio.Queue[Numbered | Signal]") -> Numbered | Signal | None:
    """The next thing, or None after a quiet while."""
    try:
        async with asyncio.timeout(HEARTBEAT_S):
            return await queue.get()
    except TimeoutError:
        return None


LIVE: web.AppKey[Live] = web.AppKey("live", Live)
