"""What a store that speaks S3 answers instead of doing what it was asked, in the words of the object store."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from aiohttp import ClientError as HttpError
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

from lockleaf.server.platform.blobs.errors import StoreUnavailable

__all__ = ["Refused", "answering"]

_CODE = re.compile(r"[A-Za-z0-9.]{1,64}")

log = structlog.get_logger("lockleaf.objects")


class Refused(Exception):
    """The store answers, with a code for which whoever asked has an answer of its own."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@contextmanager
def answering(method: str, known: frozenset[str] = frozenset()) -> Iterator[None]:
    """Say in the words of the store what its client raises: its own texts hold addresses and names of objects.

    Args:
        known: codes that raise `Refused`; with any other the store is of no use.
    """
    try:
        yield
    except ClientError as error:
        code = str(error.response.get("Error", {}).get("Code", ""))
        if code in known:
            raise Refused(code) from None
        log.warning("the store refused", operation=method, code=code if _CODE.fullmatch(code) else "unknown")
        raise StoreUnavailable from None
    except (BotoCoreError, HTTPClientError, HttpError, OSError, TimeoutError) as error:
        log.warning("the store does not answer", operation=method, error=type(error).__name__)
        raise StoreUnavailable from None
