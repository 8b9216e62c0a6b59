"""What stands on flash: records, the state, slots of the log, the keepsake, the packs. Anything at all may stand there,
and a reader gives a whole record or None; what it gives is written back to the same bytes (M1, M4, I25).

The first byte chooses the reader; where it is odd, the rest is wrapped in a whole record first."""

from firmware import flash_record, keepsake, slot_log, state
from firmware.packs import Packs
from protocol.errors import Refused
from simulator.meter_in_memory import MemoryEeprom, MemoryFiles
from tests.fuzz.targets.identities import made


def seeds() -> list[bytes]:
    fresh = state.State().encode()
    record = flash_record.pack(7, bytes(8), b"payload")
    closed = slot_log.ClosedSlot(*(number + 1 for number in range(len(slot_log.ClosedSlot._fields))))
    return [
        b"\x00" + record,
        b"\x02" + fresh,
        b"\x03" + fresh,
        b"\x02" + bytes([2]) + fresh[1:],
        b"\x04" + slot_log.encode(closed, bytes(8)),
        b"\x06" + record,
        b"\x07" + made()[0],
        b"\x09" + bytes.fromhex("850301000043100001850401000042100085060100004410000000"),
    ]


def one(data: bytes) -> None:
    kind, content = sum(data[:1]) % 10, data[1:]
    if kind & 1:
        content = flash_record.pack(kind, bytes(8), content)
    readers = (_record, _state, _slot, _keepsake, _packs)
    readers[kind // 2](content)


def _record(content: bytes) -> None:
    found = flash_record.unpack(content)
    assert found is None or flash_record.pack(*found) == content
    files = MemoryFiles()
    files.content["a/x"] = bytearray(content)
    kept = flash_record.TwoCopies(files, "x")
    assert kept.load() == (None if found is None else found[2])


def _state(content: bytes) -> None:
    found = flash_record.unpack(content)
    payload = content if found is None else found[2]
    read = state.decode(payload)
    if read is not None and payload[0] == state.FORMAT:
        assert read.encode() == payload


def _slot(content: bytes) -> None:
    read = slot_log.decode(content)
    assert read is None or 0 <= read.pack4 <= 15
    files = MemoryFiles()
    files.content["a/log/00"] = files.content["b/log/00"] = bytearray(content)
    log = slot_log.SlotLog(files)
    assert -1 <= log.highest_generation() <= 0xFFFF
    assert 0 <= log.first_held(0, 0, 48) <= 48
    assert len(log.run(0, 0, 48, 48)[1]) <= 48


def _keepsake(content: bytes) -> None:
    eeprom = MemoryEeprom()
    eeprom.write(0, content[: keepsake.SIZE])
    for place in (keepsake.IDENTITY, keepsake.COUNTERS, keepsake.VERSION):
        kept, payload, _ = keepsake.look(eeprom, place)
        assert kept in (keepsake.NONE, keepsake.BEGUN, keepsake.KEPT, keepsake.BAD)
        assert bool(payload) == (kept == keepsake.KEPT)


def _packs(content: bytes) -> None:
    """A record that is whole was written by the meter itself; what a rotten one says must not come here."""
    found = flash_record.unpack(content)
    if found is None:
        return
    files = MemoryFiles()
    files.content["a/packs"] = bytearray(content)
    try:
        Packs(flash_record.TwoCopies(files, "packs"))
    except (Refused, TypeError):
        return
