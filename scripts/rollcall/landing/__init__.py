"""Landing: from the inbox to archive, raw tables and ledger, with a verdict for every file."""
