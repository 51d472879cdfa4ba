"""Fills ``docs/reference/settings.md`` from the settings as the code declares them."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from docs.marks import fill, table
from lockleaf.server.platform.settings import Settings

__all__ = ["PAGE", "page"]

PAGE = Path(__file__).parent / "reference" / "settings.md"

_SHORT = {
    "database_url": "DATABASE_URL",
    "secret_key": "SECRET_KEY",
    "algorithm": "ALGORITHM",
    "access_token_expire_minutes": "ACCESS_TOKEN_EXPIRE_MINUTES",
}
# Where nothing is set, the server finds it in another way.
_FOUND = {
    "LOCKLEAF_DATA_DIR": "a folder of the user's",
    "LOCKLEAF_SECRETS__ROOTS": "made, with the embedded database",
    "LOCKLEAF_SECRETS__PRELOGIN": "made, with the embedded database",
    "LOCKLEAF_FACTORS__ORIGINS": "that of `LOCKLEAF_BLOBS__PUBLIC_URL`",
    "LOCKLEAF_FACTORS__RP_ID": "the host of the first origin",
    "LOCKLEAF_ANALYTICS__PREWARM": "if there are metrics",
    "LOCKLEAF_BLOBS__PATH": "`blobs` in the data folder",
    "LOCKLEAF_BLOBS__PUBLIC_URL": "as the client asked",
    "LOCKLEAF_BLOBS__ENDPOINT": "that of AWS",
    "LOCKLEAF_BLOBS__PUBLIC_ENDPOINT": "the same",
    "LOCKLEAF_BLOBS__ACCESS_KEY": "from the environment, as AWS has it",
    "LOCKLEAF_BLOBS__SECRET_KEY": "likewise",
    "LOCKLEAF_JOBS__IN_PROCESS": "with the embedded database",
}
_MORE = {
    "LOCKLEAF_PRELOGIN__SALT_ENCODING": "[vault clients](../how-to/serve-a-vault-client.md)",
    "LOCKLEAF_FACTORS__CHALLENGE_MINUTES": "[second factors](../how-to/use-a-second-factor.md)",
    "LOCKLEAF_DATABASE__POOLER_URL": "[PgBouncer](../how-to/run-several-servers.md#pgbouncer)",
    "LOCKLEAF_RATES__ENABLED": "[rates](../how-to/limit-rates.md)",
    "LOCKLEAF_RATES__STORE": "[several machines](../how-to/limit-rates.md#count-over-several-machines)",
    "LOCKLEAF_PROXIES__TRUSTED": "[name your proxy](../how-to/limit-rates.md#name-your-proxy)",
    "LOCKLEAF_REGISTRATION__MODE": "[who joins](../how-to/limit-who-joins.md)",
    "LOCKLEAF_BLOBS__KIND": "[where files lie](../how-to/object-store.md)",
    "LOCKLEAF_LOG__REFUSED_ADDRESSES": "[fail2ban](../how-to/limit-rates.md#block-with-fail2ban)",
}
_HEAD = ("variable", "default", "may be", "means")


def page() -> str:
    """Return the page, with its tables as the code has them."""
    return fill(PAGE.read_text(encoding="utf-8"), {"names": _names(), "groups": _groups()})


def _names() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        if not _is_group(field):
            rows.append(_row(_SHORT.get(name, f"LOCKLEAF_{name.upper()}"), field))
    return table(_HEAD, rows)


def _groups() -> str:
    parts = []
    for group, field in Settings.model_fields.items():
        if _is_group(field):
            model: Any = field.annotation
            rows = [
                _row(f"LOCKLEAF_{group.upper()}__{name.upper()}", each) for name, each in model.model_fields.items()
            ]
            said = " ".join((inspect.getdoc(model) or "").split()).replace("``", "`")
            parts += [f"## {group.capitalize()}", said, table(_HEAD, rows)]
    return "\n\n".join(parts)


def _is_group(field: FieldInfo) -> bool:
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def _row(variable: str, field: FieldInfo) -> tuple[str, ...]:
    said = field.description or ""
    assert said, f"{variable} has no description"
    more = f" More: {_MORE[variable]}." if variable in _MORE else ""
    return f"`{variable}`", _default(variable, field), _allowed(field), said + more


def _default(variable: str, field: FieldInfo) -> str:
    if variable in _FOUND:
        assert field.default_factory or field.default in (None, ()), f"{variable} has a default"
        return _FOUND[variable]
    value = field.default
    if value is None or value in ((), ""):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _allowed(field: FieldInfo) -> str:
    choices = [
        each
        for kind in (field.annotation, *get_args(field.annotation))
        if get_origin(kind) is Literal
        for each in get_args(kind)
    ]
    if bool in (field.annotation, *get_args(field.annotation)):
        return "`true`, `false`"
    if choices:
        return ", ".join(f"`{each}`" for each in choices)
    least = next((f"{_number(each.ge)}" for each in field.metadata if isinstance(each, Ge)), None)
    above = next((f"{_number(each.gt)}" for each in field.metadata if isinstance(each, Gt)), None)
    most = next((_number(each.le) for each in field.metadata if isinstance(each, Le)), None)
    assert not any(isinstance(each, Lt) for each in field.metadata)
    if least is not None:
        return f"{least} to {most}" if most else f"{least} or more"
    if above is not None:
        return f"more than {above}, up to {most}" if most else f"more than {above}"
    return ""


def _number(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
