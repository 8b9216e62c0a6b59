"""The meter as a process: flash in a file, inputs and outputs on stdin/stdout, time in lock-step or from the wall."""
