"""`guelta serve` and the commands around it, as a person at a terminal meets them."""

import json
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from guelta.cli import main
from headend.log import REDACTED, redact
from headend.settings import Address, Settings, SettingsRefused, checked, parse_address


def run(*arguments: Any) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_serve_says_when_it_is_ready_and_stops_when_told(tmp_path: Path) -> None:
    """Port 0, one JSON line, a graceful end, nothing left locked."""
    database = tmp_path / "a.db"
    command = [
        sys.executable,
        "-m",
        "guelta",
        "serve",
        "--db",
        database,
        "--http",
        "127.0.0.1:0",
        "--udp",
        "127.0.0.1:0",
    ]
    process = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        assert ready["ready"] is True
        host, port = ready["http"]
        with urllib.request.urlopen(f"http://{host}:{port}/healthz", timeout=10) as answer:
            assert json.load(answer)["status"] == "ok"
        assert ready["udp"][1] > 0
        with socket.create_connection((host, port), timeout=10) as stranger:
            stranger.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + b"secret" * 3000 + b"\r\n\r\n")
            assert stranger.recv(100).startswith(b"HTTP/1.0 400 ")

        in_use = run("key", "create", "--db", database, "--name", "late", "--scope", "read")
        assert in_use.exit_code == 1 and "stop it first" in in_use.output
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "secretsecret" not in errors, "what is no request may still hold a key"
    lines = [json.loads(line) for line in errors.splitlines()]
    assert [line["event"] for line in lines if line["event"] != "request"] == [
        "started",
        "unreadable_request",
        "stopped",
    ]
    assert run("ledger", "check", "--db", database).exit_code == 0
    assert run("db", "check", "--db", database).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--clock=sim"], "production headend takes its time from the system"),
        (["--clock=sim", "--mode=production"], "production headend takes its time from the system"),
        (["--http", "0.0.0.0:0"], "can be reached from other machines"),
        (["--http", "[::]:0"], "can be reached from other machines"),
        (["--http", "192.0.2.7:80"], "can be reached from other machines"),
        (["--mode=sim", "--clock=sim", "--allow-remote"], "listens on this machine only"),
        (["--http", "0.0.0.0:0", "--allow-remote"], "no API key is in use yet"),
        (["--http", "8080"], "is not HOST:PORT"),
        (["--http", "127.0.0.1:99999"], "is not HOST:PORT"),
        (["--udp", "127.0.0.1:-1"], "is not HOST:PORT"),
        (["--currency", "BTC"], "is not one of"),
        (["--mode=party"], "is not one of"),
    ],
)
def test_serve_refuses_what_it_should_not_run_with(tmp_path: Path, arguments: list[str], words: str) -> None:
    """A usage error: exit code 2, the option and the remedy, and no listener."""
    refused = run("serve", "--db", tmp_path / "a.db", *arguments)
    assert refused.exit_code == 2
    assert words in " ".join(refused.output.replace("│", " ").split())


@pytest.mark.parametrize("option", ["--http", "--udp"])
def test_an_address_that_is_in_use_is_a_wrong_option(tmp_path: Path, option: str) -> None:
    kind = socket.SOCK_STREAM if option == "--http" else socket.SOCK_DGRAM
    other = "--udp" if option == "--http" else "--http"
    with socket.socket(socket.AF_INET, kind) as holder:
        holder.bind(("127.0.0.1", 0))
        here = f"127.0.0.1:{holder.getsockname()[1]}"
        if kind == socket.SOCK_STREAM:
            holder.listen()
        refused = run("serve", "--db", tmp_path / "a.db", option, here, other, "127.0.0.1:0")
    assert refused.exit_code == 2
    assert f"{option} {here}: Address already in use; choose another" in " ".join(refused.output.split())


