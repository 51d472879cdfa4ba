"""The endpoints at which a user sees background jobs."""
