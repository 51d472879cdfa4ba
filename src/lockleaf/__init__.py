"""Lockleaf: a private journal, and the backend on which others build private journals."""

from importlib.metadata import version

__version__ = version("lockleaf")
