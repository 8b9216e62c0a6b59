"""The books on disk: one SQLite library, one writing thread, readers that cannot write. Start with README.md."""

# Whatever of the storage is imported first, the one SQLite library is in place before SQLAlchemy (SEMANTICS G1).
import headend.storage.sqlite  # noqa: F401
