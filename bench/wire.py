"""`guelta bench wire`: how many bytes a household's day takes on air, and how long a meter works on it.

Each day goes through the firmware's own DAY function, is sealed, opened and decoded back; one frame that differs fails
the run. The file that the shipped priors were trained on would flatter them, so there each half of the households is
measured with priors trained on the other half, and the headline is the worse half.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import click

from bench import device
from bench.household_days import BadData, DataSet, load
from bench.train_log_priors import days_of, train
from firmware import reports
from protocol.wire import envelope, keys, log_codec, messages, uplinks
from protocol.wire.priors import PRIORS, TRAINED_ON_SHA256

KEYS = keys.derive(bytes(range(16)), bytes(range(8)), 1, 0)
FRAME_BYTES = 51
LOG_HEAD_BYTES = 10
START_SLOT = 120_000
PRICE_MILLS_PER_L = 279
TIMED_DAYS = 200


class Mismatch(Exception):
    """A frame that does not decode to what was encoded."""


class Sizes(NamedTuple):
    """Bytes on air of a set of household-days."""

    days: int
    share_day_le_51: float
    day_bytes_mean: float
    day_bytes_p99: int
    day_bytes_max: int
    log_bytes_mean: float
    overhead_bytes: int


def cut_at(day: int, volume_l: int, spent_mills: int) -> reports.Cut:
    """What stands before the log of day `day` of a meter's life."""
    return reports.Cut(0, START_SLOT + 48 * day, volume_l, spent_mills, day, day // 7, 3, messages.VALVE_OPEN)


def measure(days: Sequence[Sequence[int]]) -> Sizes:
    """Encode, seal, open, decode and compare every day. Raises Mismatch."""
    frames, overheads = [], set()
    volume_l = spent_mills = 0
    for number, litres in enumerate(days):
        cut = cut_at(number, volume_l, spent_mills + sum(litres) * PRICE_MILLS_PER_L)
        message_type, plaintext = reports.build_day(cut, list(litres), 0)
        frame = envelope.seal(KEYS, envelope.UP, message_type, number, plaintext)
        compare(frame, number, cut, litres)
        frames.append(len(frame))
        overheads.add(len(frame) - len(plaintext))
        volume_l, spent_mills = volume_l + sum(litres), cut.spent_mills
    if len(overheads) != 1:
        raise Mismatch(f"the envelope's overhead varies: {sorted(overheads)}")
    frames.sort()
    overhead = overheads.pop()
    return Sizes(
        days=len(frames),
        share_day_le_51=round(sum(size <= FRAME_BYTES for size in frames) / len(frames), 4),
        day_bytes_mean=round(sum(frames) / len(frames), 3),
        day_bytes_p99=frames[(99 * len(frames) - 1) // 100],
        day_bytes_max=frames[-1],
        log_bytes_mean=round(sum(frames) / len(frames) - overhead - LOG_HEAD_BYTES, 3),
        overhead_bytes=overhead,
    )


def compare(frame: bytes, counter: int, cut: reports.Cut, litres: Sequence[int]) -> None:
    """Read `frame` as a headend does. Raises Mismatch if it does not say what `cut` and `litres` do."""
    header = envelope.read_header(frame)
    plaintext = envelope.open_frame(KEYS, envelope.UP, frame, counter)
    if plaintext is None:
        raise Mismatch(f"frame {counter} does not open under its own key")
    found = uplinks.decode_up(header.type, plaintext, 0)
    told = (found.slot14, found.volume16_l, found.spent24_mills, found.instalments6, found.statement6, found.pack4)
    meant = (
        cut.first_slot & 0x3FFF,
        cut.volume_l & 0xFFFF,
        cut.spent_mills & 0xFFFFFF,
        cut.instalments & 63,
        cut.statement & 63,
        cut.pack_version & 15,
    )
    if not isinstance(found, messages.Day) or told != meant or list(found.litres) != list(litres):
        raise Mismatch(f"frame {counter} decodes to something else: {found}")


@contextmanager
def priors_in_force(priors: bytes) -> Iterator[None]:
    """Let the codec, and so the firmware, use `priors` for a while."""
    log_codec.PRIORS = priors
    try:
        yield
    finally:
        log_codec.PRIORS = PRIORS


def fold_sizes(data: DataSet) -> list[dict[str, Any]]:
    """Both folds by household: priors from every second household, measured on the others."""
    halves = (data.households[0::2], data.households[1::2])
    folds = []
    for trained, measured in (halves, halves[::-1]):
        with priors_in_force(train(days_of(trained))):
            sizes = measure(days_of(measured))
        folds.append({"trained_households": len(trained), "measured_households": len(measured), **sizes._asdict()})
    return folds


def headline(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The worst of each figure over the folds."""
    return {
        "share_day_le_51": min(part["share_day_le_51"] for part in parts),
        "day_bytes_mean": max(part["day_bytes_mean"] for part in parts),
        "log_bytes_mean": max(part["log_bytes_mean"] for part in parts),
        "overhead_bytes": max(part["overhead_bytes"] for part in parts),
    }


def report(path: Path) -> dict[str, Any]:
    """All figures for the file at `path`. Raises BadData, Mismatch or device.Missing."""
    data = load(path)
    is_training = data.sha256 == TRAINED_ON_SHA256 and len(data.households) > 1
    parts = fold_sizes(data) if is_training else [measure(days_of(data.households))._asdict()]
    poll_type, poll = uplinks.encode_up(messages.Poll())
    return {
        **headline(parts),
        "poll_bytes": len(envelope.seal(KEYS, envelope.UP, poll_type, 1, poll)),
        **timing(days_of(data.households)[:TIMED_DAYS]),
        "households": len(data.households),
        "days": sum(len(home.days) for home in data.households),
        "headline_of": "the worse of two folds by household" if is_training else "all households, shipped priors",
        "parts": parts,
        "data_sha256": data.sha256,
    }


def timing(days: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Time encode and seal on a real MicroPython, whose frames must be ours. Raises Mismatch."""
    cuts = [cut_at(number, 0, 0) for number in range(len(days))]
    timed = device.encode_and_seal([(list(cut), list(litres)) for cut, litres in zip(cuts, days, strict=True)])
    for number, (cut, litres) in enumerate(zip(cuts, days, strict=True)):
        message_type, plaintext = reports.build_day(cut, list(litres), 0)
        if timed.frames[number] != envelope.seal(KEYS, envelope.UP, message_type, number, plaintext):
            raise Mismatch(f"MicroPython seals frame {number} differently")
    return {"encode_seal_ms_micropython": timed.milliseconds_mean, "micropython": timed.interpreter}


@click.command()
@click.option("--data", "path", required=True, type=click.Path(path_type=Path), help="Half-hourly household use.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of lines.")
def wire(path: Path, as_json: bool) -> None:
    """Measure the bytes of a day on air, through the firmware's own DAY function."""
    try:
        result = report(path)
    except BadData as error:
        raise click.BadParameter(str(error), param_hint="'--data'") from error
    except (Mismatch, device.Missing) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        click.echo(json.dumps(result, indent=2))
        return
    for name, value in result.items():
        if name != "parts":
            click.echo(f"{name:28} {value}")
