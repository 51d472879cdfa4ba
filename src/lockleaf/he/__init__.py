"""Homomorphic encryption of metrics: numbers that a server adds up and cannot read (PROTOCOL section 9).

Pure functions and small classes, bytes in and bytes out, no I/O. Import the modules themselves: this file imports none
of them, so that who only needs ``params`` loads neither NumPy nor TenSEAL.
"""

__all__: list[str] = []
