"""Many districts on one machine: their cycles side by side, and their marts in one database."""