def test_another_currency_for_the_same_books_is_refused(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    assert run("db", "upgrade", "--db", database, "--currency", "KES").exit_code == 0
    refused = run("db", "upgrade", "--db", database, "--currency", "XOF")
    assert refused.exit_code == 1 and "kept in KES" in refused.output


def test_keys_on_the_command_line(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    made = run("key", "create", "--db", database, "--name", "sim", "--scope", "read", "--scope", "operate")
    assert made.exit_code == 0 and made.stdout.startswith("guelta_")
    again = run("key", "create", "--db", database, "--name", "sim", "--scope", "read")
    assert again.exit_code == 1 and "taken" in again.output
    assert run("key", "revoke", "--db", database, "sim").exit_code == 0
    assert run("key", "revoke", "--db", database, "sim").exit_code == 1
    listed = run("key", "list", "--db", database)
    assert listed.stdout == "sim\tread,operate\trevoked\n"
    assert made.stdout.strip() not in listed.stdout


def test_providers_on_the_command_line(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    made = run("provider", "add", "wave", "--db", database, "--minimum", 100, "--json")
    assert json.loads(made.stdout)["secret"].startswith("whsec_")
    assert run("provider", "add", "wave", "--db", database).exit_code == 1
    assert run("provider", "add", "Wave!", "--db", database).exit_code == 1
    assert run("provider", "add", "small", "--db", database, "--minimum", 9, "--ceiling", 5).exit_code == 1
    assert run("provider", "retire", "wave", "--db", database).exit_code == 1
    assert run("provider", "rotate", "wave", "--db", database).stdout.startswith("whsec_")
    assert run("provider", "rotate", "wave", "--db", database).exit_code == 1
    assert run("provider", "retire", "wave", "--db", database).exit_code == 0
    assert run("provider", "rotate", "nobody", "--db", database).exit_code == 1
    assert "wave\t100..1000000000000\t1 secret(s)" in run("provider", "list", "--db", database).stdout


def test_tariffs_and_meters_on_the_command_line(tmp_path: Path) -> None:
    database, file = tmp_path / "a.db", tmp_path / "tariff.json"
    run("db", "upgrade", "--db", database)
    prices = {"blocks": [{"upto_l": 0, "price": 127}], "utc_offset_minutes": 60}
    tariff = {"code": "niger", "title": "Niger", "valid_from": "2026-01-01T00:00:00Z", "prices": prices}
    file.write_text(json.dumps(tariff))
    published = run("tariff", "publish", file, "--key", "first", "--db", database)
    assert json.loads(published.stdout)["tariff"] == 1
    assert json.loads(run("tariff", "publish", file, "--key", "first", "--db", database).stdout)["tariff"] == 1
    file.write_text(json.dumps({**tariff, "late": "never"}))
    refused = run("tariff", "publish", file, "--key", "second", "--db", database)
    assert refused.exit_code == 1 and "invalid_body: /late" in refused.output

    meter = ["--holder", "Aïcha", "--service-point", "Concession 1", "--tariff", "niger", "--db", database]
    added = run("meter", "add", "--meter-id", "0" * 15 + "1", *meter)
    assert json.loads(added.stdout)["customer_number"] == "00000195"
    again = run("meter", "add", "--meter-id", "0" * 15 + "1", *meter)
    assert again.exit_code == 1 and "meter-exists: meter_id: 0000000000000001: choose another meter id" in again.output
    assert run("meter", "add", "--meter-id", "short", *meter).exit_code == 1
    assert [json.loads(line)["code"] for line in run("tariff", "list", "--db", database).stdout.splitlines()] == [
        "niger"
    ]


def test_commands_name_a_database_that_is_not_there(tmp_path: Path) -> None:
    for command in (("ledger", "check"), ("ledger", "rebuild"), ("key", "list"), ("provider", "list"), ("db", "check")):
        refused = run(*command, "--db", tmp_path / "none.db")
        assert refused.exit_code == 1 and "does not exist" in refused.output, command


@pytest.mark.parametrize(
    "command", [("ledger", "check"), ("db", "check"), ("db", "upgrade"), ("key", "list"), ("serve",)]
)
@pytest.mark.parametrize("content", [b"this is no database\n" * 400, b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_database_is_refused_in_one_line(tmp_path: Path, command: Any, content: bytes) -> None:
    database = tmp_path / "a.db"
    database.write_bytes(content)
    refused = run(*command, "--db", database)
    assert refused.exit_code == 1
    assert refused.output.startswith("Error: the database: ") and "one of Guelta's" in refused.output
    assert database.read_bytes() == content


def test_a_database_without_its_tables_is_refused_by_those_who_only_read(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    refused = run("ledger", "check", "--db", tmp_path / "a.db")
    assert refused.exit_code == 1 and "guelta db upgrade" in refused.output


@pytest.mark.parametrize("text", ["", "  ", "x" * 101, "a\nb", "\udcff"])
def test_names_that_are_no_text_are_wrong_options(tmp_path: Path, text: str) -> None:
    file = tmp_path / "tariff.json"
    file.touch()
    for command in (("db", "upgrade", "--utility", text), ("serve", "--utility", text)):
        refused = run(*command, "--db", tmp_path / "a.db")
        assert refused.exit_code == 2 and "printable characters" in refused.output, command
    refused = run("tariff", "publish", file, "--key", text, "--db", tmp_path / "a.db")
    assert refused.exit_code == 2 and "printable characters" in refused.output
    assert not (tmp_path / "a.db").exists()


def test_a_file_without_end_and_text_that_is_no_text_are_refused(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    for command in (("tariff", "publish", "--key", "a"), ("meter", "import")):
        refused = run(*command, "/dev/zero", "--db", database)
        assert refused.exit_code == 1 and "longer than" in refused.output
    meter = ["--meter-id", "0" * 16, "--service-point", "C", "--tariff", "niger", "--db", database]
    refused = run("meter", "add", "--holder", "\udcff", *meter)
    assert refused.exit_code == 1 and "not UTF-8" in refused.output
    refused = run("db", "upgrade", "--db", tmp_path / "none" / "a.db")
    assert refused.exit_code == 1 and "No such file or directory" in refused.output


def test_addresses_are_read_exactly() -> None:
    assert parse_address("[::1]:0") == Address("::1", 0) and parse_address("[::1]:0").is_loopback
    assert parse_address("localhost:80").is_loopback and not parse_address("example.org:80").is_loopback
    for wrong in ("", ":", "80", "host:", ":80", "host:8o", "host:٣", "host:65536"):
        with pytest.raises(SettingsRefused):
            parse_address(wrong)


def test_production_never_takes_a_simulated_time(tmp_path: Path) -> None:
    here = Address("127.0.0.1", 0)
    with pytest.raises(SettingsRefused, match="--clock=sim"):
        checked(Settings(tmp_path / "a", tmp_path / "b", here, None, "production", "sim"))


def test_secrets_never_reach_the_log() -> None:
    line = redact(
        None,
        "info",
        {
            "event": "request with guelta_" + "a" * 64 + " and whsec_" + "B" * 44,
            "api_key": "x",
            "said": "the token is K7QM-4T2D-9XNP-0ABC, the date 2026-11-22",
            "detail": {"root": "00ff", "meter_id": "01", "list": ["Bearer abc"]},
            "Authorization": "Bearer abc",
        },
    )
    assert line["event"] == f"request with {REDACTED} and {REDACTED}"
    assert line["said"] == f"the token is {REDACTED}, the date 2026-11-22"
    assert line["detail"] == {"root": REDACTED, "meter_id": "01", "list": [REDACTED]}
    assert line["api_key"] == line["Authorization"] == REDACTED
