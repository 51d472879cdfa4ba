"""How often something may be asked for: what is counted, where, and what becomes of who asks too often."""
