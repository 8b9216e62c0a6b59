"""`guelta field enrol`: once per laptop. Makes the tool's key and tells the headend its public half.

The API key is asked for at a hidden prompt or read from a file, never from an argument: those can be seen by every user
of the machine and stay in the shell's history.
"""

from __future__ import annotations

from pathlib import Path

import click

from .headend import Headend, checked_address
from .refusals import Refusal
from .texts import Texts
from .verb import Tool, option, verb

HELP = (
    "Make this laptop known to a headend: its key signs your records. Once; again is harmless.",
    "Faire connaître ce portable à une tête de réseau : sa clé signe vos dossiers. Une fois ; recommencer est sans"
    " danger.",
)
TEXTS: Texts = {
    "api_key": ("API key of the technician (nothing is shown):", "Clé d’API du technicien (rien ne s’affiche) :"),
    "plan": ("Would enrol this laptop with {address}.", "Ce portable serait inscrit auprès de {address}."),
    "enrolled": ("Enrolled as {technician} with {address}.", "Inscrit comme {technician} auprès de {address}."),
    "fingerprint": (
        "Key fingerprint, to compare with the office by voice: {fingerprint}",
        "Empreinte de la clé, à comparer avec le bureau de vive voix : {fingerprint}",
    ),
}
_HEADEND = (
    "Address of the headend, https://… (kept).",
    "Adresse de la tête de réseau, https://… (gardée).",
)
_KEY_FILE = (
    "Read the API key from this file (for scripts).",
    "Lire la clé d’API dans ce fichier (pour les scripts).",
)


@verb("enrol", HELP, TEXTS, port=False, writes=True)
@option("--headend", "address", help=_HEADEND, metavar="URL")
@option("--api-key-file", help=_KEY_FILE, type=click.Path(path_type=Path), metavar="FILE")
def enrol(tool: Tool, address: str | None, api_key_file: Path | None) -> None:
    from . import signing

    store = tool.store
    config = store.config()
    address = checked_address(address or str(config.get("headend") or "")) if address or config else None
    if address is None:
        raise Refusal("not_enrolled")
    if tool.dry_run:
        tool.say("plan", address=address)
        tool.say("dry_run")
        tool.result({"dry_run": True, "headend": address}, [])
        return
    api_key = _api_key(tool, api_key_file)
    with store.lock():
        public = signing.public_hex(signing.load_or_make(store))
        answer = Headend(address, api_key, tool.lang).post(
            "/v1/field/enrolments", {"public_key": public, "tool": tool_name()}
        )
        technician = answer.get("technician")
        if not isinstance(technician, str) or answer.get("fingerprint") != signing.fingerprint(public):
            raise Refusal("headend_nonsense", address=address, field="technician, fingerprint")
        store.keep_config(
            headend=address, api_key=api_key, technician=technician, fingerprint=signing.fingerprint(public)
        )
    told = {"headend": address, "technician": technician, "fingerprint": signing.fingerprint(public)}
    tool.result(
        told,
        [
            tool.text("enrolled", technician=technician, address=address),
            tool.text("fingerprint", fingerprint=told["fingerprint"]),
        ],
    )


def tool_name() -> str:
    """What records and enrolments say of this program: "guelta 0.1.0"."""
    from importlib.metadata import version

    return f"guelta {version('guelta')}"


def headend_of(tool: Tool) -> Headend:
    """The headend this laptop is enrolled with. Raises not_enrolled."""
    config = tool.store.config()
    address, api_key = config.get("headend"), config.get("api_key")
    if not isinstance(address, str) or not isinstance(api_key, str):
        raise Refusal("not_enrolled")
    return Headend(address, api_key, tool.lang)


def _api_key(tool: Tool, file: Path | None) -> str:
    if file is not None:
        text = read_secret(file, "--api-key-file")
    else:
        text = tool.secret("api_key", "--api-key-file FILE")
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise Refusal("api_key_form")
    return text


def read_secret(file: Path, named: str) -> str:
    """The text of a file that holds a secret; never told in an error."""
    try:
        return file.read_text("utf-8").strip()
    except OSError as failure:
        raise Refusal("file_unreadable", option=named, file=file, why=failure.strerror) from None
    except ValueError:
        raise Refusal("file_unreadable", option=named, file=file, why="UTF-8") from None
