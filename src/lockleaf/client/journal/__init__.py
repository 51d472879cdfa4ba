"""The journal on this device: entries, tags, drafts, the inbox, conflicts, earlier revisions and imports."""
