"""SEMANTICS A3, A5: what a restore recovers is booked as such, explained by what comes again, never granted twice."""

import random
import shutil
from pathlib import Path
from typing import Any

import pytest

from headend.backups import back_up
from headend.billing.plans import set_policy
from headend.ingest import contact
from headend.ledger import recovered
from headend.ledger.checks import check_books
from headend.ledger.payments import Outcome, resolve_suspense, reverse_payment
from headend.meters import commands
from headend.meters.registry import PLAIN_POLICY, Provisioning
from headend.meters.rekey import ask_rekey
from headend.meters.renewal import renew_meter
from headend.meters.swap import execute_swap, prepare_swap
from headend.restore import restore
from headend.storage.audit import Actor
from protocol.rules.calendar import slot_of
from protocol.wire import command_codes
from protocol.wire.messages import DOWN_POLICY
from tests.headend.living_meter import LivingMeter
from tests.headend.world import NIGER, START_SLOT, World

ME = Actor("cli", "office", "guelta db restore")
PARTS = "paid_mills, rating_credit_mills, recovered_mills, reversed_mills, recovered_debit_mills"
HOUR_US = 3_600_000_000


class Fallible(World):
    """A world with a meter, of which a backup is put back."""

    def meter(self, record: Provisioning) -> LivingMeter:
        return LivingMeter(record)

    @property
    def file(self) -> Path:
        return self.path.parent / "granted"

    def back_up(self) -> None:
        back_up(self.path, self.path.parent / "backup")

    def fall(self, with_file: bool = True) -> "Fallible":
        """The world after a restore of its backup, an hour later."""
        self.close()
        self.clock.set(self.clock.unix_us() + HOUR_US)
        folder, file = self.path.parent, self.file if with_file else None
        if not with_file:
            self.file.unlink()
        restore(self.path, folder / "backup", folder / "keys", ME, file, self.clock)
        back = Fallible(folder, random.Random(11), high_water=self.file)
        back.clock.set(self.clock.unix_us() + HOUR_US)
        return back

    def pay_at(self, meter: LivingMeter, amount_minor: int, transaction: str, paid_at_us: int) -> Any:
        return self.pay(meter.number, amount_minor, transaction, paid_at_us=paid_at_us)

    def parts(self) -> tuple[int, ...]:
        """C, D, then PARTS, of the only meter."""
        query = f"SELECT credited_mills, debited_mills, {PARTS} FROM statement ORDER BY number DESC LIMIT 1"
        return self.rows(query)[0]

    def faults(self) -> list[str]:
        return [str(fault) for fault in self.reader.read(check_books)]

    def state(self) -> str:
        return contact.state_of(*self.rows("SELECT heard_us, told_us, found FROM recovery")[0])

    def found(self) -> dict[str, int | str]:
        return contact.differences(self.one("SELECT found FROM recovery"))

    def speak(self, meter: LivingMeter, *frames: bytes) -> None:
        """An exchange to its end."""
        waiting = list(frames)
        while waiting:
            self.receive(meter, waiting.pop(0))
            waiting += meter.to_say
            meter.to_say = []


@pytest.fixture
def town(opened_books: Path, tmp_path: Path) -> Fallible:
    for file in opened_books.iterdir():
        shutil.copy2(file, tmp_path / file.name)
    return Fallible(tmp_path, random.Random(9), high_water=tmp_path / "granted")


def living(town: Fallible) -> LivingMeter:
    meter = town.add()
    assert isinstance(meter, LivingMeter)
    return meter


def test_what_was_paid_after_the_backup_is_recovered_and_explained_once(town: Fallible) -> None:
    """I3, I4: C rises with the restore; the repeated payment explains it, a second repetition changes nothing."""
    meter = living(town)
    town.back_up()
    town.pay(meter.number, 500, "t1")
    paid_us = town.clock.unix_us()
    back = town.fall()
    assert back.parts() == (500_000, 0, 0, 0, 500_000, 0, 0)
    assert back.rows("SELECT kind, closed_us FROM case_file") == [("recovered", None)]
    assert back.faults() == []
    assert back.pay_at(meter, 500, "t1", paid_us).outcome is Outcome.CREDITED
    assert back.parts() == (500_000, 0, 500_000, 0, 0, 0, 0)
    assert back.pay_at(meter, 500, "t1", paid_us).outcome is Outcome.DUPLICATE
    assert back.parts()[0] == 500_000
    assert back.one("SELECT outcome FROM case_file") == "explained"
    assert back.faults() == []
    back.close()


