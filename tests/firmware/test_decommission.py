"""The end of a meter's life: what is left is a blank board, whenever the power goes on the way (IW-35)."""

from typing import Any

import pytest

from firmware import boot, keepsake
from firmware.boards.blank import erase, is_blank
from firmware.factory import Factory
from firmware.meter import Meter
from firmware.service_port import ServicePort
from hil_tests.cuts import host_littlefs
from hil_tests.cuts.board import CutBoard
from hil_tests.cuts.nor_ram import EEPROM_BYTES, SIZE, NorRam, apply, tear
from hil_tests.cuts.world import GENERATION, METER_ID, ROOT, World
from protocol.console_client import Client
from protocol.wire import cbor, grants
from protocol.wire.console_codes import NOT_ALLOWED, NOT_AUTHENTIC, RETIRER, TECHNICIAN, VALVE_MOVING

HOUR_S = 3_600


class Bench(World):
    """A meter on a flash whose every operation is kept, with a port to ask by."""

    def __init__(self) -> None:
        super().__init__(host_littlefs.littlefs_module(), "the end")
        self.provision()
        self.boot()
        self.board.stop = self.valve
        self.meter.tick()
        self.board.erase_flash = self.erase
        self.session(TECHNICIAN, 1)

    def erase(self) -> bool:
        self.board.files = None
        self.flash.unmount()
        return erase(self.device, lambda: None)

    def session(self, role: int, number: int) -> None:
        """Begin one under a new grant."""
        unix_s = self.meter.unix_s()
        self.grant = grants.Grant(METER_ID, GENERATION, number, role, 5, unix_s, unix_s + HOUR_S)
        self.port = ServicePort(self.meter)
        self.meter.port = self.port
        self.client = Client(lambda *_: grants.grant_key(ROOT, self.grant), lambda size: bytes(size))
        ((kind, _),) = self.client.feed(self.port.take(self.client.hello_grant(self.grant)))
        assert kind == "session"

    def ask(self, *question: Any) -> Any:
        ((kind, said),) = self.client.feed(self.port.take(self.client.ask(cbor.encode_sequence([7, *question]))))
        assert kind == "answer"
        return cbor.decode_sequence(said, 2, 200, 1_024)[1:]


def board_of(image: bytearray) -> tuple[NorRam, Any]:
    """What a power-on finds: the board, mounted or not."""
    flash, device = host_littlefs.littlefs_module(), NorRam(image)
    flash.unmount()
    board = CutBoard(device, flash.mount(device))

    def wiped() -> bool:
        board.files = None
        flash.unmount()
        return erase(device, lambda: None)

    board.erase_flash = wiped
    return device, board


@pytest.fixture(scope="module")
def life() -> tuple[bytes, list[Any], bytes, bytes]:
    """(before, operations, after, state): a decommissioning, operation by operation."""
    bench = Bench()
    bench.session(RETIRER, 2)
    bench.ask("read")
    before, state = bytes(bench.device.image), bench.meter.state.encode()
    bench.device.journal = operations = []
    assert bench.ask("decommission", METER_ID) == ["done"]
    assert bench.meter.ended
    return before, operations, bytes(bench.device.image), state


def test_it_leaves_a_blank_flash_and_a_keepsake_that_knows_nobody(life: Any) -> None:
    """Keys, state and log are gone from the raw memories, not only from the files."""
    before, _, after, _ = life
    assert ROOT in before[:SIZE] and ROOT in before[SIZE:] and METER_ID in before
    assert after[:SIZE] == b"\xff" * SIZE
    assert ROOT not in after and METER_ID not in after
    device, board = board_of(bytearray(after))
    assert keepsake.look(board.eeprom, keepsake.IDENTITY)[0] == keepsake.BEGUN
    assert keepsake.look(board.eeprom, keepsake.COUNTERS)[0] == keepsake.NONE
    assert isinstance(boot.boot(board), Factory) and is_blank(device)


@pytest.mark.parametrize("torn", [False, True])
def test_a_cut_at_every_operation_leaves_the_meter_whole_or_a_blank_board(life: Any, torn: bool) -> None:
    """Never something that formats later, and never half a meter: it lives with its very state, or is blank."""
    before, operations, _, state = life
    image, seen = bytearray(before), []
    for number, operation in enumerate(operations):
        cut = bytearray(image)
        if torn:
            tear(cut, operation, number)
        apply(image, operation)
        device, board = board_of(cut)
        board.clock = (0, False)
        application = boot.boot(board)
        seen.append(isinstance(application, Meter))
        if isinstance(application, Meter):
            application.state.sure = 1
            assert application.state.encode() == state and application.store.state.load() == state
            assert keepsake.look(board.eeprom, keepsake.IDENTITY)[0] == keepsake.KEPT
            continue
        assert isinstance(application, Factory), application
        application.wake_up()
        assert is_blank(device) and ROOT not in device.image and METER_ID not in device.image
        assert isinstance(boot.boot(board_of(device.image)[1]), Factory)
    assert len(operations) >= 30 and seen == sorted(seen, reverse=True) and 2 < sum(seen) < len(seen)


def test_a_blank_board_lives_again_as_another_meter(life: Any) -> None:
    world = World(host_littlefs.littlefs_module(), "again")
    world.device.image[:] = life[2]
    world.provision()
    world.boot()
    assert world.meter.state.boot_count == 1 and world.meter.state.opened


def test_it_is_refused_by_name_role_and_while_the_motor_runs() -> None:
    bench = Bench()
    assert bench.ask("decommission", METER_ID) == ["refused", NOT_ALLOWED]
    bench.session(RETIRER, 2)
    bench.ask("read")
    before = bytes(bench.device.image)
    assert bench.ask("decommission", bytes(8)) == ["refused", NOT_AUTHENTIC]
    bench.meter.valve.motor_since_us = bench.board.now_us()
    assert bench.ask("decommission", METER_ID) == ["refused", VALVE_MOVING]
    assert bytes(bench.device.image) == before and not bench.meter.ended


def test_nothing_is_asked_of_a_meter_that_has_ended() -> None:
    """Questions that came behind the last one touch no memory any more."""
    bench = Bench()
    bench.session(RETIRER, 2)
    lines = [bench.client.ask(cbor.encode_sequence([7, *one])) for one in (["decommission", METER_ID], ["report"])]
    events = bench.client.feed(bench.port.take(b"".join(lines)))
    assert len(events) <= 1 and bench.device.image[:SIZE] == b"\xff" * SIZE


def test_an_eeprom_that_takes_nothing_keeps_the_meter() -> None:
    bench = Bench()
    bench.session(RETIRER, 2)
    bench.ask("read")
    before = bytes(bench.device.image)
    bench.board.eeprom.write = lambda offset, data: None
    assert bench.ask("decommission", METER_ID)[0] == "refused" and not bench.meter.ended
    assert bytes(bench.device.image) == before and len(before) == SIZE + EEPROM_BYTES
