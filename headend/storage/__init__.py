"""The books on disk: one SQLite library, one writing thread, readers that cannot write. Start with README.md."""