def test_a_payment_made_since_is_credited_at_once(town: Fallible) -> None:
    """Who pays today waits for nobody's statement of last week."""
    meter = living(town)
    town.back_up()
    town.pay(meter.number, 500, "t1")
    back = town.fall()
    back.pay(meter.number, 300, "new")
    assert back.parts() == (800_000, 0, 300_000, 0, 500_000, 0, 0)
    assert back.faults() == []
    back.close()


def test_a_payment_of_before_that_was_never_granted_ends_in_the_same_place(town: Fallible) -> None:
    """It was on its way when the headend fell: which of the two is recovered does not matter in the end."""
    meter = living(town)
    town.back_up()
    town.pay(meter.number, 500, "t1")
    paid_us = town.clock.unix_us()
    back = town.fall()
    back.pay_at(meter, 700, "on its way", paid_us)
    assert back.parts()[:3] == (700_000, 0, 700_000)
    back.pay_at(meter, 500, "t1", paid_us)
    assert back.parts() == (1_200_000, 0, 1_200_000, 0, 0, 0, 0)
    assert back.faults() == []
    back.close()


def test_money_in_suspense_explains_as_well_and_its_key_acts_once(town: Fallible) -> None:
    meter = living(town)
    town.back_up()
    made = town.pay("nobody", 500, "t1")
    town.writer.run(lambda tx: resolve_suspense(tx, made.payment_id, meter.number, "k"))
    paid_us = town.clock.unix_us()
    back = town.fall()
    again = back.pay("nobody", 500, "t1", paid_at_us=paid_us)
    for outcome in (Outcome.CREDITED, Outcome.DUPLICATE):
        done = back.writer.run(lambda tx: resolve_suspense(tx, again.payment_id, meter.number, "k"))
        assert done.outcome is outcome
        assert back.parts() == (500_000, 0, 500_000, 0, 0, 0, 0)
    assert back.faults() == []
    back.close()


@pytest.mark.parametrize("with_file", [True, False])
def test_a_reversal_made_again_takes_what_it_took(town: Fallible, with_file: bool) -> None:
    """D is recovered too: 400 of 500 were unspent then; the rest is owed, as it was."""
    meter = living(town)
    town.back_up()
    made = town.pay(meter.number, 500, "t1")
    paid_us = town.clock.unix_us()
    meter.use([16] * 48)
    town.speak(meter, meter.report(0, 48))
    town.writer.run(lambda tx: reverse_payment(tx, made.payment_id, "k", "m"))
    town.speak(meter, meter.poll())
    debited = meter.debited_mills
    assert 0 < debited < 500_000
    back = town.fall(with_file)
    back.speak(meter, *meter.say_log(), meter.poll())
    assert back.parts() == (500_000, debited, 0, 0, 500_000, 0, debited)
    again = back.pay_at(meter, 500, "t1", paid_us)
    back.writer.run(lambda tx: reverse_payment(tx, again.payment_id, "k", "m"))
    assert back.parts() == (500_000, debited, 500_000, 0, 0, debited, 0)
    assert back.one("SELECT count(*) FROM case_file WHERE kind = 'claim'") == 1
    assert back.faults() == []
    back.close()


@pytest.mark.parametrize("with_file", [True, False])
def test_a_price_found_again_credits_nothing_twice(town: Fallible, with_file: bool) -> None:
    """B5: the correction is computed from the log that comes again, and C is where it was."""
    meter = living(town)
    meter.use([10] * 48)
    town.speak(meter, *meter.say_log())
    town.back_up()
    cheaper = {**NIGER, "blocks": [[10_000, 100], [40_000, 279], [0, 448]]}
    town.publish(cheaper, START_SLOT)
    town.speak(meter, meter.poll())
    credited = meter.credited_mills
    assert credited == 480 * 27
    back = town.fall(with_file)
    back.publish(cheaper, START_SLOT)
    back.speak(meter, meter.poll())
    back.work_off()
    assert back.parts() == (credited, 0, 0, credited, 0, 0, 0)
    assert back.faults() == []
    back.close()


