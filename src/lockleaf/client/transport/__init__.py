"""The way to a server: HTTP, addresses, proxies, retries, and the tokens of a session."""
