"""Who is asking: accounts, their sessions, and the custody of uce keys."""
