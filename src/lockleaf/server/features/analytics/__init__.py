"""Encrypted metrics: kept, and added up, by a server that cannot read one of them."""
