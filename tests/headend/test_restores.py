"""A5, I23, H5: a headend is restored from an old backup while its meters lived on, and ends as one that never fell.

One town lives a script for nine days; backups are made 7 days, 1 day, 1 hour and 1 minute before the fall. Each of them
is restored, with the high-water file and without; the provider repeats its statement in any order; what the office did
since is done again. The same town with a headend that never fell is the oracle.
"""

import copy
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from headend.backups import back_up
from headend.ingest import contact
from headend.ingest.received import Answer
from headend.ledger.checks import CHECKS
from headend.ledger.statements import PARTS
from headend.restore import restore
from headend.storage.audit import Actor
from tests.figures import ROUND, publish
from tests.headend.living_meter import LivingMeter
from tests.headend.town import BEGIN_US, DAY_US, FALL_US, HOUR_US, MINUTE_US, Act, Town, script

ACTOR = Actor("cli", "office", "guelta db restore")
AGES_US = {"1 min": MINUTE_US, "1 h": HOUR_US, "1 d": DAY_US, "7 d": 7 * DAY_US}
DAYS_AFTER = 1
# Each age with the file or without it, in the next round the other way: a quarter of a minute each, and more for weeks.
FILES = ("without", "with the file")
PAIRS = [(age, FILES[(number + ROUND) % 2]) for number, age in enumerate(AGES_US)]
CHEAPER_AT_US = FALL_US - 3 * DAY_US


class Fallen(NamedTuple):
    """A town at the moment of its fall: its folder (database, keys, high-water file, backups), and what lived on."""

    folder: Path
    acts: list[Act]
    meters: dict[int, LivingMeter]
    paid: list[dict[str, Any]]
    reversed: list[str]


def fall(folder: Path, seed: int, meters: int) -> Fallen:
    """Nine days of a town, with its backups."""
    folder.mkdir()
    acts = script(random.Random(seed), meters, DAYS_AFTER)
    town = Town(folder, random.Random(seed + 1), folder / "granted")
    town.settle(meters)
    chance = random.Random(seed + 2)
    since_us = BEGIN_US
    for name, age_us in reversed(AGES_US.items()):
        town.live([act for act in acts if since_us <= act.at_us < FALL_US - age_us], chance)
        back_up(town.path, folder / f"{name}.backup")
        since_us = FALL_US - age_us
    town.live([act for act in acts if since_us <= act.at_us < FALL_US], chance)
    town.close()
    return Fallen(folder, [act for act in acts if act.at_us >= FALL_US], town.meters, town.paid, town.reversed)


def awaken(fallen: Fallen, folder: Path) -> Town:
    """The same town in another folder, with meters of its own; its headend as it stood when it fell."""
    shutil.copytree(fallen.folder, folder)
    town = Town(folder, random.Random(3), folder / "granted")
    town.meters, town.paid, town.reversed = copy.deepcopy((fallen.meters, fallen.paid, fallen.reversed))
    town.clock.set(FALL_US)
    return town


def go_on(town: Town, fallen: Fallen, seed: int) -> None:
    """The days after, the same for each life; at the end every meter speaks until nothing is missing."""
    town.live(fallen.acts, random.Random(seed + 4))
    for _ in range(2):
        for number in sorted(town.meters):
            meter = town.meters[number]
            town.converse(meter, meter.say_log() or [meter.poll()])


