"""Keys of passwords at a cost that a run of hundreds of accounts can pay."""

from __future__ import annotations

from lockleaf.crypto import uce

__all__ = ["USUAL_MEMORY_KIB", "stretch_cheaply"]

USUAL_MEMORY_KIB = uce._MEMORY_KIB
"""What the secret of a uce account takes outside of tests, in KiB."""


def stretch_cheaply() -> None:
    """Stretch the secrets of uce accounts in this process with hardly any memory.

    No setting can make that cheap, the protocol says what it costs, and its vectors are tested as they are
    (tests/unit/crypto/test_uce.py). Servers and devices of the tests would each take 0.15 s of a processor, several
    times in a test. All that share an account have to do alike: a program that loads for itself pays in full.
    """
    uce._MEMORY_KIB = 64
