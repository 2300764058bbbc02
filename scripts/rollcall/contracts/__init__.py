"""Contracts: sources, feeds, limits, layouts and codes, as the seeds declare them."""