@pytest.fixture(scope="module", autouse=True)
def quick_backups() -> Iterator[None]:
    """That a backup is verified is tested in test_backup.py, and takes longer than all else here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("headend.backups.faults_inside", lambda _file: [])
        yield


@pytest.fixture(scope="module")
def fallen(tmp_path_factory: pytest.TempPathFactory) -> Fallen:
    return fall(tmp_path_factory.mktemp("town") / "a", 600 + ROUND, 100)


@pytest.fixture(scope="module")
def oracle(fallen: Fallen, tmp_path_factory: pytest.TempPathFactory) -> dict[bytes, Any]:
    """What the books of a headend that never fell say in the end."""
    town = awaken(fallen, tmp_path_factory.mktemp("oracle") / "a")
    town.clock.set(FALL_US + 10 * MINUTE_US)
    for number in sorted(town.meters):
        town.converse(town.meters[number], [town.meters[number].poll()])
    go_on(town, fallen, 600 + ROUND)
    assert faults_of(town) == []
    said = said_by_books(town)
    town.close()
    return said


def faults_of(town: Town, slow: bool = False) -> list[str]:
    """What the books say against themselves; replaying every half-hour again costs the most, so not everywhere."""
    checks = [check for check in CHECKS if slow or check.name not in ("rebuild", "chain")]
    return town.reader.read(lambda connection: [str(fault) for one in checks for fault in one.faults(connection)])


def said_by_books(town: Town) -> dict[bytes, Any]:
    """V, S, R, C, D and their parts of each meter, and its payments."""
    rows = town.rows(
        f"SELECT m.meter_id, m.volume_l, m.spent_mills, m.collected_mills, s.credited_mills, s.debited_mills, "
        f"{', '.join(PARTS)} FROM meter_state m JOIN statement s USING (meter_id, generation) "
        "WHERE s.number = (SELECT max(number) FROM statement l WHERE l.meter_id = m.meter_id)"
    )
    payments: dict[bytes, set[tuple[str, int]]] = {}
    for meter_id, transaction, mills in town.rows("SELECT meter_id, provider_txn_id, amount_mills FROM payment"):
        payments.setdefault(bytes(meter_id), set()).add((transaction, mills))
    return {bytes(row[0]): (row[1:], payments.get(bytes(row[0]), set())) for row in rows}


def said_by_meters(town: Town) -> dict[bytes, Any]:
    return {
        one.meter_id: (one.volume_l, one.spent_mills, one.debt.collected_mills, one.credited_mills, one.debited_mills)
        for one in town.meters.values()
    }


class Watch:
    """Looks at each first contact: is a meter that truly is ahead of the backup listed as such?"""

    def __init__(self, town: Town) -> None:
        self.town, self.counts, self.contacted = town, Counter[str](), set[bytes]()
        self.ahead = {one.meter_id for one in town.meters.values() if self._is_ahead(one)}
        town.heard = self.heard

    def _is_ahead(self, meter: LivingMeter) -> bool:
        """By the restored books with what the file gave them taken off, and by the meter itself."""
        [(number,)] = self.town.rows("SELECT backup_number FROM recovery WHERE meter_id = ?", meter.meter_id)
        credit, debit = self.town.rows(
            "SELECT credited_mills, debited_mills FROM statement WHERE meter_id = ? AND number = ?",
            meter.meter_id,
            number,
        )[0]
        frontier, epoch = self.town.rows(
            "SELECT s.frontier_slot, l.epoch FROM meter_state s JOIN meter_link l USING (meter_id) WHERE meter_id = ?",
            meter.meter_id,
        )[0]
        versions = dict(
            self.town.rows("SELECT kind, max(version) FROM pack WHERE meter_id = ? GROUP BY kind", meter.meter_id)
        )
        return (
            meter.credited_mills > credit
            or meter.debited_mills > debit
            or meter.acked_slot > frontier
            or meter.keys.epoch > epoch
            or max(pack.version for pack in meter.packs) > versions[3]
        )

    def state(self, meter: LivingMeter) -> str:
        return contact.state_of(
            *self.town.rows("SELECT heard_us, told_us, found FROM recovery WHERE meter_id = ?", meter.meter_id)[0]
        )

    def heard(self, meter: LivingMeter, take: Any) -> Answer:
        answer: Answer = take()
        if meter.meter_id not in self.contacted and not answer.duplicate:
            self.contacted.add(meter.meter_id)
            self.counts[f"first_{self.state(meter)}"] += 1
            if meter.meter_id in self.ahead:
                assert self.state(meter) in (contact.DIVERGED, contact.ASKED)
        return answer

    def exchanged(self, meter: LivingMeter) -> None:
        """After the first exchange, in which the meter was asked for what its first frame did not tell."""
        if meter.meter_id in self.ahead:
            assert self.state(meter) == contact.DIVERGED
            self.counts["listed"] += 1
        else:
            self.counts["agreeing"] += 1


def recover(town: Town, age_us: int, seed: int) -> Counter[str]:
    """What happens after a restore: first contacts and the provider's statement in any order, then the office."""
    chance = random.Random(seed)
    town.clock.set(FALL_US + 10 * MINUTE_US)
    watch = Watch(town)
    if age_us > FALL_US - CHEAPER_AT_US:
        [cheaper] = [act for act in script(random.Random(600 + ROUND), 0, 0) if act.kind == "cheaper"]
        town.publish_cheaper(cheaper.amount)
    todo: list[tuple[str, Any]] = [("hear", number) for number in town.meters]
    repeated = list(town.payments(FALL_US - age_us - DAY_US, FALL_US))
    todo += [("notify", one) for one in repeated] + [("notify", one) for one in repeated[::3]]
    chance.shuffle(todo)
    for what, about in todo:
        if what == "notify":
            town.notify(about)
            continue
        meter = town.meters[about]
        kinds = (meter.poll, meter.anchor, meter.device, lambda meter=meter: meter.event(6, 1))
        first = chance.choice((*kinds, None, None, None))
        town.converse(meter, [first()] if first is not None else meter.say_log() or [meter.poll()])
        watch.exchanged(meter)
    for transaction in town.reversed:
        if not town.rows(
            "SELECT 1 FROM entry e JOIN payment p ON e.reverses = p.entry_id WHERE provider_txn_id = ?", transaction
        ):
            town.reverse(transaction)
    town.heard = lambda _meter, take: take()
    return watch.counts


