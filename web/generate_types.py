"""The types of what the page is answered and what it sends, made of the local server's OpenAPI document.

`make page` writes them into `src/answers.ts`; a test holds that file to it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from lockleaf.app.openapi import document

HEAD = "// Made by generate_types.py of `lockleaf app --openapi`: `make page` writes it anew.\n"
_PLAIN = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def types() -> str:
    """Return the module."""
    schemas: dict[str, Any] = document()["components"]["schemas"]
    return "\n".join([HEAD, *(_interface(name, schema) for name, schema in sorted(schemas.items()))])


def _interface(name: str, schema: dict[str, Any]) -> str:
    needed = set(schema.get("required", ()))
    lines = [f"export interface {name} {{"]
    for field, its in schema.get("properties", {}).items():
        lines.append(f"  {field}{'' if field in needed else '?'}: {_type(its)};")
    lines.append("}\n")
    return "\n".join(lines)


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    if "anyOf" in schema:
        return " | ".join(_type(each) for each in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    kind = schema["type"]
    if kind == "array":
        if "prefixItems" in schema:
            return f"[{', '.join(map(_type, schema['prefixItems']))}]"
        of = _type(schema["items"])
        return f"({of})[]" if " | " in of else f"{of}[]"
    if kind == "object":
        return f"Record<string, {_type(schema['additionalProperties'])}>"
    return _PLAIN[kind]


if __name__ == "__main__":
    (Path(__file__).parent / "src/answers.ts").write_text(types())
