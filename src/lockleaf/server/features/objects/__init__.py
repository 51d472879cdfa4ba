"""The endpoints at which signed addresses of objects lead, where the server keeps them itself."""
