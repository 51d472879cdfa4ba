"""Synchronisation: pull, push, conflicts, checkpoints, changes of epoch, and repair."""
