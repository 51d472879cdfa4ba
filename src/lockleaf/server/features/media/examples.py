"""Examples of media: what is declared of an encrypted file, and the requests that its client sends to the store."""

from __future__ import annotations

from lockleaf.server.features.people import ENTRY, PHOTO
from lockleaf.server.platform.http.examples import Examples, digest, hexadecimal, opaque

__all__ = ["EXAMPLES"]

_FILM = "0190a3a0-0000-7000-8000-000000000022"
_EXPIRES = "2026-03-14T08:31:04Z"
_MIB = 1024 * 1024
_PART = 16 * _MIB

_DECLARED = {"id": PHOTO, "media_type": "image/jpeg", "size": 2_480_311, "entry_id": ENTRY}
_STORED = {
    **_DECLARED,
    "sha256": digest("the sealed photo"),
    "state": "stored",
    "created_at": "2026-03-14T07:31:04.518482Z",
    "completed_at": "2026-03-14T07:31:09.027113Z",
}
_UPLOADING = {
    "id": _FILM,
    "media_type": "video/mp4",
    "size": 4 * _PART + 7_340_032,
    "sha256": digest("the sealed film"),
    "state": "uploading",
    "created_at": "2026-03-14T07:35:12.300419Z",
}


def _signed(method: str, what: str, headers: dict[str, str]) -> dict[str, object]:
    path = f"/api/v1/objects/{hexadecimal('object of ' + what, 20)}"
    path += f"?expires=1773477064&signature={hexadecimal('signature of ' + what, 32)}"
    return {
        "method": method,
        "url": f"https://journal.example{path}",
        "path": path,
        "headers": headers,
        "expires_at": _EXPIRES,
    }


def _part(number: int) -> dict[str, object]:
    return {"number": number, **_signed("PUT", f"part {number}", {"Content-Length": str(_PART)})}


EXAMPLES = {
    "POST /media/upload": Examples(
        body={
            "a file in one part": {**_DECLARED, "sha256": _STORED["sha256"]},
            "a file in parts": {
                **{name: _UPLOADING[name] for name in ("id", "media_type", "size")},
                "sha256": _UPLOADING["sha256"],
                "parts": [
                    *({"size": _PART, "sha256": digest(f"part {number}")} for number in range(1, 5)),
                    {"size": 7_340_032, "sha256": digest("part 5")},
                ],
            },
        },
        answer={
            "one request": {
                "id": PHOTO,
                "state": "uploading",
                "upload": _signed("PUT", "photo", {"Content-Length": str(_DECLARED["size"])}),
            },
            "requests for parts": {"id": _FILM, "state": "uploading", "parts": [_part(1), _part(2)]},
            "it is there": {"id": PHOTO, "state": "stored"},
        },
    ),
    "POST /media/{media_id}/parts": Examples(
        body={"two of them": {"numbers": [3, 4]}, "those that are missing": {}},
        answer={"two requests": {"id": _FILM, "state": "uploading", "parts": [_part(3), _part(4)], "stored": [1, 2]}},
    ),
    "POST /media/{media_id}/complete": Examples(answer={"it exists": _STORED}),
    "GET /media": Examples(
        answer={
            "two files": {"items": [_UPLOADING, _STORED]},
            "the first of many": {"items": [_UPLOADING], "next_cursor": opaque("cursor of media", 40)},
        }
    ),
    "GET /media/{media_id}": Examples(
        answer={"a file": _STORED, "a deleted one": {**_STORED, "deleted_at": "2026-03-20T19:02:40Z"}}
    ),
    "GET /media/{media_id}/download": Examples(
        answer={
            "a request": {
                **_signed("GET", "photo", {}),
                "size": _STORED["size"],
                "sha256": _STORED["sha256"],
            }
        }
    ),
    "POST /media/{media_id}/restore": Examples(answer={"restored": _STORED}),
}
