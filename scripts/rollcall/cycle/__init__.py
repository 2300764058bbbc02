"""Cycles: land, build, test and publish; rebuild, verify and reconcile what was published."""
