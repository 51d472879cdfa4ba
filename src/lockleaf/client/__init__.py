"""The SDK: accounts, an offline-first journal, and a sync that verifies what the server says."""
