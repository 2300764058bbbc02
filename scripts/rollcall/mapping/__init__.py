"""Mappings that people review: what each column of a source means, and what is made of it."""
