"""Every flash operation cut and live bits flipped, under both interpreters (README.md)."""
