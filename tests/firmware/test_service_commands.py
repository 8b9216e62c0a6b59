"""What the commands of the service port do, and that none of them is a way to money (CT-33, SEMANTICS D1, E)."""

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware.console_fields import FIELDS
from protocol.console_client import Client
from protocol.rules.calendar import slot_of
from protocol.rules.policy import NEVER_CLOSE_LOCK, NEW
from protocol.wire import cbor, console, event_codes, grants
from protocol.wire.console_codes import BAD_ARGUMENTS, MAINTAINER, NOT_NOW, RETIRER, TECHNICIAN, VALVE_MOVING
from protocol.wire.messages import UP_ANCHOR, UP_DEVICE, UP_RANGE, VALVE_CLOSED, VALVE_OPEN
from simulator import link
from tests.firmware.rig import METER_ID, MIDNIGHT_S, ROOT, Rig, opening
from tests.firmware.test_grants import COMMANDS, HASH, Visit, grant, world_of_its_own

__all__ = ["world_of_its_own"]

Make = Callable[..., Rig]
# What acts comes in as bytecode here, beside the meter; in an image it is frozen and takes no heap.
ROOM = "heapsize=96wK"


# Hostile arguments ----------------------------------------------------------------------------------------------------
JUNK = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**63), 2**64 - 1), st.binary(max_size=60), st.text(max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.integers(0, 99), st.text(max_size=3)), inner, max_size=2),
    ),
    max_leaves=4,
)
MONEY = ("credited_mills", "debited_mills", "collected_mills", "statement", "opened", "instalments")


def money(visit: Visit) -> tuple[Any, ...]:
    state = visit.application.state
    return (*[getattr(state, name) for name in MONEY], state.rating, state.volume_l)


@given(
    st.sampled_from((TECHNICIAN, MAINTAINER, RETIRER)),
    st.one_of(st.sampled_from(sorted(COMMANDS)), st.text(max_size=12)),
    st.lists(JUNK, max_size=4),
)
@settings(max_examples=400, deadline=None)
def test_no_argument_is_a_way_to_money_and_none_raises(role: int, name: str, arguments: list[Any]) -> None:
    visit = VISITS[role]
    visit.begin(grant(number=visit.application.state.grant + 1, role=role))
    before = money(visit)
    assert isinstance(visit.ask(name, *arguments), list)
    assert money(visit) == before


VISITS: dict[int, Visit] = {}


@pytest.fixture(autouse=True, scope="module")
def visits() -> None:
    """One meter for each role: what is tried at it must leave it as it was."""
    for role in (TECHNICIAN, MAINTAINER, RETIRER):
        VISITS[role] = Visit()


def bad_arguments() -> list[tuple[str, list[Any]]]:
    """Every command with too many, too few, wrong types and values out of range."""
    wrong: dict[str, list[list[Any]]] = {
        "read": [[1], [b""]],
        "events": [[0]],
        "slots": [[], [0], [0, 17], [-1, 1], [0, True], ["0", 1], [2**32, 1], [0, 1, 2]],
        "frame": [[], [bytes(52)], ["x"], [7], [b"", b""], [[b""]], [None]],
        "report": [[-1], ["1"], [1, 2], [True], [2**32]],
        "attest": [[], [bytes(31)], [bytes(33)], ["x" * 32], [HASH, 1]],
        "valve": [[], [1], [1, 60], [1, 0, 5], [1, 901, 5], [1, 60, 0], [1, 60, 51], [3, 60, 5], [-1, 60, 5]],
    }
    wrong["valve"] += [[True, 60, 5], [1, True, 5], ["1", 60, 5], [2, 0, 0], [1, 60, 5, 1], [2**64 - 1, 60, 5]]
    return [(name, given) for name, rows in wrong.items() for given in rows]


@pytest.mark.parametrize(("name", "given"), bad_arguments())
def test_bad_arguments_are_refused_and_change_nothing(name: str, given: list[Any]) -> None:
    visit = Visit()
    visit.begin(grant())
    visit.ask("read")
    before = (visit.frozen(), visit.everything(), visit.application.must_persist)
    assert visit.ask(name, *given) == ["refused", BAD_ARGUMENTS]
    assert (visit.frozen(), visit.everything(), visit.application.must_persist) == before


