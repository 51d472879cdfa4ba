"""Records as their writers see them: entries, tags and settings, edited, merged, sealed and opened."""
