"""One home in one process: the firmware under CPython on files in memory, and the real headend with real books.

Faster than the real device by far, so that histories of weeks fit a test; what needs MicroPython is in tests/firmware.
`up` and `down` say which frames get through; by default all do.
"""

from collections.abc import Callable
from typing import Any

from firmware import boot, commission
from firmware.boards.base import END_STOP_CLOSED, END_STOP_OPEN, MOTOR_CLOSE, Board
from firmware.identity import Identity, encode
from headend.downlink.reply import seal
from headend.ingest import meter_state
from headend.ingest.received import Bearer, Received
from headend.ledger.cases import ON_SITE, CaseKind
from headend.ledger.checks import check_books
from headend.meters.registry import NewMeter, add_meter
from protocol.rules.calendar import slot_start
from protocol.wire.messages import DOWN_POLICY, DOWN_TARIFF
from simulator.meter_in_memory import MemoryEeprom
from tests.firmware.fake_files import FakeFiles
from tests.headend.world import START_SLOT, World

SECOND_US = 1_000_000
HOUR_S = 3_600
DAY_S = 86_400


def always(frame: bytes) -> bool:
    return True


def never(frame: bytes) -> bool:
    return False


class MemoryBoard(Board):
    """The inputs of a home; a valve that always arrives."""

    def __init__(self, home: "Home", files: FakeFiles | None, rtc: tuple[int, bool]) -> None:
        self.home, self.files, self.started_s = home, files, home.now_s
        self.eeprom = home.eeprom
        self._rtc = rtc
        self.sent: list[bytes] = []
        self.heard: list[bytes] = []
        self.end_stop: int | None = None

    def now_us(self) -> int:
        return (self.home.now_s - self.started_s + 1) * SECOND_US

    def rtc(self) -> tuple[int, bool]:
        return self._rtc

    def pulses(self) -> int:
        return self.home.pulses

    def take_button(self) -> bool:
        return False

    def take_end_stop(self) -> int | None:
        stop, self.end_stop = self.end_stop, None
        return stop

    def tampered(self) -> bool:
        return False

    def battery_mv(self) -> int:
        return 3_600

    def flash_blank(self) -> bool:
        return not self.home.is_provisioned

    def motor(self, command: int) -> None:
        self.end_stop = END_STOP_CLOSED if command == MOTOR_CLOSE else END_STOP_OPEN

    def face(self, picture: bytes) -> None:
        pass

    def transmit(self, frame: bytes) -> None:
        self.sent.append(frame)

    def receive(self) -> bytes | None:
        return self.heard.pop(0) if self.heard else None

    def console_receive(self) -> None:
        return None


class Home:
    """A meter and its headend; `now_s` is the time of both worlds."""

    def __init__(
        self,
        world: World,
        *,
        clock: bool = True,
        opened: bool = True,
        report_slots: int = 1,
        bearer: Bearer = Bearer.UDP,
        up: Callable[[bytes], bool] = always,
        down: Callable[[bytes], bool] = always,
        **changes: Any,
    ) -> None:
        """`clock`: its real-time clock is right at first; `opened`: the OPENING is given to it over the cable;
        `report_slots`: half-hours from report to report."""
        self.world, self.now_s, self.pulses = world, slot_start(START_SLOT), 0
        self.is_provisioned = False
        self.bearer, self.up, self.down = bearer, up, down
        fields: dict[str, Any] = {"meter_id": bytes(7) + b"\1", "tariff_code": "home", "customer_name": "Amina"}
        new = NewMeter(**{**fields, "start_slot": START_SLOT, **changes})
        record = world.writer.run(lambda tx: add_meter(tx, world.keyring, new))
        self.meter_id, self.number = record.meter_id, record.customer_number
        packs = tuple(
            (kind, pack.version, pack.from_slot, pack.body)
            for kind, pack in ((DOWN_TARIFF, record.tariff), (DOWN_POLICY, record.policy))
        )
        frame = record.opening_frame if opened else b""
        who = Identity(record.meter_id, record.root, record.generation, 1_000, report_slots, 10**10, frame, packs)
        self.files: FakeFiles | None = FakeFiles()
        self.eeprom = MemoryEeprom()
        commission.provision(MemoryBoard(self, None, (self.now_s, clock)), encode(who), lambda: self.files)
        self.is_provisioned = True
        self.start(clock)

    def start(self, clock: bool = True, error_s: int = 0) -> None:
        """Power on, or a reset."""
        self.board = MemoryBoard(self, self.files, (self.now_s + error_s, clock))
        self.meter = boot.boot(self.board)
        self.meter.wake_up()
        self._work()

    @property
    def state(self) -> Any:
        return self.meter.state

    def run(self, seconds: int) -> None:
        until_s = self.now_s + seconds
        while self.now_s < until_s:
            wake_s = self.board.started_s - 1 - (-self.meter.next_us() // SECOND_US)
            self.now_s = max(self.now_s, min(until_s, wake_s))
            self._work()

    def report_every(self, slots: int) -> None:
        """Change the cadence, as a COMMAND does."""
        self.state.report_slots = slots
        self.meter.sync.period_changed()

    def live(self, hours: int, litres_an_hour: int = 5) -> None:
        """Draw water every hour, then wait until the last closed slot is reported."""
        for _ in range(hours):
            self.pulses += litres_an_hour
            self._work()
            self.run(HOUR_S)
        self.run((600 - self.now_s) % HOUR_S)

    def _work(self) -> None:
        self.world.clock.set(self.now_s * SECOND_US)
        while True:
            self.meter.tick()
            frames, self.board.sent = self.board.sent, []
            if not frames and self.board.end_stop is None and not self.board.heard:
                return
            for frame in frames:
                if self.up(frame):
                    self._arrive(frame)

    def _arrive(self, frame: bytes) -> None:
        received = Received(self.meter_id, frame, self.bearer, "127.0.0.1 5555", self.now_s * SECOND_US)
        answer = self.world.writer.run(lambda tx: self.world.ingest.receive(tx, received))
        for downlink in seal(answer.reply) if answer.reply is not None else []:
            if self.down(downlink):
                self.board.heard.append(downlink)

    def cases_of_the_books(self) -> list[Any]:
        """(kind, detail). This home draws whatever its valve says: that such a valve leaks is true, and no fault."""
        kinds = ", ".join(f"'{kind}'" for kind in ON_SITE if kind != CaseKind.FLASH_LOST)
        return self.world.rows(f"SELECT kind, detail FROM case_file WHERE kind NOT IN ({kinds})")

    def differences(self) -> dict[str, Any]:
        """What of meter and books does not agree at the last closed slot; cases and faults of the books."""
        meter = self.state
        books = self.world.writer.run(lambda tx: meter_state.load(tx, self.meter_id))
        pairs = {
            "slot": (books.frontier_slot, meter.open_slot),
            "log generation": (books.log_generation, meter.log_generation),
            "V": (books.volume_l, meter.volume_l - meter.open_litres),
            "S": (books.spent_mills, meter.cut_spent_mills),
            "R": (books.collected_mills, meter.cut_collected_mills),
        }
        found: dict[str, Any] = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
        cases = self.cases_of_the_books()
        faults = self.world.reader.read(check_books)
        return {**found, **({"cases": cases} if cases else {}), **({"faults": faults} if faults else {})}
