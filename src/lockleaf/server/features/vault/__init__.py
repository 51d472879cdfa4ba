"""The vault: named blobs with versions, which the server keeps as they are (PROTOCOL section 6)."""
