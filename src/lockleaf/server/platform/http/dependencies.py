"""What routes ask for: the server's parts, a transaction, and a reading session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import Scope

from lockleaf.server.platform.db.engine import Database, ReadSession
from lockleaf.server.platform.db.transaction import Transaction
from lockleaf.server.platform.parts import Parts

__all__ = [
    "PartsOf",
    "Read",
    "Tx",
    "TxToBegin",
    "header",
    "parts",
    "parts_of",
    "parts_of_scope",
    "reading",
    "transaction",
]


def parts_of_scope(scope: Scope) -> Parts:
    """Return the parts of the server that serves what ASGI tells of."""
    found: Parts = scope["app"].state.parts
    return found


def parts_of(request: Request) -> Parts:
    """Return the parts of the server that serves this request."""
    return parts_of_scope(request.scope)


def header(request: Request, name: bytes, default: str = "") -> str:
    """Return what a request says in a header, without Starlette's map of all of them.

    Args:
        name: in lower case.
        default: what it says where the header is absent.
    """
    for each, value in request.scope["headers"]:
        if each == name:
            found: str = value.decode("latin-1")
            return found
    return default


async def parts(request: Request) -> Parts:
    """Give a route the parts of the server."""
    return parts_of_scope(request.scope)


PartsOf = Annotated[Parts, Depends(parts)]

# The dependencies below take the request alone: each further dependency of theirs would be resolved at every request,
# which costs more than what it does.


async def transaction(request: Request) -> AsyncIterator[Transaction]:
    """One transaction around the route: committed when it returns, before its answer is sent."""
    await request.body()  # a client that sends slowly, or never, holds no connection meanwhile
    async with parts_of(request)[Database].transaction() as tx:
        yield tx


async def transaction_to_begin(request: Request) -> AsyncIterator[Transaction]:
    """The same for a route that hashes, checks or computes first: it takes a connection when it is told to begin."""
    async with parts_of(request)[Database].transaction(begun=False) as tx:
        yield tx


async def reading(request: Request) -> AsyncIterator[ReadSession]:
    """A session whose every statement reads, and stands for itself."""
    async with parts_of(request)[Database].read_sessions() as session:
        yield session


# Scope "function": with FastAPI's default the commit would run after the answer was sent, and a commit that fails
# would already have been reported as a success.
Tx = Annotated[Transaction, Depends(transaction, scope="function")]
TxToBegin = Annotated[Transaction, Depends(transaction_to_begin, scope="function")]
Read = Annotated[ReadSession, Depends(reading, scope="function")]
