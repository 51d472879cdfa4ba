"""Media: encrypted files that go straight to the object store. The server knows their sizes, digests and owners."""
