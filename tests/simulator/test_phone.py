"""Paying from a phone: repeated callbacks, a headend that is away, and the walk to the button."""

from types import SimpleNamespace

import pytest

from simulator import link
from simulator.clock import MINUTE_US, SECOND_US
from simulator.home import Home
from simulator.phone import HeadendAway, Payment, Phone
from simulator.prng import Stream
from simulator.world import World


class Books:
    """A biller that credits a transaction once; `away_until_us` makes it silent."""

    def __init__(self, world: World) -> None:
        self.world, self.away_until_us = world, 0
        self.credited: dict[str, int] = {}

    def inquire(self, customer_number: str, amount: int) -> str:
        self._awake()
        return "A… A…"

    def notify(self, transaction: str, customer_number: str, amount: int) -> str:
        self._awake()
        if transaction in self.credited:
            return "duplicate"
        self.credited[transaction] = amount
        return "credited"

    def _awake(self) -> None:
        if self.world.now_us < self.away_until_us:
            raise HeadendAway


class Scene:
    """One home, one phone; `opens_at_press` is the press that opens a dry valve."""

    def __init__(self, dry: bool, opens_at_press: int = 1) -> None:
        self.world = World()
        self.books = Books(self.world)
        self.told: list[tuple[Payment, str]] = []
        self.presses: list[int] = []
        self.waits: list[int | None] = []
        self.at_the_meter: list[Home] = []
        self.phone = Phone(
            self.world,
            self.books,
            Stream(1, "phone"),
            lambda paid, answer: self.told.append((paid, answer)),
            self.at_the_meter.append,
        )
        valve = SimpleNamespace(position=link.END_CLOSED if dry else link.END_OPEN, lets_water_through=not dry)
        self.home: Home = SimpleNamespace(number=1, valve=valve, press_button=self._pressed)  # type: ignore[assignment]
        self.phone.register(self.home, "00000195")
        self._opens_at_press = opens_at_press

    def _pressed(self) -> None:
        self.presses.append(self.world.now_us)
        if len(self.presses) == self._opens_at_press:
            self.world.after(8 * SECOND_US, lambda: self.waits.append(self.phone.water_runs(self.home)))


def test_a_payment_is_credited_once_however_often_the_operator_tells_of_it() -> None:
    scene = Scene(dry=False)
    payment = scene.phone.pay(scene.home, 500, callbacks=3)
    assert scene.phone.under_way(scene.home)
    scene.world.run_until(10 * MINUTE_US)
    assert payment.answers == ["credited", "duplicate", "duplicate"]
    assert [answer for _, answer in scene.told] == payment.answers
    assert scene.books.credited == {payment.transaction: 500}
    assert not scene.phone.under_way(scene.home)


def test_a_dry_payer_waits_from_the_confirmation_to_running_water() -> None:
    scene = Scene(dry=True)
    payment = scene.phone.pay(scene.home, 500)
    scene.world.run_until(10 * MINUTE_US)
    (waited_s,) = scene.phone.waits_s
    assert scene.waits == [waited_s]
    assert waited_s == (scene.presses[0] + 8 * SECOND_US - payment.credited_us) // SECOND_US
    assert len(scene.presses) == 1
    assert scene.at_the_meter == [scene.home]


def test_a_payer_whose_button_was_not_heard_presses_again_until_water_runs() -> None:
    scene = Scene(dry=True, opens_at_press=3)
    scene.phone.pay(scene.home, 500)
    scene.world.run_until(10 * MINUTE_US)
    assert len(scene.presses) == 3
    assert scene.phone.waits_s[0] > 80


def test_water_that_was_not_waited_for_is_no_sample() -> None:
    scene = Scene(dry=False)
    assert scene.phone.water_runs(scene.home) is None
    assert scene.phone.waits_s == []


@pytest.mark.parametrize("away_s", [1, 6, 400])
def test_a_payment_meets_a_dead_headend_and_is_carried_out_when_it_is_back(away_s: int) -> None:
    scene = Scene(dry=False)
    scene.books.away_until_us = away_s * SECOND_US
    payment = scene.phone.pay(scene.home, 500)
    scene.world.run_until(20 * MINUTE_US)
    assert payment.answers == ["credited"]
    assert payment.credited_us >= scene.books.away_until_us
