"""Where settings come from: the environment, then a file .env; a long name, then its short one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from pydantic import ValidationError

from lockleaf.server.platform.server_keys import ServerKeys, load_keys
from lockleaf.server.platform.settings import Settings

ROOT = Path(__file__).parents[3]
ONE, OTHER = "Zq8vN3xLw0TjYc5RbK7mGdF2hSaP6eUo", "r5Wb1XkQ9zHn4VtCy7JpLg3MfD8uEsA0"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to start a server in, with nothing set in the environment."""
    for name in os.environ:
        if name.startswith("LOCKLEAF_") or name in ("DATABASE_URL", "SECRET_KEY"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(**values: str) -> None:
    Path(".env").write_text("".join(f"{name}={value}\n" for name, value in values.items()))


def test_an_address_and_a_secret_in_a_file_are_enough(folder: Path) -> None:
    written(SECRET_KEY=ONE, DATABASE_URL="postgresql://db.example.org/lockleaf", POSTGRES_USER="somebody's")
    settings = Settings()
    assert settings.database.url is not None
    assert settings.database.url.get_secret_value() == "postgresql://db.example.org/lockleaf"
    keys, same = load_keys(settings), ServerKeys([ONE.encode()], ONE.encode())
    assert (keys.prelogin, keys.signing("access")) == (same.prelogin, same.signing("access"))
    assert keys.prelogin != keys.signing("access")
    assert [path.name for path in folder.iterdir()] == [".env"]


def test_the_environment_wins_over_the_file_and_a_long_name_over_a_short_one(monkeypatch: pytest.MonkeyPatch) -> None:
    written(
        SECRET_KEY=ONE,
        ACCESS_TOKEN_EXPIRE_MINUTES="7",
        ALGORITHM="HS384",
        LOCKLEAF_TOKENS__FORM_MINUTES="45",
        LOCKLEAF_DATABASE__POOL_SIZE="3",
        LOCKLEAF_DATABASE__POOL_TIMEOUT_SECONDS="4",
    )
    monkeypatch.setenv("ALGORITHM", "HS512")
    monkeypatch.setenv("LOCKLEAF_DATABASE__POOL_SIZE", "5")
    settings = Settings()
    assert (settings.tokens.access_minutes, settings.tokens.form_minutes, settings.tokens.algorithm) == (7, 45, "HS512")
    assert (settings.database.pool_size, settings.database.pool_timeout_seconds) == (5, 4)


def test_the_roots_can_be_rotated_beside_the_secret_that_decides_for_unknown_emails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SECRET_KEY", ONE)
    before = load_keys(Settings())
    monkeypatch.setenv("LOCKLEAF_SECRETS__ROOTS", f"{OTHER},{ONE}")
    after = load_keys(Settings())
    assert after.prelogin == before.prelogin
    assert after.signing("access") != before.signing("access")
    assert before.signing("access") in after.accepted("access")


def test_tokens_live_as_long_as_is_said_and_otherwise_longer_by_the_form(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = Settings().tokens
    assert (tokens.access_minutes, tokens.form_minutes) == (15, 30)
    monkeypatch.setenv("ACCESS_TOKEN_EXPIRE_MINUTES", "60")
    tokens = Settings().tokens
    assert (tokens.access_minutes, tokens.form_minutes) == (60, 60)


def test_the_example_names_settings_that_exist_and_is_refused_as_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(ROOT / ".env.example", ".env")
    with pytest.raises(ValidationError, match="SECRET_KEY or another root secret looks like a placeholder") as refused:
        Settings()
    assert "change-me" not in str(refused.value)
    monkeypatch.setenv("LOCKLEAF_ENVIRONMENT", "development")
    text = Path(".env").read_text().replace("# ALG", "ALG").replace("# ACC", "ACC").replace("# LOCK", "LOCK")
    Path(".env").write_text(text)
    settings = Settings()
    assert (settings.algorithm, settings.access_token_expire_minutes, len(settings.cors.origins)) == ("HS256", 30, 2)
    assert settings.database_url is not None


@pytest.mark.parametrize(
    "origin",
    ["https://app.example.org/", "app.example.org", "https://app.example.org/path", "https://*.example.org", "null"],
)
def test_what_no_browser_sends_as_an_origin_is_refused(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCKLEAF_CORS__ORIGINS", f"https://example.org,{origin}")
    with pytest.raises(ValidationError, match="an origin is a scheme and a host"):
        Settings()


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Settings().cors.origins == ()
    monkeypatch.setenv("LOCKLEAF_CORS__ORIGINS", " https://a.example.org , http://[::1]:3000,capacitor://localhost,*,")
    assert Settings().cors.origins == ("https://a.example.org", "http://[::1]:3000", "capacitor://localhost", "*")
