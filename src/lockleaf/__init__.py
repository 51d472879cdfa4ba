"""Lockleaf: a private journal, and the backend on which others build private journals."""
