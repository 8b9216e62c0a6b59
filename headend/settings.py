"""What `guelta serve` runs with, checked as a whole before anything starts."""

import ipaddress
from dataclasses import dataclass
from pathlib import Path

PRODUCTION = "production"
SIM = "sim"
MODES = (PRODUCTION, SIM)

SYSTEM_CLOCK = "system"
SIM_CLOCK = "sim"
CLOCKS = (SYSTEM_CLOCK, SIM_CLOCK)


class SettingsRefused(ValueError):
    """These settings must not be run with; the message names the option and the remedy."""


@dataclass(frozen=True)
class Address:
    """Host and port to listen on; port 0 lets the system choose."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        return is_loopback(self.host)


@dataclass(frozen=True)
class ChirpStackSettings:
    """The REST API of a ChirpStack v4 network server, and the file that holds its API token."""

    url: str
    token_file: Path


@dataclass(frozen=True)
class Settings:
    """One running headend. `udp` and `chirpstack` are None without that bearer; `release_key` is the public key that
    signs its releases, empty where there is none; `high_water` is None only where meters are simulated."""

    database: Path
    key_file: Path
    http: Address
    udp: Address | None
    mode: str = PRODUCTION
    clock: str = SYSTEM_CLOCK
    allow_remote: bool = False
    utility: str = "Guelta"
    currency: str = "XOF"
    chirpstack: ChirpStackSettings | None = None
    ledger_check_s: int = 3600
    release_key: bytes = b""
    high_water: Path | None = None

    @property
    def simulated(self) -> bool:
        return self.mode == SIM


def checked(settings: Settings) -> Settings:
    """The settings themselves, or SettingsRefused."""
    if settings.clock == SIM_CLOCK and settings.mode != SIM:
        raise SettingsRefused(
            "--clock=sim: a production headend takes its time from the system. A simulated clock could age signatures, "
            "tariffs and debts at will; use --mode=sim with it, on a database of its own."
        )
    if settings.mode == SIM and settings.allow_remote:
        raise SettingsRefused(
            "--allow-remote: a simulation listens on this machine only; leave it out with --mode=sim."
        )
    if not settings.http.is_loopback and not settings.allow_remote:
        raise SettingsRefused(
            f"--http {settings.http.host}: this address can be reached from other machines. Use 127.0.0.1, or add "
            "--allow-remote after making a key with 'guelta key create'."
        )
    return settings


def chirpstack_of(url: str | None, token_file: Path | None) -> ChirpStackSettings | None:
    """The network server that these two options name, None where neither is given. Raises SettingsRefused."""
    if url is None and token_file is None:
        return None
    if url is None or token_file is None:
        raise SettingsRefused("--chirpstack-url and --chirpstack-token-file: give both, or neither")
    if not url.startswith(("http://", "https://")):
        raise SettingsRefused(f"--chirpstack-url {url}: give the address of the REST API, as http://127.0.0.1:8090")
    return ChirpStackSettings(url, token_file)


def read_token(token_file: Path) -> str:
    """The API token in a file that belongs to its owner alone. Raises SettingsRefused."""
    try:
        if token_file.stat().st_mode & 0o077:
            raise SettingsRefused(f"--chirpstack-token-file: others can read it; chmod 600 {token_file}")
        token = token_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsRefused(f"--chirpstack-token-file {token_file}: cannot be read ({error})") from None
    if not token or not token.isascii() or not token.isprintable():
        raise SettingsRefused(f"--chirpstack-token-file {token_file}: put the API token into it, on one line")
    return token


def parse_address(text: str) -> Address:
    """HOST:PORT, with an IPv6 host in brackets. SettingsRefused for anything else."""
    host, colon, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise SettingsRefused(f"{text!r} is not HOST:PORT with a port of 0 to 65535, as 127.0.0.1:8080")
    return Address(host, int(port))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the host by this name or number."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
