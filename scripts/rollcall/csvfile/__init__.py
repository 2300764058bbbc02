"""CSV files: from bytes to framed records and columns, without knowledge of any feed."""
