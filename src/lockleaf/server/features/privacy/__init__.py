"""Privacy tiers, consent, and the public keys for metrics."""
