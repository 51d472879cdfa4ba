"""Cryptography of the Lockleaf protocol: pure functions and small classes, bytes in and bytes out, no I/O.

Import the modules themselves: this file imports none of them, so that a server which needs ``history`` does not load
what opens records.
"""

__all__: list[str] = []
