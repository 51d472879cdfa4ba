"""The archive of an account: ciphertext and metadata, as the server holds them."""
