"""What the page asks: one module a subject."""
