"""What travels between a client and a server: bodies by domain, error codes, and the two encodings of them."""
