"""The ledger: what was handed over, what became of it, what was decided and what is due."""
