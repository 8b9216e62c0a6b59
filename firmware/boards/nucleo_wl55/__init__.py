"""The NUCLEO-WL55JC board (STM32WL55). Written against the published APIs; not run on hardware (README.md)."""
