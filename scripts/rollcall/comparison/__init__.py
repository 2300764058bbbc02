"""The SQL by which reconciliation compares exports with marts."""
