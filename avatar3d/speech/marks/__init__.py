"""Recorded marks of other programs become phones."""
