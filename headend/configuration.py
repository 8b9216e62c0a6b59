"""One place for every setting of `guelta serve`: a TOML file, overridden by the environment, overridden by options.

Each field of `Configuration` is a key of the file (`http`), a variable (`GUELTA_HTTP`) and an option (`--http`).
Secrets are no settings: where one is needed, the setting names a file. A wrong value is refused by where it stands.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta

from headend.payments.amounts import EXPONENTS
from headend.settings import Address, Settings, SettingsRefused, chirpstack_of, parse_address

PREFIX = "GUELTA_"
CONFIG_VARIABLE = PREFIX + "CONFIG"
# Variables of ours that are no settings of the headend.
_OTHERS = (CONFIG_VARIABLE, PREFIX + "MICROPYTHON", PREFIX + "FIELD_HOME")
FILE_BYTES_MAX = 16 * 1024  # of settings; a longer one could be made to take minutes to read


def _told(english: str, french: str) -> dict[str, Any]:
    return {"description": english, "extra": {"fr": french}}


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting with its type, its default and what it is for."""

    db: Annotated[Path, Meta(**_told("The database file.", "Le fichier de la base."))] = Path("guelta.db")
    key_file: Annotated[
        Path | None,
        Meta(
            **_told(
                "The key that wraps all secrets; db with '.kek' appended unless given. Back it up apart from db.",
                "La clé qui protège tous les secrets ; à défaut, db suivi de « .kek ». À sauvegarder à part.",
            )
        ),
    ] = None
    high_water: Annotated[
        Path | None,
        Meta(
            **_told(
                "What meters were granted, so that no restore loses it: put it on another disk or machine than db; "
                "db with '.high-water' appended unless given.",
                "Ce qui fut accordé aux compteurs, pour qu’aucune restauration ne le perde : à mettre sur un autre "
                "disque ou une autre machine que db ; à défaut, db suivi de « .high-water ».",
            )
        ),
    ] = None
    http: Annotated[
        Address,
        Meta(**_told("HOST:PORT for REST, biller API and page.", "HÔTE:PORT pour REST, prestataires et page.")),
    ] = Address("127.0.0.1", 8080)
    udp: Annotated[
        Address, Meta(**_told("HOST:PORT for meters over UDP.", "HÔTE:PORT pour les compteurs par UDP."))
    ] = Address("127.0.0.1", 5683)
    mode: Annotated[
        Literal["production", "sim"],
        Meta(
            **_told(
                "production, or sim: a simulation on this machine.", "production, ou sim : une simulation sur place."
            )
        ),
    ] = "production"
    clock: Annotated[
        Literal["system", "sim"],
        Meta(**_told("system, or sim: a simulator sets the time.", "system, ou sim : un simulateur donne l’heure.")),
    ] = "system"
    chirpstack_url: Annotated[
        Annotated[str, Meta(max_length=200)] | None,
        Meta(**_told("REST API of a ChirpStack v4 server.", "API REST d’un serveur ChirpStack v4.")),
    ] = None
    chirpstack_token_file: Annotated[
        Path | None,
        Meta(**_told("File that holds an API token of that server.", "Fichier qui contient un jeton de ce serveur.")),
    ] = None
    allow_remote: Annotated[
        bool,
        Meta(
            **_told(
                "Let http listen for other machines; needs an API key.",
                "Laisser http écouter d’autres machines ; demande une clé d’API.",
            )
        ),
    ] = False
    utility: Annotated[
        Annotated[str, Meta(pattern=r"^(?=.*\S)[^\x00-\x1f\x7f-\x9f]{1,100}(?![\s\S])")],
        Meta(**_told("Name of the utility, for a new database.", "Nom du service d’eau, pour une base nouvelle.")),
    ] = "Guelta"
    currency: Annotated[
        Literal[tuple(sorted(EXPONENTS))],  # type: ignore[valid-type]
        Meta(**_told("ISO 4217, for a new database.", "ISO 4217, pour une base nouvelle.")),
    ] = "XOF"
    ledger_check_s: Annotated[
        Annotated[int, Meta(ge=0, le=604_800)],
        Meta(
            **_told(
                "Seconds between checks of the whole books, told at /metrics; 0 for none.",
                "Secondes entre deux vérifications complètes des livres, dites dans /metrics ; 0 pour aucune.",
            )
        ),
    ] = 3600
    release_key: Annotated[
        Annotated[str, Meta(pattern=r"^[0-9a-f]{128}(?![\s\S])")] | None,
        Meta(
            **_told(
                "Public key of your firmware releases: the 128 hex digits in KEY.pub.",
                "Clé publique de vos versions de micrologiciel : les 128 chiffres de KEY.pub.",
            )
        ),
    ] = None

    def settings(self) -> Settings:
        """The same as what a headend runs with. Raises SettingsRefused."""
        return Settings(
            database=self.db,
            key_file=self.key_file or Path(f"{self.db}.kek"),
            http=self.http,
            udp=self.udp,
            mode=self.mode,
            clock=self.clock,
            allow_remote=self.allow_remote,
            utility=self.utility,
            currency=self.currency,
            chirpstack=chirpstack_of(self.chirpstack_url, self.chirpstack_token_file),
            ledger_check_s=self.ledger_check_s,
            release_key=bytes.fromhex(self.release_key or ""),
            high_water=high_water_of(self.db, self.high_water),
        )


