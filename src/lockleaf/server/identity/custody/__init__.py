"""The one place of the server that may open uce content (PROTOCOL section 7)."""
