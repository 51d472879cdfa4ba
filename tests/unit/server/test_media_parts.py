"""Parts come back from where they are kept as they were declared, and are told from others."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lockleaf.server.features.media.parts import fitting, packed, unpacked
from lockleaf.server.platform.blobs.protocol import StoredPart
from lockleaf.wire.fields import encode_base64
from lockleaf.wire.media import MAX_PART_BYTES, MIN_PART_BYTES, MediaDeclaration, Part

PARTS = st.lists(
    st.builds(Part, size=st.integers(1, MAX_PART_BYTES), sha256=st.binary(min_size=32, max_size=32)), max_size=8
)


@given(parts=PARTS)
def test_declared_parts_are_kept_as_they_are(parts: list[Part]) -> None:
    kept = unpacked(packed(parts))
    assert [(part.number, part.size, part.sha256) for part in kept] == [
        (number, part.size, part.sha256) for number, part in enumerate(parts, 1)
    ]
    assert unpacked(packed(None)) == []


@given(parts=PARTS, changes=st.lists(st.sampled_from(["same", "absent", "size", "digest", "unknown"]), max_size=8))
def test_a_part_fits_if_size_and_digest_do(parts: list[Part], changes: list[str]) -> None:
    declared = unpacked(packed(parts))
    stored, expected = [], []
    for part, change in zip(declared, changes, strict=False):
        other = sha256(part.sha256).digest()
        match change:
            case "absent":
                continue
            case "size":
                stored.append(StoredPart(part.number, part.size + 1, part.sha256))
            case "digest":
                stored.append(StoredPart(part.number, part.size, other))
            case _:  # the same, or of a store that does not tell the digest
                stored.append(StoredPart(part.number, part.size, None if change == "unknown" else part.sha256))
                expected.append(part.number)
    assert fitting(declared, list(reversed(stored))) == expected


@given(digest=st.binary(min_size=32, max_size=32), upper=st.booleans())
def test_a_digest_is_read_in_both_writings(digest: bytes, upper: bool) -> None:
    written = digest.hex().upper() if upper else digest.hex()
    for text in (written, encode_base64(digest)):
        body = json.dumps({"media_type": "a/b", "size": 1, "sha256": text})
        assert MediaDeclaration.model_validate_json(body).sha256 == digest


@given(sizes=st.lists(st.sampled_from([1, MIN_PART_BYTES - 1, MIN_PART_BYTES, MAX_PART_BYTES]), min_size=1, max_size=5))
def test_parts_are_declared_as_stores_take_them(sizes: list[int]) -> None:
    digest = encode_base64(bytes(32))
    body = json.dumps(
        {
            "media_type": "a/b",
            "size": sum(sizes),
            "sha256": digest,
            "parts": [{"size": size, "sha256": digest} for size in sizes],
        }
    )
    if all(size >= MIN_PART_BYTES for size in sizes[:-1]):
        assert [part.size for part in MediaDeclaration.model_validate_json(body).parts or ()] == sizes
    else:
        with pytest.raises(ValidationError):
            MediaDeclaration.model_validate_json(body)
