"""Devices that synchronise: pushing changes, reading the feed, live events, checkpoints, conflicts."""