@pytest.mark.parametrize("given", [[], [bytes(7)], [METER_ID.hex()], [METER_ID, 1], [7]])
def test_a_meter_is_not_ended_by_a_slip(given: list[Any]) -> None:
    visit = Visit()
    visit.begin(grant(role=RETIRER))
    assert visit.ask("decommission", *given) == ["refused", BAD_ARGUMENTS]
    assert not visit.application.ended and not visit.erasures


# Attesting ------------------------------------------------------------------------------------------------------------
def test_an_attestation_is_what_the_headend_can_compute_and_nobody_else() -> None:
    visit = Visit()
    visit.begin(grant())
    unix_s, tag = visit.ask("attest", HASH)
    assert unix_s == visit.application.unix_s()
    assert tag == grants.attest_tag(grants.attest_key(ROOT, METER_ID, 1), HASH, unix_s)
    assert visit.ask("attest", bytes(32))[1] != tag
    assert grants.attest_key(ROOT, METER_ID, 1) not in {
        grants.attest_key(ROOT, METER_ID, 2),
        console.console_key(ROOT, METER_ID, 1),
        grants.grant_key(ROOT, grant()),
    }


# A real meter ---------------------------------------------------------------------------------------------------------
class Cable:
    """Somebody with a cable and a grant at a real MicroPython."""

    numbers = itertools.count(1)

    def __init__(self, meter: Rig, role: int = TECHNICIAN) -> None:
        self.meter = meter
        one = grants.Grant(METER_ID, 1, next(self.numbers), role, 9, meter.now_s - 60, meter.now_s + 7_200)
        self.grant = one
        self.client = Client(lambda *_: grants.grant_key(ROOT, one), lambda size: bytes(size))
        ((kind, _),) = self.say(self.client.hello_grant(one))
        assert kind == "session"

    def say(self, line: bytes) -> list[Any]:
        self.meter.line = b""
        half = len(line) // 2
        self.meter.advance(link.record(link.CONSOLE, line[:half]), link.record(link.CONSOLE, line[half:]))
        return self.client.feed(self.meter.line)

    def ask(self, *question: Any) -> Any:
        ((kind, said),) = self.say(self.client.ask(cbor.encode_sequence([7, *question])))
        return cbor.decode_sequence(said, 2, 200, 1_024)[1:] if kind == "answer" else said

    def read(self) -> dict[str, Any]:
        return dict(zip(FIELDS, self.ask("read"), strict=True))


def test_an_order_by_cable_has_an_end_and_a_cap_and_its_water_is_counted(rig: Make) -> None:
    """A home without credit: five litres for the bucket and not one more, all of them charged."""
    meter = rig(heap=ROOM, opening=opening(0)).start("--sealed-console")
    cable = Cable(meter)
    meter.run(30)
    assert meter.valve == link.END_CLOSED
    assert cable.ask("valve", 1, 60, 5) == ["done"]
    meter.run(20)
    assert meter.valve == link.END_OPEN and meter.face["valve"] == VALVE_OPEN
    assert meter.draw(9) == 5 and meter.valve == link.END_CLOSED
    told = cable.read()
    assert (told["volume_l"], told["spent_mills"], told["balance_mills"]) == (5, 2_500, -2_500)
    assert cable.ask("valve", 1, 60, 5) == ["done"]
    meter.run(61)
    assert meter.valve == link.END_CLOSED  # its time is over
    meter.run(10)
    assert event_codes.SERVICE in meter.event_codes()
    entries = [entry for message in meter.sent(3) for entry in message.events if entry.code == event_codes.SERVICE]
    assert {entry.argument for entry in entries} == {cable.grant.number << 8 | TECHNICIAN}


@pytest.mark.parametrize("end", ["another session", "a wrong tag", "five minutes", "a power cut", "release"])
def test_an_order_by_cable_ends_with_its_session(rig: Make, end: str) -> None:
    meter = rig(heap=ROOM, opening=opening(0)).start("--sealed-console")
    cable = Cable(meter)
    meter.run(30)
    assert cable.ask("valve", 1, 900, 50) == ["done"]
    meter.run(20)
    assert meter.valve == link.END_OPEN
    if end == "another session":
        cable.say(cable.client.hello())
    elif end == "a wrong tag":
        cable.say(console.to_line(bytes([console.QUESTION]) + bytes(12)))
    elif end == "five minutes":
        meter.run(301)
    elif end == "release":
        assert cable.ask("valve", 0, 0, 0) == ["done"]
    else:
        meter.kill()
        meter.pending = []
        meter.start("--sealed-console", provision=False)
    meter.run(30)
    assert meter.valve == link.END_CLOSED


