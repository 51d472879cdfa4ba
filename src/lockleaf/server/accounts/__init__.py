"""Who a user is: account, profile, preferences, keys that the client sealed or published."""
