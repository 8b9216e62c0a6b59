"""The headend's commands, by the names under which `guelta` loads them.

Results go to stdout, all else to stderr. Exit codes: 0 done, 1 refused or failed, 2 usage.
"""

# Before anything else may load another SQLite (SEMANTICS G1).
import headend.storage.sqlite  # noqa: F401  # isort: split
from headend.cli.database import db
from headend.cli.keys import key
from headend.cli.ledger import ledger
from headend.cli.meters import meter
from headend.cli.providers import provider
from headend.cli.serve import serve
from headend.cli.tariffs import tariff

__all__ = ["db", "key", "ledger", "meter", "provider", "serve", "tariff"]
