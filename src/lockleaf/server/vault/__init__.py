"""Named blobs with versions: a door to the store."""
