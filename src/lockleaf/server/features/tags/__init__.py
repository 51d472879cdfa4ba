"""Tags: a door to the store."""
