"""Search: on this device by an index of its own, and through the server in words (uce) or in keyed digests (e2e)."""
