"""The headend's commands, one file each, by which `guelta` loads only the one that was asked for.

Results go to stdout, all else to stderr. Exit codes: 0 done, 1 refused or failed, 2 usage.
"""

# Before anything else may load another SQLite (SEMANTICS G1).
import headend.storage.sqlite  # noqa: F401
