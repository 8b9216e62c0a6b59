"""The same backup restored twice: numbers of the life in between never come again with other content (A5, I15)."""

import random
from itertools import pairwise
from pathlib import Path

from headend.backups import back_up
from headend.clock import SimClock
from headend.downlink.reply import seal
from headend.ledger.checks import check_books
from headend.meters import commands
from headend.restore import restore
from headend.storage.audit import SYSTEM
from protocol.wire.command_codes import TELL
from protocol.wire.messages import Command, Result, Statement
from tests.headend.virtual_meter import VirtualMeter
from tests.headend.world import World

DAY_S = 86_400


def return_to(world: World, folder: Path, backup: Path) -> World:
    world.close()
    restore(world.path, backup, folder / "keys", SYSTEM, None, SimClock(world.clock.unix_us()))
    return World(folder, random.Random(2))


def tell(world: World, meter: VirtualMeter) -> int:
    """Order the meter to tell, and the number of that."""
    until_s = world.clock.unix_us() // 1_000_000 + DAY_S
    return world.writer.run(lambda tx: commands.order(tx, meter.meter_id, TELL, 0, 0, until_s)).number


def test_a5_numbers_of_a_life_between_two_restores_never_come_again(tmp_path: Path) -> None:
    world = World(tmp_path, random.Random(1))
    meter = world.add()
    world.pay(meter.number, 1_000, "before")
    backup = tmp_path / "backup"
    back_up(world.path, backup)
    lives: list[tuple[int, int]] = []
    for life in range(3):
        world = return_to(world, tmp_path, backup)
        world.pay(meter.number, 500 + life, f"life {life}")
        number = world.one("SELECT max(number) FROM statement")
        lives.append((number, tell(world, meter)))
        assert number & 63 == lives[0][0] & 63, "half an echo away from the backup's, each time"
        assert world.reader.read(check_books) == []
    assert all(later[0] > earlier[0] and later[1] > earlier[1] for earlier, later in pairwise(lives))
    world.close()


def test_d1_an_order_below_the_last_one_done_is_given_up(tmp_path: Path) -> None:
    """D1, I22: a meter answers it with the last RESULT, each time; the two must not go on like that for ever."""
    world = World(tmp_path, random.Random(1))
    meter = world.add()
    number = tell(world, meter)
    answer = world.lose_answer(meter, meter.poll())
    assert answer.reply is not None
    said = [meter.hear_frame(frame) for frame in seal(answer.reply)]
    assert [type(message) for message in said] == [Statement, Command]
    later = Result(number + 7, TELL, 0, 0)
    assert world.receive(meter, meter.seal(later)).reply is not None
    assert world.rows("SELECT number, state FROM meter_command") == [(number, "expired")]
    assert not any(isinstance(heard, Command) for heard in heard_next(world, meter))
    world.close()


def heard_next(world: World, meter: VirtualMeter) -> list[object]:
    answer = world.lose_answer(meter, meter.poll())
    assert answer.reply is not None
    return [meter.hear_frame(frame) for frame in seal(answer.reply)]
