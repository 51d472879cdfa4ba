"""Connections to social networks: their posts come into the sealed inbox, and entries go out to them."""