def test_without_the_file_the_meter_tells_when_it_is_asked(town: Fallible) -> None:
    """First contact by a frame that says nothing of C: it is asked in the answer, and listed by what it tells."""
    meter = living(town)
    town.speak(meter, meter.poll())
    town.back_up()
    town.pay(meter.number, 500, "t1")
    town.speak(meter, meter.poll())
    back = town.fall(with_file=False)
    assert (back.state(), back.parts()[0]) == (contact.UNHEARD, 0)
    back.lose_answer(meter, meter.poll())
    assert (back.state(), back.found()) == (contact.DIVERGED, {"frames": 1})
    back.speak(meter, meter.poll())
    assert back.parts() == (500_000, 0, 0, 0, 500_000, 0, 0)
    assert back.found() == {"frames": 1, "credited_mills": 500_000}
    assert back.one("SELECT told_us FROM recovery") is not None
    assert back.rows("SELECT kind FROM case_file") == [("recovered",)]
    back.close()


def test_a_meter_that_lost_nothing_agrees_once_it_has_told_all(town: Fallible) -> None:
    meter = living(town)
    town.speak(meter, meter.poll())
    town.back_up()
    back = town.fall()
    assert back.state() == contact.UNHEARD
    back.lose_answer(meter, meter.poll())
    assert back.state() == contact.ASKED
    back.speak(meter, meter.poll())
    assert (back.state(), back.found(), back.parts()[0]) == (contact.AGREES, {}, 0)
    back.close()


def test_a_meter_is_believed_no_longer_once_all_is_told(town: Fallible) -> None:
    """After that, a C beyond the books is the case that it is on any other day."""
    meter = living(town)
    town.back_up()
    back = town.fall()
    back.speak(meter, meter.poll())
    meter.credited_mills += 1
    back.speak(meter, meter.anchor())
    assert back.parts()[0] == 0 and back.rows("SELECT kind FROM case_file") == [("counter-ahead",)]
    back.close()


def test_numbers_that_a_meter_may_hold_never_come_again_with_other_content(town: Fallible) -> None:
    """D1: statements, orders and policies of before the fall are on the meter; theirs are not given to others."""
    meter = living(town)
    town.back_up()

    def act(world: Fallible, low_mills: int) -> tuple[int, int, int]:
        made = world.pay(meter.number, low_mills, f"p{low_mills}")
        policy = world.writer.run(
            lambda tx: set_policy(tx, meter.meter_id, PLAIN_POLICY._replace(low_credit_mills=low_mills))
        )
        expires = world.clock.unix_us() // 1_000_000 + 60
        order = world.writer.run(lambda tx: commands.order(tx, meter.meter_id, command_codes.TELL, 0, 0, expires))
        assert made.statement_number is not None
        return made.statement_number, policy, order.number

    before = [act(town, 1_000), act(town, 2_000)]
    town.speak(meter, meter.poll())
    assert meter.policy_version == before[-1][1]
    back = town.fall(with_file=False)
    after = act(back, 3_000)
    assert all(new > max(old) for new, old in zip(after, zip(*before, strict=True), strict=True))
    back.speak(meter, meter.poll())
    assert (meter.policy_version, meter.statement) == (after[1], back.one("SELECT max(number) FROM statement"))
    back.close()


def test_the_same_policy_keeps_its_number_where_the_file_knows_it(town: Fallible) -> None:
    meter = living(town)
    town.back_up()
    wanted = PLAIN_POLICY._replace(low_credit_mills=1)
    version = town.writer.run(lambda tx: set_policy(tx, meter.meter_id, wanted))
    town.speak(meter, meter.poll())
    back = town.fall()
    assert back.found()["policy_version"] == version
    assert back.writer.run(lambda tx: set_policy(tx, meter.meter_id, wanted)) == version
    other = wanted._replace(low_credit_mills=2)
    assert back.writer.run(lambda tx: set_policy(tx, meter.meter_id, other)) > version
    assert back.one("SELECT count(*) FROM pack WHERE kind = ?", DOWN_POLICY) == 3
    back.close()


@pytest.mark.parametrize("rekeys", [1, 3])
def test_d4_a_change_of_keys_that_the_books_forgot_locks_no_meter_out(town: Fallible, rekeys: int) -> None:
    """It holds no older keys any more: what it says under the newer ones is heard, and listed."""
    meter = living(town)
    town.back_up()
    for _ in range(rekeys):
        town.writer.run(lambda tx: ask_rekey(tx, meter.meter_id))
        town.speak(meter, meter.poll())
        town.speak(meter, meter.poll())
    assert (meter.keys.epoch, meter.before) == (rekeys, None)
    back = town.fall()
    assert back.lose_answer(meter, meter.poll()).refusal is None
    assert back.found()["key_epoch"] == rekeys
    assert back.one("SELECT epoch FROM meter") == rekeys
    back.speak(meter, meter.poll())
    back.close()


