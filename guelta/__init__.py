"""The command `guelta`, and nothing else."""
