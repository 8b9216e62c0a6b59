"""The contract that meter and headend both run: wire formats and rules. Pure, integers only, one source for both."""
