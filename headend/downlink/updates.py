"""FRAGMENT: bytes of the update that a meter is meant to run, from the offset that it asked for (docs/SPEC.md).

A meter that says nothing of an update is asked where it stands; all else answers its PROGRESS. So its own asking sets
the pace, and what is lost is simply asked for again. This comes after everything that a customer waits for.
"""

from headend.downlink.heard import Heard
from headend.downlink.reply import Message
from headend.ingest.meter_link import MeterLink
from headend.releases import releases
from headend.releases.images import ImageMissing
from headend.releases.updates import WANTED, Told, Update, told_of, update_of
from headend.storage.remembered import Topic
from headend.storage.writer import Tx
from protocol.wire import update_codes
from protocol.wire.downlinks import encode_down
from protocol.wire.limits import UPDATE_CHUNK_MAX
from protocol.wire.messages import Fragment

PAGE_BYTES = 256  # the meter asks again when one is whole
QUIET_US = 600 * 1_000_000  # a meter that told of this update within ten minutes goes on by itself


def update_messages(tx: Tx, link: MeterLink, heard: Heard, room: int) -> list[Message]:
    """At most `room` messages: a question, the next bytes in order, or the order to start what is whole."""
    if room < 1:
        return []
    update = tx.remembered.recall(Topic.UPDATES, link.meter_id, lambda: update_of(tx.connection, link.meter_id))
    if update is None or update.state != WANTED:
        return []
    release = releases.find(tx.connection, update.hardware, update.version)
    assert release is not None, "the database refuses an order without its release"
    try:
        data = releases.file_of(tx.connection, release)
    except ImageMissing:
        return []
    return [encode_down(one) for one in _fragments(tx, update, data, heard, room)]


def _fragments(tx: Tx, update: Update, file: bytes, heard: Heard, room: int) -> list[Fragment]:
    told = told_of(tx.connection, update)
    question = Fragment(update.version, 0, b"")
    if not heard.asks_update:
        return [question] if _is_silent(tx, told, update) else []
    if told is None or told.version != update.version:
        return [question]
    if told.state == update_codes.VERIFIED:
        return [Fragment(update.version, len(file), b"")]
    if told.state not in (update_codes.IDLE, update_codes.TAKING):
        return []
    page_end = (told.next_offset // PAGE_BYTES + 1) * PAGE_BYTES
    end = min(told.next_offset + room * UPDATE_CHUNK_MAX, page_end, len(file))
    return [
        Fragment(update.version, at, file[at : min(at + UPDATE_CHUNK_MAX, end)])
        for at in range(told.next_offset, end, UPDATE_CHUNK_MAX)
    ]


def _is_silent(tx: Tx, told: Told | None, update: Update) -> bool:
    """Whether the meter is to be asked: it did not tell of this update, or not lately."""
    return told is None or told.version != update.version or tx.now_us - told.told_us > QUIET_US
