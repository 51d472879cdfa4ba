"""The account: signing up, logging in, credentials, keys, recovery, devices and privacy tiers."""
