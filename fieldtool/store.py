"""The tool's folder: what outlives a command, for one technician's eyes only.

    config.json        headend, API key, technician, remembered port
    tool.key           the key that signs records; never leaves this folder
    jobs/ID.json       {"state": "claimed", "job", "identity", "grants", "installation_grace_mills", "claim"}: as the
                       headend answered the claim; before that {"state": "claiming", "job", "claim", "token"}
    journals/ID.json   how far a checklist has come
    outbox/ID.json     {"record", "signature", "fingerprint"}: what the headend has not answered for yet
    done/ID.json       the same, and its "answer"
    frames/METER.json  {"frames": [hex…]}: sealed statements to be handed to a meter at the next visit

Folders 0700, files 0600. A file is there whole, old or new: written beside, synced, renamed.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .refusals import Refusal

JOBS, JOURNALS, OUTBOX, DONE, FRAMES = "jobs", "journals", "outbox", "done", "frames"
CONFIG = "config.json"
TOOL_KEY = "tool.key"
VARIABLE = "GUELTA_FIELD_HOME"
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def default_home() -> Path:
    """$GUELTA_FIELD_HOME, or where this system keeps what programs remember."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    from platformdirs import user_state_path

    return user_state_path("guelta-field", appauthor=False)


class Store:
    """The folder, made when something is first written. Documents are JSON objects."""

    def __init__(self, home: Path | None = None) -> None:
        self.home = default_home() if home is None else home

    def config(self) -> dict[str, Any]:
        return self._read(self.home / CONFIG) or {}

    def keep_config(self, **changed: Any) -> None:
        """Change some settings and keep the rest; None forgets one."""
        settings = {**self.config(), **changed}
        self.write_bytes(CONFIG, _dump({name: value for name, value in settings.items() if value is not None}))

    def names(self, kind: str) -> list[str]:
        """What is there of a kind, sorted."""
        folder = self.home / kind
        return sorted(file.stem for file in folder.glob("*.json")) if folder.is_dir() else []

    def read(self, kind: str, name: object) -> dict[str, Any] | None:
        """The document, or None."""
        return self._read(self.home / kind / _file_name(name))

    def keep(self, kind: str, name: object, document: dict[str, Any]) -> None:
        self.write_bytes(f"{kind}/{_file_name(name)}", _dump(document))

    def drop(self, kind: str, name: object) -> None:
        """Forget a document; nothing happens when it is not there."""
        (self.home / kind / _file_name(name)).unlink(missing_ok=True)

    def read_bytes(self, name: str) -> bytes | None:
        try:
            return (self.home / name).read_bytes()
        except FileNotFoundError:
            return None

    def write_bytes(self, name: str, data: bytes) -> None:
        """Whole or not at all, whenever the power goes."""
        file = self.home / name
        beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            self._make_folder(file.parent)
            try:
                with open(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                    out.write(data)
                    out.flush()
                    os.fsync(out.fileno())
                os.replace(beside, file)
            except BaseException:
                beside.unlink(missing_ok=True)
                raise
            _sync_folder(file.parent)
        except OSError as failure:
            raise Refusal("store_unwritable", file=file, why=failure.strerror) from None

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """One writing command at a time."""
        try:
            self._make_folder(self.home)
            file = os.open(self.home / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as failure:
            raise Refusal("store_unwritable", file=self.home, why=failure.strerror) from None
        try:
            if not _lock(file):
                raise Refusal("store_in_use", folder=self.home)
            yield
        finally:
            os.close(file)

    def _make_folder(self, folder: Path) -> None:
        for each in (self.home, folder):
            if not each.is_dir():
                each.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _read(self, file: Path) -> dict[str, Any] | None:
        try:
            document = json.loads(file.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as failure:
            raise Refusal("store_damaged", file=file, why=failure.strerror) from None
        except (ValueError, RecursionError):
            raise Refusal("store_damaged", file=file, why="JSON") from None
        if not isinstance(document, dict):
            raise Refusal("store_damaged", file=file, why="JSON")
        return document


def _file_name(name: object) -> str:
    """Names may come from a headend: none leads out of the folder."""
    text = str(name)
    if not _NAME.fullmatch(text):
        raise Refusal("bad_name", name=text)
    return f"{text}.json"


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode("utf-8", "surrogatepass") + b"\n"


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _lock(file: int) -> bool:
    if os.name != "posix":
        return True  # Windows refuses to rename over a file that is open
    import fcntl

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
