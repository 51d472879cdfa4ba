"""The database: PostgreSQL, and how the server talks to it."""
