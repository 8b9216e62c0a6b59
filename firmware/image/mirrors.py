"""Where this machine gets its Debian packages from, read from apt's own settings. Host-side.

Both formats are read: one line per source (`*.list`) and stanzas (`*.sources`, deb822). Only the main archive of the
release that runs here is of use: a source package lies below its `pool/main`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

APT = Path("/etc/apt")
RELEASE = Path("/etc/os-release")
_ONE_LINE = re.compile(r"(?:deb|deb-src)\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.+)")
_LISTED = "mirror+file:"


class Source(NamedTuple):
    """One place packages come from: address, suites, components."""

    uri: str
    suites: tuple[str, ...]
    components: tuple[str, ...]


def one_line(text: str) -> Iterator[Source]:
    """The sources of a `.list` file."""
    for line in text.splitlines():
        found = _ONE_LINE.fullmatch(line.partition("#")[0].strip())
        if found:
            yield Source(found[1], (found[2],), tuple(found[3].split()))


def stanzas(text: str) -> Iterator[Source]:
    """The sources of a `.sources` file: fields over several lines, comments, several addresses, `Enabled: no`."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    for stanza in re.split(r"\n\s*\n", "\n".join(lines)):
        fields: dict[str, list[str]] = {}
        name = ""
        for line in stanza.splitlines():
            if not line[:1].isspace():
                name, _, line = line.partition(":")
            fields.setdefault(name.strip().lower(), []).extend(line.split())
        if [word.lower() for word in fields.get("enabled", ["yes"])] in (["no"], ["false"], ["0"]):
            continue
        for uri in fields.get("uris", []):
            yield Source(uri, tuple(fields.get("suites", [])), tuple(fields.get("components", [])))


def sources(apt: Path = APT) -> list[Source]:
    """All sources apt is told of, in the order in which it reads its files."""
    found: list[Source] = []
    for path in [apt / "sources.list", *sorted((apt / "sources.list.d").glob("*"))]:
        if not path.is_file():
            continue
        text = path.read_text(errors="replace")
        if path.suffix == ".list":
            found += one_line(text)
        elif path.suffix == ".sources":
            found += stanzas(text)
    return found


def codename(release: Path = RELEASE) -> str:
    """The Debian release that runs here ("bookworm"), or nothing on another system."""
    if not release.is_file():
        return ""
    fields = dict(line.partition("=")[::2] for line in release.read_text().splitlines())
    return fields.get("VERSION_CODENAME", "").strip('"') if fields.get("ID", "").strip('"') == "debian" else ""


def debian_mirrors(apt: Path = APT, release: Path = RELEASE) -> list[str]:
    """Addresses of the main archive of the Debian release that runs here, each once, in apt's order."""
    name = codename(release)
    suites = {name, f"{name}-updates", "stable", "testing", "unstable", "sid"}
    found: list[str] = []
    for source in sources(apt) if name else []:
        if "main" not in source.components or not suites.intersection(source.suites):
            continue
        if source.uri.startswith(_LISTED):
            listed = Path(re.sub("^/+", "/", source.uri.removeprefix(_LISTED)))
            found += [line.split()[0] for line in listed.read_text().splitlines() if line.strip()[:1] not in ("", "#")]
        else:
            found.append(source.uri)
    return list(dict.fromkeys(uri.rstrip("/") for uri in found if uri.startswith(("http://", "https://"))))