@pytest.mark.worlds
@pytest.mark.timeout(900)
@pytest.mark.xdist_group("restores")
@pytest.mark.parametrize(("age", "file"), PAIRS)
def test_a_restore_ends_as_if_the_headend_never_fell(
    fallen: Fallen, oracle: dict[bytes, Any], tmp_path: Path, age: str, file: str
) -> None:
    """I3, I4, I15, I23: each meter that is ahead is listed with its first contact; the books end as the oracle's."""
    town = fallen_and_restored(fallen, tmp_path / "a", age, file)
    counts = recover(town, AGES_US[age], 700 + ROUND)
    assert counts["listed"] + counts["agreeing"] == len(town.meters)
    go_on(town, fallen, 600 + ROUND)
    assert said_by_books(town) == oracle
    assert said_by_meters(town) == {meter_id: rest[0][:5] for meter_id, rest in oracle.items()}
    assert faults_of(town, slow=age == "1 d") == []
    unexplained = "SELECT kind FROM case_file WHERE kind IN ('recovered', 'counter-ahead') AND closed_us IS NULL"
    assert town.rows(unexplained) == []
    town.close()
    publish("restores", f"{age} {file}".replace(" ", "-"), restores=1, meters=len(town.meters), ahead=counts["listed"])


def fallen_and_restored(fallen: Fallen, folder: Path, age: str, file: str) -> Town:
    """The town with one of its backups in place."""
    town = awaken(fallen, folder)
    town.close()
    granted = folder / "granted"
    if file == "without":
        granted.unlink()
    town.clock.set(FALL_US + 10 * MINUTE_US)
    restore(town.path, folder / f"{age}.backup", folder / "keys", ACTOR, granted, town.clock)
    back = Town(folder, random.Random(5), granted)
    back.meters, back.paid, back.reversed = town.meters, town.paid, town.reversed
    return back
