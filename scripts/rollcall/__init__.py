"""Rollcall: every record in every export answers the roll."""

__version__ = "0.3.0"
