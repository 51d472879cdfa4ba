"""Accounts: who you are, which keys are yours, and what you wish."""
