"""What a script learns from the end of a command (docs/GLOSSARY.md, "exit code"). No number gets a second meaning."""

OK = 0
FAILED = 1
USAGE = 2
NO_DEVICE = 3
BUSY = 4  # or more than one device, and nobody said which
NOT_VERIFIED = 5  # a check of a meter failed
HEADEND_REFUSED = 6
INCOMPLETE = 7  # what is done is kept: the same command again goes on
INTERRUPTED = 130
