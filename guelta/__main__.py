"""`python -m guelta` is the command `guelta`."""

from guelta.cli import main

main()
