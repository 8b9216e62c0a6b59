"""What the checklist, the swap and the decommissioning refuse: code, exit code, English, French."""

TABLE: dict[str, tuple[int, str, str]] = {}
