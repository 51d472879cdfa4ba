"""The diary: a door to the store."""
