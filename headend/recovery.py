"""What a restore makes of a database before it is put in place (SEMANTICS A5, D3): nothing that was granted is lost.

C and D rise to what the high-water file tells; numbers under which a meter may hold what the books forgot are left out;
every meter is listed as unheard. What only the meters know they tell themselves (headend/ingest/contact.py).
"""

from dataclasses import dataclass, replace

from headend.ledger import chart, recovered, statements
from headend.ledger.posting_rules import credit_recovered, debit_recovered
from headend.ledger.recovered import Recovery
from headend.ledger.statements import Statement
from headend.meters.lookup import RETIRED, SPARE, holding_of_meter
from headend.storage.high_water import COUNTER_STEP, Marks, Told
from headend.storage.tables import CREDIT_PARTS, DEBIT_PARTS
from headend.storage.writer import Tx
from protocol.wire.messages import DOWN_PLAN, DOWN_POLICY, DOWN_TARIFF

# For each restore that there has been: the same backup may be restored again, and what was numbered in between came
# after it. A report echoes the low 6 bits of a statement's number: half of their range away, no echo from before is
# taken for it.
NUMBERS_LEFT_OUT = 1024
HALF_AN_ECHO = 32
COMMANDS_LEFT_OUT = 1024
VERSIONS_LEFT_OUT = 256

_PACKS = {DOWN_TARIFF: "tariff_version", DOWN_POLICY: "policy_version", DOWN_PLAN: "plan_version"}


@dataclass(frozen=True, slots=True)
class Lost:
    """What the file tells beyond a backup: of C and D, whether the wallet was closed since, and by parts if they are
    known."""

    credited_mills: int = 0
    debited_mills: int = 0
    closed: bool = False
    parts: tuple[tuple[str, int], ...] = ()


def recover(tx: Tx, marks: Marks | None, restores: int = 1) -> tuple[int, int]:
    """Bring every meter's books to what the file tells (None: there is no file); (meters listed, of these ahead).
    `restores` counts those of this database, this one included."""
    chart.open_system_accounts(tx)
    tx.cursor.execute("DELETE FROM recovery_pack")
    told = Marks() if marks is None else marks
    meters = tx.cursor.execute("SELECT meter_id, generation, state FROM meter ORDER BY meter_id").fetchall()
    listed = [
        _recover_meter(tx, bytes(meter_id), generation, state, told, restores)
        for meter_id, generation, state in meters
        if state != RETIRED
    ]
    strangers = {meter_id for meter_id, _ in told.statements} - {bytes(meter_id) for meter_id, _, _ in meters}
    for meter_id in sorted(strangers):
        number = max(one.number for (known, _), one in told.statements.items() if known == meter_id)
        unknown = Recovery(meter_id, 0, tx.now_us, tx.now_us, 0, number + _numbers_left_out(restores))
        listed.append(unknown.with_found(meter="not in the backup"))
        recovered.save(tx, listed[-1])
    return len(listed), sum(one.found != "{}" for one in listed)


