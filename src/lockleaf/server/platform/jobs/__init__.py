"""Background work on the database itself."""
