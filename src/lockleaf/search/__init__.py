"""What a search means: the words of a text, their stems, the query language, matching, order and highlights.

The server and the SDK both stand on this package, so that the same query finds the same entries wherever it is
answered. Pure functions, no I/O and no keys. Import the modules themselves: this file imports none of them.
"""

__all__: list[str] = []
