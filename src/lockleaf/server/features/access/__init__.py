"""The history of access to uce content."""
