"""Carries out the plan of a world and tells what happens, whether planned or not.

The plan's events are put on the world's timetable once. Everything else reaches the director as facts: a face that
changed, a valve that arrived, a callback answered. The director decides nothing about water or money.
"""

from __future__ import annotations

from protocol.rules import reasons

from . import link
from .air import Air
from .clock import HOUR_US, MINUTE_US, clock_text
from .face import Face
from .headend_link import HeadendLink
from .home import Home
from .phone import Payment, Phone
from .prices import FIRST_BLOCK_MILLS_PER_L, MILLS_PER_MINOR
from .story import FRIENDLY_TO_MINUTE, Story
from .teller import Spoken, Teller, moment, words
from .world import World

_LOOK_AGAIN_US = 10 * MINUTE_US
_GIVES_UP_WAITING_US = 4 * HOUR_US
_READ_AGAIN_US = 5 * MINUTE_US
_UTILITY = words("who_utility")
_HEADEND = words("who_headend")


def whole_hours(span_us: int) -> int:
    """A span told to a person, to the nearest hour: a second before a full day is 24 hours, not 23."""
    return (span_us + HOUR_US // 2) // HOUR_US


class Director:
    """One world's story as it unfolds. Counts what only the story knows: kills of meters and of the headend."""

    def __init__(
        self,
        world: World,
        story: Story,
        homes: list[Home],
        phone: Phone,
        air: Air,
        headend: HeadendLink,
        teller: Teller,
    ) -> None:
        self.meter_kills = 0
        self.headend_kills = 0
        self._world, self._story, self._homes = world, story, homes
        self._phone, self._air, self._headend, self._teller = phone, air, headend, teller
        self._why_paid: dict[str, str] = {}
        self._leak_told = False

    # The timetable -------------------------------------------------------------------------------------------------

    def schedule(self) -> None:
        """Put every planned event on the world's timetable."""
        story, world = self._story, self._world
        world.at(story.dry.pays_us, self._dry_owner_looks, story.dry.pays_us + _GIVES_UP_WAITING_US)
        world.at(story.power_cut.from_us, self._arm_power_cut)
        world.at(story.headend_kill.from_us, self._arm_headend_kill)
        if story.leak is not None:
            world.at(story.leak.from_us, self._leak_begins)
        if story.price_change is not None and story.silence is not None:
            world.at(story.silence.from_us, self._goes_silent)
            world.at(story.price_change.published_us, self._publish)
            world.at(story.price_change.midnight_us, self._tell, _UTILITY, "tariff_begins")
            world.at(story.silence.to_us, self._heard_again)

    def pay(self, home: Home, amount: int, why: str, callbacks: int = 1) -> None:
        """A payer pays; `why` is the end of a key of texts.py (`why_…`)."""
        payment = self._phone.pay(home, amount, callbacks)
        self._why_paid[payment.transaction] = why

    def _dry_owner_looks(self, until_us: int) -> None:
        dry = self._story.dry
        home = self._homes[dry.home]
        if home.valve.lets_water_through and self._world.now_us < until_us:
            self._world.after(_LOOK_AGAIN_US, self._dry_owner_looks, until_us)
            return
        self.pay(home, dry.amount, "dry", callbacks=3)

    def _arm_power_cut(self) -> None:
        cut = self._story.power_cut
        home = self._homes[cut.home]
        home.cut_power_at(cut.operation, link.CUT_TORN)

    def power_lost(self, home: Home) -> None:
        """The cut has come; power is back after the planned time."""
        self.meter_kills += 1
        off_us = self._story.power_cut.off_us
        self._tell(home.name, "meter_killed")
        self._world.after(off_us, self._power_back, home, off_us)

    def _power_back(self, home: Home, off_us: int) -> None:
        home.power_on()
        self._tell(home.name, "meter_back", minutes=off_us // MINUTE_US)

    def _arm_headend_kill(self) -> None:
        self._air.kill_headend_at_next = self._headend_killed

    def _headend_killed(self) -> None:
        self.headend_kills += 1
        down_us = self._story.headend_kill.down_us
        self._tell(_HEADEND, "headend_killed")
        self._world.after(down_us, self._headend_back, down_us)

    def _headend_back(self, down_us: int) -> None:
        self._headend.start()
        kept = self._air.headend_is_back()
        self._teller.tell_all_again()
        self._tell(_HEADEND, "headend_back", minutes=down_us // MINUTE_US, kept=kept)

    def _leak_begins(self) -> None:
        leak = self._story.leak
        assert leak is not None
        self._homes[leak.home].leak_litres_per_slot = leak.litres
        self._tell(self._homes[leak.home].name, "leak_begins", litres=leak.litres)

    def _leak_repaired(self, home: Home) -> None:
        home.leak_litres_per_slot = 0
        self._tell(home.name, "leak_repaired")

    def _goes_silent(self) -> None:
        assert self._story.silence is not None
        home = self._homes[self._story.silence.home]
        home.radio.reachable = False
        self._tell(home.name, "goes_silent")

    def _heard_again(self) -> None:
        assert self._story.silence is not None
        home = self._homes[self._story.silence.home]
        home.radio.reachable = True
        self._tell(home.name, "heard_again")
        self._world.after(_READ_AGAIN_US, self._has_new_price, home, home.read_console()["tariff_version"])

    def _has_new_price(self, home: Home, before: int) -> None:
        """A technician reads the console until the new pack is in force, then the office looks at the books."""
        assert self._story.price_change is not None
        if home.meter.running and home.read_console()["tariff_version"] != before:
            late_us = self._world.now_us - self._story.price_change.midnight_us
            self._tell(home.name, "applied_late", hours=whole_hours(late_us))
            self._world.after(_LOOK_AGAIN_US, self._explain_correction, home)
            return
        self._world.after(_READ_AGAIN_US, self._has_new_price, home, before)

    def _explain_correction(self, home: Home) -> None:
        """The office reads what the books made of the litres that were priced late (SEMANTICS B5, B6)."""
        mills = 0 if self._air.away else self._headend.corrected_mills(self._air.meter_ids[home.number])
        if mills:
            self._tell(home.name, "corrected_waived" if mills > 0 else "corrected_credit", mills=abs(mills))
        else:  # the late half-hours are not in the books yet
            self._world.after(_LOOK_AGAIN_US, self._explain_correction, home)

    def _publish(self) -> None:
        change = self._story.price_change
        assert change is not None
        if self._air.away:  # the office cannot publish while the headend is down; it tries again
            self._world.after(_LOOK_AGAIN_US, self._publish)
            return
        self._headend.publish_price(change.midnight_us, change.price_mills_per_l)
        self._tell(
            _UTILITY,
            "tariff_published",
            midnight=moment(change.midnight_us),
            before=FIRST_BLOCK_MILLS_PER_L,
            price=change.price_mills_per_l,
        )

    # What the world tells ------------------------------------------------------------------------------------------

    def face_changed(self, home: Home, before: Face | None, after: Face) -> None:
        """Tell what a person in the kitchen would notice."""
        if before is None:
            return
        if after.low_credit and not before.low_credit and after.balance_mills > 0:
            self._tell(home.name, "low_credit", balance=after.balance_mills // MILLS_PER_MINOR)
        if after.friendly and not before.friendly:
            self._tell(home.name, "dry_friendly", until=clock_text(FRIENDLY_TO_MINUTE))
        if after.leak and not before.leak:
            self._leak_alarm(home)

    def valve_arrived(self, home: Home, end: int) -> None:
        """Tell that a valve has closed or opened, and why the meter says it did."""
        why = _reason(home.face)
        if end == link.END_CLOSED:
            self._tell(home.name, "closes", why=why)
        elif end == link.END_OPEN:
            waited_s = self._phone.water_runs(home)
            if waited_s is None:
                self._tell(home.name, "opens", why=why)
            else:
                self._tell(home.name, "opens_paid", seconds=waited_s, why=why)

    def callback_answered(self, payment: Payment, answer: str) -> None:
        """Tell of a payment, and of every further callback about it."""
        who = payment.home.name
        if len(payment.answers) == 1:
            why = words(f"why_{self._why_paid.get(payment.transaction, 'ahead')}")
            self._tell(who, "pays", amount=payment.amount, why=why)
            return
        nth = words("second" if len(payment.answers) == 2 else "third")
        self._tell(who, "callback_again", transaction=payment.transaction, nth=nth, answer=answer)

    def button_pressed(self, home: Home) -> None:
        """A payer whose tap is dry stands at the meter."""
        self._tell(home.name, "button")

    def _leak_alarm(self, home: Home) -> None:
        leak = self._story.leak
        if leak is None or self._homes[leak.home] is not home or self._leak_told:
            return
        self._leak_told = True
        self._tell(home.name, "leak_alarm", hours=whole_hours(self._world.now_us - leak.from_us))
        self._world.after(leak.repair_us, self._leak_repaired, home)

    def _tell(self, who: Spoken, key: str, **facts: object) -> None:
        self._teller.tell(self._world.now_us, who, key, **facts)


def _reason(face: Face | None) -> Spoken:
    """The reason the meter shows, in the words the customer is given."""
    assert face is not None
    code = face.reason
    return lambda lang: reasons.sentence(code, lang)
