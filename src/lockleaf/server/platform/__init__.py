"""What any server needs, and that knows nothing of journals."""
