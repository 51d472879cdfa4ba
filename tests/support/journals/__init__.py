"""Journals as other programs write them, made by the tests in those programs' documented formats."""
