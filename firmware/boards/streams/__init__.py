"""Boards that are reached through byte streams: records on a pipe or a UART, and what the inputs last said."""
