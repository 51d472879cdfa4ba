"""Second factors of accounts: what shows, beside the secret, that its owner is there."""
