"""What the office should know of a record: steps that failed, were waived or are missing, and what cannot be right.

Findings are codes, as `volume_test_failed`; all of one record are one case. A place outside the service area and a
wrong seal are cases of their own (IW-35, IW-83).
"""

from headend.field import service_area
from headend.field.jobs import INSTALL, RETIRE, SWAP, Job, job_id
from headend.field.record import PASSED, Record
from headend.field.service_area import Place
from headend.ledger.cases import CaseKind, open_case
from headend.storage.writer import Tx

# What is to be done where a meter is commissioned; the first uplink is heard here.
CHECKLIST = (
    "identify", "provision", "pulse_weight", "volume_test", "valve_open", "valve_close", "leak_by", "radio", "seal",
    "orientation", "position", "consent", "grace",
)  # fmt: skip
NOT_JUDGED = ("first_uplink",)

PULSE_WEIGHT = "pulse_weight_differs"
OUTSIDE = "position_outside"
NOT_ATTESTED = "not_attested"
FRAME_REFUSED = "frame_refused"
TIMES = "times_odd"
LATE = "finished_late"
FINAL_INDEX = "final_index_behind"
ENDED_BEFORE = "ended_before"
CANCELLED = "job_was_cancelled"
NOT_EXECUTED = "swap_not_executed"
OLDER_KEY = "older_key"

# A laptop's clock may be that much wrong.
CLOCK_S = 900


def of_steps(job: Job, record: Record) -> list[str]:
    """What of the checklist is not as it should be."""
    found = [
        f"{step.name}_{step.outcome}" for step in record.steps if step.outcome != PASSED and step.name not in NOT_JUDGED
    ]
    if job.kind in (SWAP, RETIRE) and record.step("final") is None:
        found.append("final_missing")
    if job.kind in (INSTALL, SWAP):
        found += [f"{name}_missing" for name in CHECKLIST if record.step(name) is None]
        weight = record.passed("pulse_weight")
        if weight is not None and weight.number("litres_per_pulse") != job.litres_per_pulse:
            found.append(PULSE_WEIGHT)
    return found


def of_times(tx: Tx, job: Job, record: Record) -> list[str]:
    """A record ends after it began, within its job, and not in the future."""
    now_s = tx.now_us // 1_000_000
    earliest_s, latest_s = job.created_us // 1_000_000 - CLOCK_S, job.expires_us // 1_000_000 + CLOCK_S
    if not earliest_s <= record.started_at <= record.finished_at <= now_s + CLOCK_S:
        return [TIMES]
    return [LATE] if record.finished_at > latest_s else []


def of_position(tx: Tx, job: Job, record: Record) -> list[str]:
    """Keep where the meter hangs if that is in the service area; else a case."""
    step = record.passed("position")
    if step is None:
        return []
    lat_e6, lon_e6 = step.number("lat_e6"), step.number("lon_e6")
    corners = service_area.area_of(tx)
    if lat_e6 is None or lon_e6 is None:
        return [OUTSIDE]
    place = Place(lat_e6, lon_e6)
    on_earth = abs(lat_e6) <= service_area.LAT_E6_MAX and abs(lon_e6) <= service_area.LON_E6_MAX
    if not on_earth or (corners is not None and not service_area.is_inside(place, corners)):
        detail = {"lat_e6": lat_e6, "lon_e6": lon_e6, "job": job_id(job.number)}
        open_case(tx, CaseKind.OUTSIDE_AREA, job_id(job.number), job.commissioned, **detail)
        return [OUTSIDE]
    service_area.keep_position(tx, job.commissioned, place, step.number("accuracy_m") or 0)
    return []


def open_case_of(tx: Tx, job: Job, findings: list[str]) -> None:
    """One case for all that a person should see to."""
    if findings:
        detail = {"job": job_id(job.number), "technician": job.technician, "findings": ", ".join(findings)}
        open_case(tx, CaseKind.FIELD_WORK, job_id(job.number), job.commissioned, **detail)
