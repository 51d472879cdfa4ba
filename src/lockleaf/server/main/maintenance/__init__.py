"""What an operator does with a whole server: backups, restores, checks."""
