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
class Settings:
    """One running headend. `udp` is None without a UDP bearer."""

    database: Path
    key_file: Path
    http: Address
    udp: Address | None
    mode: str = PRODUCTION
    clock: str = SYSTEM_CLOCK
    allow_remote: bool = False
    utility: str = "Guelta"
    currency: str = "XOF"

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