def test_meters_that_are_not_heard_get_no_correction(town: Fallible) -> None:
    """What such a meter reported is not all known: it is rated again with its first contact."""
    meter = living(town)
    meter.use([10] * 48)
    town.speak(meter, *meter.say_log())
    town.back_up()
    back = town.fall()
    back.publish({**NIGER, "blocks": [[10_000, 100], [40_000, 279], [0, 448]]}, START_SLOT)
    assert back.parts()[0] == 0
    back.speak(meter, meter.poll(), meter.poll())
    back.work_off()
    assert back.parts()[0] == 480 * 27
    back.close()


def test_a_second_restore_of_the_same_backup_recovers_what_the_first_one_did(town: Fallible) -> None:
    """Half of it was explained in between: the file tells that too, and nothing is granted twice."""
    meter = living(town)
    town.back_up()
    for number in (1, 2):
        town.pay(meter.number, 500, f"t{number}")
    paid_us = town.clock.unix_us()
    first = town.fall()
    first.pay_at(meter, 500, "t1", paid_us)
    second = first.fall()
    assert second.parts()[0] == 1_000_000
    for number in (2, 1):
        second.pay_at(meter, 500, f"t{number}", paid_us)
    assert second.parts() == (1_000_000, 0, 1_000_000, 0, 0, 0, 0)
    assert second.faults() == []
    second.close()


@pytest.mark.parametrize("way", ["renewed", "swapped"])
@pytest.mark.parametrize("spent", [False, True])
def test_what_is_still_to_be_explained_goes_on_into_the_next_wallet(town: Fallible, way: str, spent: bool) -> None:
    """A4: a meter is replaced before its provider has repeated the payment: it raises C once all the same."""
    meter = living(town)
    town.back_up()
    town.pay(meter.number, 5, "t1")
    paid_us = town.clock.unix_us()
    back = town.fall()
    if spent:
        meter.use([1] * 20)
        back.speak(meter, *meter.say_log())
    [(before,)] = back.rows("SELECT credited_mills - debited_mills FROM statement ORDER BY number DESC LIMIT 1")
    if way == "renewed":
        back.writer.run(lambda tx: renew_meter(tx, back.keyring, meter.meter_id))
    else:
        spare, old = (2).to_bytes(8, "big"), meter.meter_id
        back.writer.run(lambda tx: prepare_swap(tx, back.keyring, old, spare, 1))
        slot = slot_of(back.clock.unix_us() // 1_000_000)
        back.writer.run(lambda tx: execute_swap(tx, back.keyring, old, spare, slot, None, 0))
    query = f"SELECT credited_mills, debited_mills, {PARTS} FROM statement ORDER BY id DESC LIMIT 1"
    credited, debited, paid, _, waits, *_ = back.rows(query)[0]
    assert (paid, waits) == (0, 5_000)
    spent_mills = back.one("SELECT coalesce(sum(spent_mills), 0) FROM uplink")
    assert credited - debited == before - spent_mills
    assert back.faults() == []
    back.pay_at(meter, 5, "t1", paid_us)
    after = back.rows(query)[0]
    assert after[:5] == (credited, debited, 5_000, 0, 0)
    assert back.faults() == []
    assert back.rows("SELECT count(*) FROM case_file WHERE kind = 'recovered' AND closed_us IS NULL") == [(0,)]
    back.close()


def test_a_meter_that_only_the_file_knows_is_listed(town: Fallible) -> None:
    """It was added after the backup: its keys are lost with the books, and somebody must set it up anew."""
    town.back_up()
    meter = living(town)
    town.pay(meter.number, 500, "t1")
    back = town.fall()
    assert back.rows("SELECT meter_id, generation, found FROM recovery") == [
        (meter.meter_id, 0, '{"meter": "not in the backup"}')
    ]
    assert back.faults() == []
    back.close()


def test_control_a_repetition_that_explains_nothing_grants_twice(
    town: Fallible, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule that is tested above, taken away: the same payment raises C a second time."""
    meter = living(town)
    town.back_up()
    town.pay(meter.number, 500, "t1")
    paid_us = town.clock.unix_us()
    back = town.fall()
    monkeypatch.setattr(recovered, "explain", lambda *_: 0)
    back.pay_at(meter, 500, "t1", paid_us)
    assert back.parts()[0] == 1_000_000
    back.close()
