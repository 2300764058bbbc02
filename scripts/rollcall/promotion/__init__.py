"""Promotion: what must hold of a pilot before live tables see it."""
