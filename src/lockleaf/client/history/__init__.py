"""The history of an account, verified: its hash chain, its epochs, and whose signatures count."""
