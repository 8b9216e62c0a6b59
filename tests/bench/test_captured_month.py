"""A month of fifty meters, captured and played back in every wrong way: no effect on books or meters (D1, I14).

The month is made by the real firmware and the real headend on lossy air; its money, tariff change, ANCHORs and repairs
are in it. Then whoever captured it plays: every frame again, every frame back to its sender, and frames put together
from two, given to another meter, turned in direction or moved to another key epoch.
"""

from collections.abc import Iterator
from hashlib import sha256
from itertools import pairwise
from typing import Any

import pytest

from bench.homes import Homes
from bench.site import Site
from headend.ingest.received import Bearer, Received
from headend.storage.writer import Tx
from protocol.wire.messages import (
    DOWN_NACK,
    DOWN_STATEMENT,
    DOWN_TARIFF,
    DOWN_TIME,
    UP_ANCHOR,
    UP_DAY,
    UP_DEVICE,
    UP_RANGE,
)
from simulator import link
from simulator.clock import DAY_US, SECOND_US, unix_us
from simulator.lorawan import LoraOptions

METERS, DAYS = 50, 30
HEAD_BYTES = 3
TAG_BYTES = 8
# A frame that came before is answered, because its sender may not have heard the answer; an answer has a counter.
MAY_MOVE = {"meter_link": ("down_next",)}

Frames = list[tuple[Site, bytes]]


class Captured:
    """The month's homes, and the frames that reached the other side."""

    def __init__(self, homes: Homes) -> None:
        self.homes = homes
        self.up = [(site, frame) for site in homes.sites for frame in site.arrived]
        self.down = [(site, frame) for site in homes.sites for _, way, frame in site.trace if way == "down"]

    def books(self) -> dict[str, str]:
        """A hash of every table."""
        rows = self.homes.utility.rows
        tables = [name for (name,) in rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: self._table(name) for name in tables}

    def _table(self, name: str) -> str:
        names = [row[1] for row in self.homes.utility.rows(f"PRAGMA table_info({name})")]
        kept = ", ".join(f'"{column}"' for column in names if column not in MAY_MOVE.get(name, ()))
        return sha256(repr(self.homes.utility.rows(f"SELECT {kept} FROM {name} ORDER BY {kept}")).encode()).hexdigest()

    def meters(self) -> list[tuple[Any, ...]]:
        """What each meter keeps, less the count of what it refused and the second it was saved."""
        return [self._meter(site) for site in self.homes.sites]

    def _meter(self, site: Site) -> tuple[Any, ...]:
        application = site.meter.application
        state = application.state
        refused, saved_s = state.refused_frames, state.unix_s
        state.refused_frames = state.unix_s = 0
        kept = state.encode()
        state.refused_frames, state.unix_s = refused, saved_s
        return kept, application.store.packs.load(), application.store.counter.next, site.valve.position

    def to_headend(self, frames: Frames) -> None:
        """Hand frames over as uplinks of these sites."""
        at_us = unix_us(self.homes.world.now_us)

        def job(tx: Tx) -> None:
            for site, frame in frames:
                self.homes.utility.ingest.receive(tx, Received(site.meter_id, frame, Bearer.LORAWAN, None, at_us))

        self.homes.utility.write(job)

    def to_meters(self, frames: Frames) -> None:
        """Let the meters hear frames; none may say or move anything for it."""
        for site, frame in frames:
            spoken = site.meter.advance(self.homes.world.now_us, [link.record(link.RADIO, frame)])
            assert (spoken.frames, spoken.field) == ((), ())


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Captured]:
    homes = Homes(tmp_path_factory.mktemp("month"), METERS, 1, LoraOptions(10, 100, 100), DAYS + 5)
    homes.world.run_until(DAYS * DAY_US + 900 * SECOND_US)
    yield Captured(homes)
    homes.close()


@pytest.fixture
def untouched(captured: Captured) -> Iterator[None]:
    """Whatever a test plays: books and meters stay as they were."""
    books, meters = captured.books(), captured.meters()
    yield
    changed = {name for name, content in captured.books().items() if books[name] != content}
    assert changed == set()
    assert captured.meters() == meters


def cuts(frames: Frames) -> Frames:
    """The head of a meter's frame and the tail of its next one: cut after the header, half-way, and before the tag."""
    made = []
    for (site, first), (other, second) in pairwise(frames):
        if site is other:
            made += [(site, first[:cut] + second[cut:]) for cut in (HEAD_BYTES, len(first) // 2, -TAG_BYTES)]
    genuine = {frame for _, frame in frames}
    return [(site, frame) for site, frame in made if frame not in genuine]


def turned(frames: Frames) -> Frames:
    """Each frame under every other key epoch and as every other type of message: the header's clear bits."""
    heads = [(1 << 6 | kind << 3 | epoch) for kind in range(8) for epoch in range(8)]
    return [
        (site, bytes((heads[number % 64],)) + frame[1:])
        for number, (site, frame) in enumerate(frames)
        if frame[0] != heads[number % 64]
    ]


def exchanged(sites: list[Site], frames: Frames) -> Frames:
    """Each frame given to the next meter."""
    following = dict(zip(sites, sites[1:] + sites[:1], strict=True))
    return [(following[site], frame) for site, frame in frames]


pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("captured month"), pytest.mark.usefixtures("untouched")]


def test_the_month_is_one(captured: Captured) -> None:
    """What is played is worth playing: every meter's month, both ways, with every kind of frame of a quiet life."""
    kinds = {
        (way, frame[0] >> 3 & 7)
        for way, frames in (("up", captured.up), ("down", captured.down))
        for _, frame in frames
    }
    print(f"captured: {len(captured.up)} uplinks, {len(captured.down)} downlinks, kinds {sorted(kinds)}")
    assert len(captured.up) >= METERS * DAYS
    assert len(captured.down) >= METERS * 3
    assert {("up", UP_DAY), ("up", UP_RANGE), ("up", UP_ANCHOR), ("up", UP_DEVICE)} <= kinds
    assert {("down", DOWN_STATEMENT), ("down", DOWN_TIME), ("down", DOWN_NACK), ("down", DOWN_TARIFF)} <= kinds


def test_every_frame_again(captured: Captured) -> None:
    captured.to_headend(captured.up)
    captured.to_meters(captured.down)


def test_every_frame_back_to_its_sender(captured: Captured) -> None:
    captured.to_headend(captured.down)
    captured.to_meters(captured.up)


def test_every_frame_to_another_meter(captured: Captured) -> None:
    sites = captured.homes.sites
    captured.to_headend(exchanged(sites, captured.up))
    captured.to_meters(exchanged(sites, captured.down))


def test_the_head_of_one_and_the_tail_of_another(captured: Captured) -> None:
    captured.to_headend(cuts(captured.up))
    captured.to_meters(cuts(captured.down))


def test_every_frame_of_another_epoch_and_type(captured: Captured) -> None:
    captured.to_headend(turned(captured.up))
    captured.to_meters(turned(captured.down))
