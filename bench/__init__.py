"""The benchmarks behind `guelta bench`, each printing JSON."""
