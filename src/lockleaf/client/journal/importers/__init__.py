"""Readers of journals that were kept elsewhere; each gives drafts for `Journal.import_entries`."""

from __future__ import annotations

from lockleaf.client.journal.importers.jsonl import read_jsonl
from lockleaf.client.journal.importers.protocol import Importer, ImportOptions

__all__ = ["ImportOptions", "Importer", "read_jsonl"]
