"""Whole worlds in one process: every fault, independent judges, one number to play any of them again."""
