"""Backups of older clients, each a record."""
