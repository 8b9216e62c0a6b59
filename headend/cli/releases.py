"""`guelta release`: the utility's releases of firmware, where no headend runs on the database."""

import json
from pathlib import Path

import click
import msgspec

from headend.api.releases import add_release, list_releases
from headend.cli.work import AS_JSON, DATABASE, content_of, refusals_told, seen, written
from headend.configuration import configured, effective
from headend.releases.releases import UPDATE_BYTES_MAX
from headend.settings import SettingsRefused


def version_text(version: int) -> str:
    """10203 as "1.2.3"."""
    return f"{version // 10_000}.{version // 100 % 100}.{version % 100}"


class VersionNumber(click.ParamType):
    """1.2.3 as 10203."""

    name = "VERSION"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        parts = str(value).split(".")
        good = len(parts) == 3 and all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts)
        if not good or any(int(part) > 99 for part in parts[1:]):
            self.fail("give a version as 1.2.3", param, ctx)
        major, minor, patch = map(int, parts)
        return major * 10_000 + minor * 100 + patch


@click.group()
def release() -> None:
    """Take signed releases of firmware, and list them."""


@release.command("add")
@DATABASE
@click.option("--release-key", help="Public key of your releases, as in KEY.pub; the setting release_key by default.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def release_add(database: Path, release_key: str | None, file: Path) -> None:
    """Take FILE, as `guelta firmware release` wrote it. The same file again brings back an image that is missing."""
    with refusals_told():
        data, key = content_of(file, UPDATE_BYTES_MAX), _key(release_key)
    done = written(database, lambda tx: add_release(tx, key, data))
    click.echo(f"{done.hardware} {version_text(done.version)}: {done.size} bytes, {done.fragments} fragments")


def _key(given: str | None) -> bytes:
    """The key of this option, or of the settings. Raises SettingsRefused."""
    if given is not None:
        given = effective(None, {}, {"release_key": given}).configuration.release_key
    found = configured("release_key") if given is None else given
    if found is None:
        raise SettingsRefused("--release-key: give the 128 hex digits in KEY.pub, or put them into the settings file")
    return bytes.fromhex(found)


@release.command("list")
@DATABASE
@AS_JSON
def release_list(database: Path, as_json: bool) -> None:
    """Show the releases, the newest version first."""
    for one in seen(database, list_releases).items:
        if as_json:
            click.echo(json.dumps(msgspec.to_builtins(one)))
        else:
            kept = "" if one.image_kept else "image missing: add the file again"
            click.echo("\t".join((one.hardware, version_text(one.version), str(one.size), one.added_at, kept)).rstrip())
