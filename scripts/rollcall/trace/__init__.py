"""Traces: from a state to the line of the export that caused it, and forward; read only."""
