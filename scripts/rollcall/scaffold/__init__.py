"""Scaffolding: a feed drafted from one of its files, for an engineer to finish."""
