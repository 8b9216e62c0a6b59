"""IW-15, CT-10: each change has its row: who, when, by which command, before and after; the past can be asked for."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from guelta.cli import ROOMS, main
from headend.api.openapi import document
from headend.api.routes import ENDPOINTS
from headend.api.store import STORE
from headend.storage import tables
from headend.storage.audit import FOLLOWS
from tests.api import field_world
from tests.api.conftest import METER, NIGER, NOW_UNIX_S, House, payment
from tests.api.wrong_requests import Operation, operations, path_of, valid
from tests.headend.signed import PUBLIC_KEY, update

TARIFF = {"code": "niger", "title": "Niger 2006", "valid_from": "2026-01-02T00:00:00Z", "prices": NIGER}
NEW_METER = {"meter_id": "00000000000000aa", "holder": "B", "service_point": "C", "tariff_code": "niger"}
WRITING = operations(document(tuple(endpoint for endpoint in ENDPOINTS if endpoint.writes)))
# A body that means something here; for an operation that is not named, what its schema makes is tried.
BODIES: dict[str, Any] = {
    "POST /v1/tariffs": TARIFF,
    "POST /v1/meters": NEW_METER,
    "POST /v1/meters:import": {"meters": [NEW_METER]},
    "POST /v1/meters/{meter_id}/policy": {"policy": {"never_close": True}},
    "POST /v1/meters/{meter_id}/plan": {"instalment": 500, "currency": "XOF", "start_date": "2026-03-02"},
    "POST /v1/policies": {"policy": {"never_close": True}},
    "PATCH /v1/meters/{meter_id}": {"holder": "Aïcha Abdou Issa"},
    "POST /v1/meters/{meter_id}/commands": {"order": "open", "hold_s": 600, "limit_l": 20},
    "POST /v1/meters/{meter_id}/slot-requests": {"since": "2026-01-02T00:00:00Z", "until": "2026-01-02T12:00:00Z"},
    "POST /v1/meters/{meter_id}/spares": {"new_meter_id": "00000000000000ab"},
    "POST /v1/field/jobs": field_world.INSTALL,
    "POST /v1/grants": {"meter_id": METER, "role": 1, "hours": 72, "uses": 100, "technician": "test"},
    "POST /v1/seals": {"prefix": "NE", "first": "0098", "last": "0101"},
    "POST /v1/field/settings": {"service_area": field_world.NIAMEY, "installation_grace_mills": 250_000},
    "POST /v1/plans": {
        "meter_id": METER,
        "debt": 2500,
        "instalment": 1000,
        "currency": "XOF",
        "start_date": "2026-03-01",
    },
}
PLACES = {"payment": "1", "meter_id": METER, "name": "test", "job_id": "j1", "case": "1"}


async def audit_of(house: House, **wanted: str) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in {"limit": "500", **wanted}.items())
    return (await house.get(f"/v1/audit?{query}")).json["items"]


# A body that is a file.
FILES = {"POST /v1/releases": update(10_203)}


async def release_taken(house: House) -> dict[str, Any]:
    headers = {"authorization": f"Bearer {house.api_key}", "content_type": "application/octet-stream"}
    assert (await house.ask("POST", "/v1/releases", update(10_203), **headers)).status == 201
    return {"version": 10_203}


async def update_wanted(house: House) -> dict[str, Any]:
    wanted = await house.post(f"/v1/meters/{METER}/update", await release_taken(house))
    assert wanted.status == 201, wanted.text
    return {}


async def spare_prepared(house: House) -> dict[str, Any]:
    spare = {"new_meter_id": "00000000000000ab"}
    assert (await house.post(f"/v1/meters/{METER}/spares", spare)).status == 201
    return {**spare, "first_index_l": 0}


PREPARED = {
    **field_world.PREPARED,
    "POST /v1/meters/{meter_id}/swaps": spare_prepared,
    "POST /v1/meters/{meter_id}/update": release_taken,
    "POST /v1/meters/{meter_id}/update/cancel": update_wanted,
}


@pytest.mark.parametrize("operation", [pytest.param(one, id=one.name) for one in WRITING])
async def test_every_writing_endpoint_leaves_its_rows(house: House, operation: Operation) -> None:
    """One thing each: the rows name the key and the operation, and no table changed without one."""
    await house.settle_in()
    await house.notify(payment(account="99999999"))
    assert (await house.post("/v1/plans", BODIES["POST /v1/plans"])).status == 201
    prepare = PREPARED.get(operation.name)
    prepared = None if prepare is None else await prepare(house)
    before = len(await audit_of(house))
    body = BODIES.get(operation.name, None if operation.body is None else valid(operation.body))
    body = body if prepared is None else prepared
    path = path_of(operation, **{name: text for name, text in PLACES.items() if "{" + name + "}" in operation.address})
    headers = {"authorization": f"Bearer {house.api_key}", "idempotency_key": "the-first-time"}
    raw = FILES.get(operation.name, None if body is None else json.dumps(body).encode())
    if raw is not None:
        headers["content_type"] = operation.media_type
    done = await house.ask(operation.method.upper(), path, raw, **headers)
    assert done.status < 300, f"teach BODIES what {operation.name} takes here: {done.text}"
    added = await house.started.app[STORE].read(
        lambda c: [tuple(row) for row in c.exec_driver_sql("SELECT actor_kind, actor, command FROM audit")][before:]
    )
    assert added and set(added) == {("key", "test", operation.name)}
    again = await house.ask(operation.method.upper(), path, raw, **headers)
    if operation.name != "POST /v1/keys/{name}/revoke":
        assert again.text == done.text
        assert len(await audit_of(house)) == before + len(added), "a repetition changes nothing"


async def test_a_row_says_who_when_what_before_and_after(house: House) -> None:
    await house.settle_in()
    house.clock.set((NOW_UNIX_S + 60) * 1_000_000)
    done = await house.ask(
        "PATCH", f"/v1/meters/{METER}", json.dumps({"holder": "Aïcha Issa", "address": "12 rue du Fleuve"}).encode(),
        authorization=f"Bearer {house.api_key}", content_type="application/json", idempotency_key="correct-it",
    )  # fmt: skip
    assert done.json["holder"] == "Aïcha Issa"
    rows = await audit_of(house, meter_id=METER, since="2026-02-21T19:01:00Z")
    assert [(row["what"], row["actor"], row["at"]) for row in rows] == [
        ("customer", "test", "2026-02-21T19:01:00Z"),
        ("service_point", "test", "2026-02-21T19:01:00Z"),
    ]
    assert (rows[0]["before"]["name"], rows[0]["after"]["name"]) == ("Aïcha Abdou", "Aïcha Issa")
    assert (rows[1]["before"]["address"], rows[1]["after"]["address"]) == (None, "12 rue du Fleuve")


async def test_the_past_can_be_asked_for(house: House) -> None:
    """IW-15: the as-of query returns the old holder, address and tariff, though all are other now."""
    await house.settle_in()
    house.clock.set((NOW_UNIX_S + 3600) * 1_000_000)
    dearer = {**NIGER, "blocks": [{"upto_l": 0, "price": 999}]}
    later = {"code": "niger", "title": "Niger, dearer", "valid_from": "2026-01-01T00:00:00Z", "prices": dearer}
    assert (await house.post("/v1/tariffs", later)).status == 201
    headers = {"authorization": f"Bearer {house.api_key}", "content_type": "application/json"}
    change = json.dumps({"holder": "Moussa", "address": "Elsewhere"}).encode()
    await house.ask("PATCH", f"/v1/meters/{METER}", change, **headers, idempotency_key="moved-away")

    async def as_of(at: str) -> Any:
        return (await house.get(f"/v1/meters/{METER}/as-of?at={at}")).json

    then, now = await as_of("2026-02-21T19:30:00Z"), await as_of("2026-02-21T20:00:00Z")
    assert (then["holder"], then["address"], then["tariff"]["title"]) == ("Aïcha Abdou", None, "Niger 2006")
    assert (now["holder"], now["address"], now["tariff"]["title"]) == ("Moussa", "Elsewhere", "Niger, dearer")
    before = await as_of("2026-02-21T18:59:59Z")
    assert (before["holder"], before["state"], before["tariff"], before["policy_version"]) == (None, None, None, 0)
    assert then["policy_version"] == 1 and then["customer_number"] == now["customer_number"] == "00000195"


async def test_money_that_a_provider_brings_is_audited_in_its_name(house: House) -> None:
    await house.settle_in()
    await house.notify(payment())
    [row] = [row for row in await audit_of(house, what="entry") if row["actor_kind"] == "provider"]
    assert (row["actor"], row["command"], row["after"]["kind"]) == ("wave", "notification msg_1", "payment")


async def test_no_secret_is_in_the_audit(house: House) -> None:
    await house.settle_in()
    made = (await house.post("/v1/keys", {"name": "other", "scopes": ["read"]})).json["key"]
    root = (await house.post("/v1/meters", NEW_METER)).json["root"]
    text = json.dumps(await audit_of(house))
    assert made not in text and root not in text and '"secret_hash": "[redacted]"' in text
    assert '"wrapped": "[redacted]"' in text


def test_what_is_not_audited_is_named_and_exists() -> None:
    """A new table is audited by itself; one that follows from others is put on the list, with thought."""
    assert set(tables.metadata.tables) >= FOLLOWS
    assert {"customer", "contract", "meter", "tariff", "api_key", "provider", "pack"}.isdisjoint(FOLLOWS)


# ---- the command line ----------------------------------------------------------------------------------------------

# Commands that change no row of a utility's database, each for its reason.
READING = {
    "serve", "demo", "rig", "db check", "db backup", "db verify", "db divergent", "keyring check", "audit list",
    "audit as-of",
    "key list", "provider list", "tariff list", "tariff show", "tariff explain", "tariff try", "ledger check",
    "ledger rebuild", "policy show", "policy explain", "plan show", "config template", "config show",
    "job list", "seal list", "release list",
}  # fmt: skip
# In this order on one database: what each writing command is given.
WRITTEN: dict[str, str] = {
    "db upgrade": "",
    "key create": "--name desk --scope read --scope field",
    "provider add": "wave",
    "provider rotate": "wave",
    "provider retire": "wave",
    "tariff publish": "TARIFF --key first",
    "meter add": f"--meter-id {METER} --holder A --service-point B --tariff niger",
    "meter import": "METERS",
    "policy set": f"{METER} POLICY",
    "policy set-all": "POLICY",
    "plan make": f"{METER} --debt 2500 --instalment 500 --currency XOF --from 2026-12-01 --key first",
    "plan change": f"{METER} --instalment 400 --currency XOF --from 2026-12-02",
    "plan end": f"{METER} --key third",
    "meter radio": f"{METER} --dev-eui 00000000000000ee",
    "meter command": f"{METER} tell",
    "meter ask": f"{METER} --since 2026-01-02T00:00:00Z --until 2026-01-02T12:00:00Z",
    "release add": f"UPDATE --release-key {PUBLIC_KEY.hex()}",
    "meter update": f"{METER} --version 1.2.3",
    "meter rekey": f"{METER}",
    "meter renew": f"{METER}",
    "meter spare": f"{METER} 00000000000000ac",
    "meter swap": f"{METER} 00000000000000ac --first-index-l 12",
    "meter retire": "00000000000000ac",
    "job add": "--kind install --technician desk --meter-id 00000000000000bb --holder A --service-point B "
    "--tariff niger --litres-per-pulse 10 --first-index-l 7",
    "job cancel": "j1",
    "key revoke": "desk",
    "seal import": "--prefix NE --first 0001 --last 0010",
    "keyring rotate": "",
    "db restore": "BACKUP --force",
}


def commands(group: click.Command, name: str = "") -> Iterator[str]:
    """The full name of every command there is."""
    if not isinstance(group, click.Group):
        yield name
        return
    context = click.Context(group)
    for inner in group.list_commands(context):
        command = group.get_command(context, inner)
        assert command is not None
        yield from commands(command, f"{name} {inner}".strip())


def group_of(room: str) -> click.Command:
    found = main.get_command(click.Context(main), room)
    assert found is not None
    return found


def run(database: Path, line: str) -> Result:
    return CliRunner().invoke(main, [*line.split(), "--db", str(database)])


def test_every_writing_command_leaves_its_rows(tmp_path: Path) -> None:
    """Each command of the headend is run, or is named as one that only reads."""
    database = tmp_path / "a.db"
    files = {"TARIFF": TARIFF, "POLICY": {"policy": {"never_close": True}}, "METERS": {"meters": [NEW_METER]}}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content))
    (tmp_path / "UPDATE").write_bytes(update(10_203))
    rooms = [name for name, room in ROOMS.items() if room.extra == "headend"]
    headend = {name for room in rooms for name in commands(group_of(room), room)} - READING
    assert headend <= set(WRITTEN), "teach WRITTEN how the command is given, or READING that it changes nothing"
    for name, given in WRITTEN.items():
        if name not in headend:
            continue
        if "BACKUP" in given:
            assert run(database, f"db backup {tmp_path / 'BACKUP'}").exit_code == 0
        words = " ".join(str(tmp_path / word) if (tmp_path / word).is_file() else word for word in given.split())
        done = run(database, f"{name} {words}")
        assert done.exit_code == 0, (name, done.output)
        listed = [json.loads(line) for line in run(database, "audit list --json").stdout.splitlines()]
        by = {(row["actor_kind"], row["command"]) for row in listed}
        assert ("cli", f"guelta {name}") in by, name
    assert run(database, "ledger check").exit_code == 0


async def test_a_kind_of_row_that_is_not_audited_is_refused_by_name(house: House) -> None:
    """IW-15: an empty answer to a mistyped word would say that nothing was changed."""
    refused = await house.get("/v1/audit?what=customers")
    assert (refused.status, refused.code) == (400, "invalid_query")
    assert refused.json["errors"][0]["pointer"] == "?what" and "customer," in refused.json["errors"][0]["detail"]
