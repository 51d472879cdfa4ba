"""Proving who is asking: verifiers, tokens, sessions."""
