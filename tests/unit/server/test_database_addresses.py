"""Addresses of databases, in every spelling in which platforms give them."""

from __future__ import annotations

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from lockleaf.server.platform.db.engine import asyncpg_url, sqlalchemy_url


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"])
def test_any_spelling_of_postgresql_is_understood(scheme: str) -> None:
    rest = "me:word@db.example:5433/journal"
    assert sqlalchemy_url(f"{scheme}://{rest}") == f"postgresql+asyncpg://{rest}"
    assert asyncpg_url(f"{scheme}://{rest}") == f"postgresql://{rest}"


@pytest.mark.parametrize("query", ["sslmode=require", "application_name=x&sslmode=require"])
def test_the_demand_for_encryption_reaches_the_driver(query: str) -> None:
    url = f"postgresql://me@db.example/sslmode=x?{query}"
    engine = create_async_engine(sqlalchemy_url(url))
    _, options = engine.dialect.create_connect_args(engine.url)
    assert options["ssl"] == "require"
    assert "sslmode" not in options
    assert options["database"] == "sslmode=x"
    assert asyncpg_url(url) == url
