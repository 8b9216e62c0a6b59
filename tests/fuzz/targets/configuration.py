"""Files that a headend starts with: settings in TOML, the key file, the record beside a backup. Each is read or refused
with a sentence that names the place (I25). The first byte chooses the file."""

import tempfile
from functools import cache
from pathlib import Path

import msgspec

from headend import configuration
from headend.backups import Contents, Record
from headend.meters import key_file
from headend.settings import SettingsRefused

GOOD = b"""db = "guelta.db"
http = "127.0.0.1:8080"
udp = "[::1]:5683"
mode = "sim"
clock = "sim"
chirpstack_url = "http://127.0.0.1:8090"
chirpstack_token_file = "token"
allow_remote = false
ledger_check_s = 60
currency = "XOF"
utility = "Guelta"
"""


@cache
def file() -> Path:
    return Path(tempfile.mkdtemp(prefix="fuzz-")) / "input"


def seeds() -> list[bytes]:
    made = Record(1, "0" * 64, Contents(1, "", 0, 1, 2, 3, 4, [])) if len(Record.__struct_fields__) == 3 else None
    wrong = (
        b"htp = 1",
        b"db = [[1]]",
        b"http = 1979-05-27T07:32:00Z",
        b"mode = '''x'''",
        b"db.x = 1",
        b"ledger_check_s = 1_0",
    )
    return [
        b"\x00" + GOOD,
        *(b"\x00" + line for line in wrong),
        b"\x01" + b"ab" * 32 + b"\n",
        b"\x01 zz",
        b"\x02" + (msgspec.json.encode(made) if made is not None else b"{}"),
    ]


def one(data: bytes) -> None:
    (_settings, _key, _record)[sum(data[:1]) % 3](data[1:])


def _settings(content: bytes) -> None:
    file().write_bytes(content)
    try:
        found = configuration.effective(file(), {})
        settings = found.configuration.settings()
    except SettingsRefused as refused:
        assert str(refused)
        return
    assert 0 <= settings.http.port <= 65_535 and settings.http.host
    written = "".join(
        f"{name} = {configuration.shown(getattr(found.configuration, name))}\n"
        for name, origin in found.origins.items()
        if origin != "default"
    )
    file().write_text(written)
    assert configuration.effective(file(), {}).configuration == found.configuration


def _key(content: bytes) -> None:
    file().write_bytes(content)
    file().chmod(0o600)
    try:
        key = key_file.read(file())
    except key_file.KeyFileRefused as refused:
        assert str(file()) in str(refused)
        return
    assert len(key) == key_file.KEY_BYTES


def _record(content: bytes) -> None:
    try:
        record = msgspec.json.decode(content, type=Record)
    except msgspec.MsgspecError:
        return
    assert msgspec.json.decode(msgspec.json.encode(record), type=Record) == record
