"""Searching entries: an index of keyed digests of their words, and what is found by it (PROTOCOL sections 4 and 7)."""
