"""Rollcall: every record in every export is accounted for."""

__version__ = "0.3.0"