def test_a_closing_order_and_the_two_that_are_refused(rig: Make) -> None:
    meter = rig(heap=ROOM, opening=opening(500_000)).start("--sealed-console")
    cable = Cable(meter)
    meter.run(30)
    meter.mute_end_stops = True
    assert cable.ask("valve", 2, 600, 0) == ["done"]
    assert cable.ask("valve", 1, 600, 5) == ["refused", VALVE_MOVING]
    meter.mute_end_stops = False
    meter.advance(link.end_stop(link.END_CLOSED))
    meter.valve = link.END_CLOSED
    assert meter.face["valve"] == VALVE_CLOSED and meter.draw(3) == 0
    assert cable.ask("valve", 0, 0, 0) == ["done"]
    meter.run(20)
    assert meter.face["valve"] == VALVE_OPEN
    locked = rig(heap=ROOM, opening=opening(500_000), policy=NEW._replace(flags=NEVER_CLOSE_LOCK)).start(
        "--sealed-console"
    )
    cable = Cable(locked)
    locked.run(30)
    assert cable.ask("valve", 2, 600, 0) == ["refused", NOT_NOW]


def test_credit_comes_by_cable_only_as_a_frame_that_the_headend_sealed(rig: Make) -> None:
    """A2: the same statement by two ways counts once; a broken one says 0 and changes no counter."""
    meter = rig(heap=ROOM, opening=opening(0)).start("--sealed-console")
    cable = Cable(meter)
    frame = meter.books.statement(750_000)
    assert cable.ask("frame", frame[:-1] + bytes([frame[-1] ^ 1])) == [0]
    assert cable.ask("frame", b"") == [0] and cable.read()["credited_mills"] == 0
    assert cable.ask("frame", frame) == [1]
    meter.run(20)
    assert meter.valve == link.END_OPEN
    meter.hear(frame)
    assert cable.ask("frame", frame) == [0]
    meter.kill()
    meter.pending = []
    meter.start("--sealed-console", provision=False)
    cable = Cable(meter)
    assert cable.read()["credited_mills"] == 750_000


def test_a_report_by_hand_is_fresh_frames_and_its_time_is_never_believed(rig: Make) -> None:
    meter = rig(heap=ROOM, opening=opening(50_000_000)).start("--sealed-console")
    for _ in range(6):
        meter.draw(4)
        meter.run(1_800)
    cable = Cable(meter)
    counters = [counter for _, counter, _, _ in meter.frames]
    types = []
    for frame in cable.ask("report"):
        counter, message_type, _ = meter.books.read(frame)
        types.append(message_type)
        assert counter > max(counters) and len(frame) <= 51
    assert types == [UP_ANCHOR, UP_DEVICE, UP_RANGE]
    first = slot_of(MIDNIGHT_S)
    ended, *frames = cable.ask("report", first + 2)
    assert ended == cable.read()["open_slot"]
    ((_, _, log),) = [meter.books.read(frame) for frame in frames]
    assert log.slot14 == first + 2 & 0x3FFF and len(log.litres) == ended - first - 2
    assert cable.ask("report", ended) == [ended]
    before = cable.read()["unix_s"]
    assert cable.ask("frame", meter.books.time(counter, meter.now_s + 25)) == [1]
    assert abs(cable.read()["unix_s"] - before) <= 1


def test_what_is_read_by_cable_tells_a_bucket_test_what_it_needs(rig: Make) -> None:
    meter = rig(heap=ROOM, opening=opening(500_000), pulse_ml=100).start("--sealed-console")
    cable = Cable(meter)
    before = cable.read()
    meter.pulse(43)
    after = cable.read()
    poured = (after["volume_l"] - before["volume_l"]) * 1_000 + after["volume_ml"] - before["volume_ml"]
    assert (poured, after["pulses"] - before["pulses"], after["pulse_ml"]) == (4_300, 43, 100)
    assert (after["battery_mv"], after["generation"], after["tampered"]) == (3_600, 1, 0)
    assert (after["grant"], after["grant_sessions"]) == (cable.grant.number, 1)
    events = cable.ask("events")
    assert all(len(entry) == 4 for entry in events)
    assert after["heap_free_min"] > 6_000 and after["boot_count"] == 1