@dataclass(frozen=True)
class Effective:
    """The values in force and where each one comes from."""

    configuration: Configuration
    origins: Mapping[str, str]


TYPES = get_type_hints(Configuration, include_extras=True)
DEFAULTS = Configuration()


def high_water_of(database: Path, given: Path | None) -> Path:
    """Where what was granted is kept besides the database."""
    return given or Path(f"{database}.high-water")


def variable(name: str) -> str:
    return PREFIX + name.upper()


def option(name: str) -> str:
    return "--" + name.replace("_", "-")


def meaning(name: str, language: str) -> str:
    """What a setting is for."""
    meta = TYPES[name].__metadata__[-1]
    return str(meta.description if language == "en" else meta.extra["fr"])


_NONE: Mapping[str, object] = {}


def effective(file: Path | None, environment: Mapping[str, str], options: Mapping[str, object] = _NONE) -> Effective:
    """The settings of file, environment and options, the later before the earlier. Raises SettingsRefused, naming
    the place: "guelta.toml line 3: htp: …"."""
    given: dict[str, tuple[object, str]] = {}
    if file is not None:
        given |= _of_file(file)
    given |= _of_environment(environment)
    given |= {name: (value, option(name)) for name, value in options.items()}
    values = {name: _converted(name, value, origin) for name, (value, origin) in given.items()}
    origins = {name: given[name][1] if name in given else "default" for name in TYPES}
    return Effective(Configuration(**values), origins)


def file_of(environment: Mapping[str, str]) -> Path | None:
    """The configuration file that the environment names."""
    return Path(environment[CONFIG_VARIABLE]) if environment.get(CONFIG_VARIABLE) else None


def configured(name: str) -> Any:
    """One setting for commands that need no more: from the file that the environment names, or its default."""
    file = file_of(os.environ)
    return getattr(DEFAULTS if file is None else effective(file, {}).configuration, name)


def shown(value: object) -> str:
    """A value as it stands in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Address):
        host = f"[{value.host}]" if ":" in value.host else value.host
        return f'"{host}:{value.port}"'
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def _of_file(file: Path) -> dict[str, tuple[object, str]]:
    try:
        with file.open("rb") as stream:
            raw = stream.read(FILE_BYTES_MAX + 1)
        if len(raw) > FILE_BYTES_MAX:
            raise SettingsRefused(f"{file}: longer than {FILE_BYTES_MAX} bytes")
        text = raw.decode("utf-8-sig")
        found = tomllib.loads(text)
    except OSError as failure:
        raise SettingsRefused(f"{file}: {failure.strerror}") from None
    except UnicodeDecodeError as failure:
        raise SettingsRefused(f"{file}: byte {failure.start} is not UTF-8; save the file as UTF-8") from None
    except (ValueError, RecursionError) as failure:  # of TOML, a number beyond all measure, brackets without end
        raise SettingsRefused(f"{file}: {failure}; 'guelta config template' shows how settings are written") from None
    for name in found:
        if name not in TYPES:
            _known(name, f"{file} line {_line(text, name)}", name)
    places = {name: f"{file} line {_line(text, name)}" for name in found}
    return {name: (value, places[name]) for name, value in found.items()}


def _of_environment(environment: Mapping[str, str]) -> dict[str, tuple[object, str]]:
    ours = [name for name in environment if name.startswith(PREFIX) and name not in _OTHERS]
    names = {name: name.removeprefix(PREFIX).lower() for name in ours}
    for variable_name, name in names.items():
        _known(name, "the environment", variable_name)
    return {name: (environment[variable_name], variable_name) for variable_name, name in names.items()}


def _known(name: str, place: str, shown_name: str) -> None:
    if name not in TYPES:
        raise SettingsRefused(f"{place}: {shown_name}: no such setting; 'guelta config template' lists them all")


def _line(text: str, name: str) -> int:
    """Where a key or a table of that name stands."""
    key = re.compile(rf'^\s*\[*\s*["\']?{re.escape(name)}["\']?\s*[\].=]')
    return next((number for number, line in enumerate(text.split("\n"), 1) if key.match(line)), 1)


def _converted(name: str, value: object, origin: str) -> object:
    """The value as its setting's type; text of the environment may stand for a number or a truth value."""
    kind = TYPES[name]
    if origin.startswith(PREFIX):
        value = _read(str(value), kind.__origin__)
    try:
        if kind.__origin__ is Address:
            return _hook(Address, value)
        return msgspec.convert(value, kind, dec_hook=_hook)
    except (msgspec.ValidationError, SettingsRefused) as wrong:
        raise SettingsRefused(f"{origin}: {name} = {_quoted(value)}: {wrong}; {meaning(name, 'en')}") from None


def _quoted(value: object) -> str:
    """The value as it is told to whoever wrote it; TOML has numbers longer than Python prints."""
    try:
        return repr(value)
    except ValueError:
        return "a number beyond all measure"


def _read(text: str, kind: object) -> object:
    """A variable's text as what a TOML file would say."""
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), text)
    return int(text) if kind is int and re.fullmatch(r"-?[0-9]{1,18}", text) else text


def _hook(kind: type, value: object) -> object:
    """What TOML has no word for."""
    if isinstance(value, kind):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise SettingsRefused("give a text in quotation marks, or leave the setting out")
    return parse_address(value) if kind is Address else Path(value)
