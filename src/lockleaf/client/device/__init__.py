"""This device: one profile with its keys, its store and its session, and what it remembers against rollback."""
