"""What is HTTP about the server: bodies, problems, limits, dependencies. No rule of any domain is here."""
