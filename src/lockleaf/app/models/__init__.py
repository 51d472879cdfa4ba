"""What travels between the page and this process: one module a subject."""