def move_counters(tx: Tx, jump: int, marks: Marks | None) -> int:
    """No downlink counter is used twice (D3): beyond what the file saw of them, then on by the jump; of how many."""
    for (meter_id, generation), counter in ({} if marks is None else marks.counters).items():
        passed = (counter // COUNTER_STEP + 1) * COUNTER_STEP + COUNTER_STEP
        tx.cursor.execute(
            "UPDATE meter_link SET down_next = max(down_next, ?) WHERE meter_id = ? AND generation = ?",
            (passed, meter_id, generation),
        )
    return int(tx.cursor.execute("UPDATE meter_link SET down_next = down_next + ?", (jump,)).rowcount)


def _numbers_left_out(restores: int) -> int:
    return NUMBERS_LEFT_OUT * restores + HALF_AN_ECHO


def _recover_meter(tx: Tx, meter_id: bytes, generation: int, state: str, marks: Marks, restores: int) -> Recovery:
    before = recovered.load(tx, meter_id)
    found = _list(tx, meter_id, generation, before, marks, restores)
    granted = statements.numbered(tx, meter_id, generation, None)
    later = max((known for one, known in marks.statements if one == meter_id), default=generation)
    if later > generation:
        found = found.with_found(generation=later)
    if state == SPARE or granted is None:
        opened = marks.statements.get((meter_id, generation))
        if opened is not None:
            found = replace(found, number=opened.number + NUMBERS_LEFT_OUT).with_found(meter="a spare in the backup")
        recovered.save(tx, found)
        return found
    told = marks.statements.get((meter_id, generation))
    lost = _lost(granted, told, later > generation)
    highest = max(granted.number, 0 if told is None else told.number)
    begins = highest + _numbers_left_out(restores)
    statements.leave_out_numbers(tx, meter_id, generation, begins)
    found = replace(found, backup_number=granted.number, number=begins)
    if lost.closed:
        found = found.with_found(wallet="closed")
    if told is not None and (lost.credited_mills or lost.debited_mills):
        found = replace(found, until_us=told.at_us)
    found = raise_to(tx, found, "file", lost)
    recovered.save(tx, found)
    return found


def raise_to(tx: Tx, found: Recovery, whence: str, lost: Lost) -> Recovery:
    """Raise C and D by what was found to be missing, and list it; the caller saves the result."""
    if not lost.credited_mills and not lost.debited_mills:
        return found
    holding = holding_of_meter(tx, found.meter_id)
    granted = statements.current(tx, found.meter_id, found.generation)
    key = f"recovered:{found.meter_id.hex()}:{found.generation}:{granted.number}"
    if lost.credited_mills:
        credit_recovered(tx, f"{key}:C", holding, lost.credited_mills, f"C as the {whence} tells it")
        found = found.with_found(credited_mills=lost.credited_mills)
    if lost.debited_mills:
        debit_recovered(tx, f"{key}:D", holding, lost.debited_mills, f"D as the {whence} tells it")
        found = found.with_found(debited_mills=lost.debited_mills)
    shares = dict(lost.parts) or {"credit_mills": lost.credited_mills, "debit_mills": lost.debited_mills}
    return replace(found, **{name: getattr(found, name) + mills for name, mills in shares.items()})


def _lost(granted: Statement, told: Told | None, closed: bool) -> Lost:
    """What the file tells beyond a statement. A wallet that was closed since is to be closed again."""
    if told is None or told.number <= granted.number or closed:
        return Lost(closed=closed)
    rises = {part: mills - getattr(granted, part) for part, mills in zip(statements.PARTS, told.parts, strict=True)}
    if rises["moved_out_mills"]:
        return Lost(closed=True)
    credit_mills = max(0, sum(rises[part] for part in CREDIT_PARTS))
    debit_mills = max(0, sum(rises[part] for part in DEBIT_PARTS))
    names = (
        *("paid_mills", "moved_in_mills", "rating_credit_mills", "reversed_mills", "rating_debit_mills"),
        *(statements.RECOVERED_C, statements.RECOVERED_D),
    )
    shares = {name: rises[name] for name in names}
    if min(shares.values()) < 0:
        # Some of it was explained since: which part of the rest is still open then, nobody knows.
        return Lost(credit_mills, debit_mills)
    shares["credit_mills"], shares["debit_mills"] = shares.pop(names[-2]), shares.pop(names[-1])
    return Lost(credit_mills, debit_mills, parts=tuple(shares.items()))


def _list(tx: Tx, meter_id: bytes, generation: int, before: Recovery | None, marks: Marks, restores: int) -> Recovery:
    """A meter that is not heard yet, with the numbers that it may know; what a restore before this one left open
    stays so."""
    (command,) = tx.cursor.execute(
        "SELECT coalesce(max(number), 0) FROM meter_command WHERE meter_id = ?", (meter_id,)
    ).fetchone()
    floors = {DOWN_TARIFF: 0, DOWN_POLICY: 0, DOWN_PLAN: 0}
    if before is not None:
        floors = {DOWN_TARIFF: before.tariff_floor, DOWN_POLICY: before.policy_floor, DOWN_PLAN: before.plan_floor}
    known = dict(tx.cursor.execute("SELECT kind, max(version) FROM pack WHERE meter_id = ? GROUP BY kind", (meter_id,)))
    found = Recovery(meter_id, generation, tx.now_us, tx.now_us, 0, 0, backup_command=command)
    for kind in floors:
        told = {version: content for (m, k, version), content in marks.packs.items() if (m, k) == (meter_id, kind)}
        newest = max(told, default=0)
        floors[kind] = max(floors[kind], newest)
        if newest > known.get(kind, 0):
            found = found.with_found(**{_PACKS[kind]: newest})
        for version, content in told.items():
            if version > known.get(kind, 0) and (kind == DOWN_TARIFF or version == newest):
                values = (meter_id, kind, version, content)
                tx.cursor.execute("INSERT INTO recovery_pack VALUES (?, ?, ?, ?)", values)
    if before is not None and before.generation == generation:
        found = replace(found, **{name: getattr(before, name) for name in recovered.SHARES})
    return replace(
        found,
        command_floor=max(command, 0 if before is None else before.command_floor) + COMMANDS_LEFT_OUT * restores,
        tariff_floor=floors[DOWN_TARIFF],
        policy_floor=max(floors[DOWN_POLICY], known.get(DOWN_POLICY, 0)) + VERSIONS_LEFT_OUT * restores,
        plan_floor=max(floors[DOWN_PLAN], known.get(DOWN_PLAN, 0)) + VERSIONS_LEFT_OUT * restores,
    )
