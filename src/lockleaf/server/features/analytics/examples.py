"""Examples of ``/encryption``. Ciphertexts and contexts are shortened: a true one has hundreds of kilobytes."""

from __future__ import annotations

from lockleaf.server.features.people import ENTRY
from lockleaf.server.platform.http.examples import Examples, opaque

__all__ = ["EXAMPLES"]

_MARCH, _APRIL = "2026-03-01T00:00:00Z", "2026-04-01T00:00:00Z"
_LAYOUT = "month-1-3f9c1a7e5b2d:word_count,characters,mood,sentiment"
_DELTA_ID = "0190a3a0-0000-7000-8000-0000000000d5"
_WORDS = {"metric_type": "words", "timestamp": "2026-03-14T07:30:00Z", "id": "words-2026-03-14"}
_SUM, _SQUARES = opaque("ciphertext of a sum", 96), opaque("ciphertext of squares", 96)

_LARGE = {
    "scheme": "CKKS",
    "poly_modulus_degree": 8192,
    "coeff_mod_bit_sizes": [60, 40, 40, 60],
    "scale": 1099511627776,
}
_SMALL = {"scheme": "CKKS", "poly_modulus_degree": 4096, "coeff_mod_bit_sizes": [54, 55], "scale": 1073741824}
_LARGE_CONTEXT, _SMALL_CONTEXT = opaque("context of ckks-8192", 96), opaque("context of ckks-4096", 96)
_KEY = {"parameter_set": "ckks-8192", "version": 1, "updated_at": "2026-03-01T08:00:00Z"}
_SEALED_KEY = opaque("sealed key", 96)
_OF_WORDS = {"metric_type": "words", "operation": "sum", "parameter_set": "ckks-8192", "divisor": 1}
_WHOLE_MARCH = {"start": _MARCH, "end": _APRIL}

EXAMPLES = {
    "GET /encryption/context": Examples(
        answer={
            "the contexts shortened": {
                "context_params": _LARGE,
                "serialized_context": _LARGE_CONTEXT,
                "parameter_sets": {
                    "ckks-8192": {
                        **_LARGE,
                        "slots": 4096,
                        "largest": 1048576.0,
                        "most_values": 131072,
                        "most_additions": 1048576,
                        "fresh_error": 2.384185791015625e-07,
                        "operations": ["average", "square", "sum", "trend", "weighted_sum"],
                        "serialized_context": _LARGE_CONTEXT,
                    },
                    "ckks-4096": {
                        **_SMALL,
                        "slots": 2048,
                        "largest": 1024.0,
                        "most_values": 4096,
                        "most_additions": 1048576,
                        "fresh_error": 0.0001220703125,
                        "operations": ["average", "sum"],
                        "serialized_context": _SMALL_CONTEXT,
                    },
                },
            }
        }
    ),
    "GET /encryption/keys/{parameter_set}": Examples(answer={"shortened": {**_KEY, "sealed_key": _SEALED_KEY}}),
    "PUT /encryption/keys/{parameter_set}": Examples(
        body={"the first, shortened": {"sealed_key": _SEALED_KEY, "base_version": 0}}, answer={"stored": _KEY}
    ),
    "POST /encryption/metrics": Examples(
        body={
            "a value, with its square for the variance (shortened)": {
                "metrics": [
                    {**_WORDS, "encrypted_value": opaque("ciphertext of words", 96), "encrypted_square": _SQUARES}
                ]
            },
            "what an entry changed in a packed month (shortened)": {
                "metrics": [
                    {
                        "encrypted_value": opaque("ciphertext of a delta", 96),
                        "timestamp": "2026-03-14T07:30:00Z",
                        "id": _DELTA_ID,
                        "parameter_set": "ckks-4096",
                        "layout": _LAYOUT,
                        "change": [{"record_id": ENTRY, "revision": 2}],
                    }
                ]
            },
        },
        answer={
            "counted": {
                "success": True,
                "message": "The metrics are counted.",
                "details": {"count": 1, "ids": ["words-2026-03-14"]},
            }
        },
    ),
    "GET /encryption/metrics": Examples(
        answer={
            "a single value": {"items": [{**_WORDS, "parameter_set": "ckks-8192", "size": 334386}]},
            "packed months": {
                "items": [
                    {
                        "parameter_set": "ckks-4096",
                        "timestamp": _MARCH,
                        "size": 65664,
                        "layout": _LAYOUT,
                        "additions": 61,
                    }
                ]
            },
        }
    ),
    "POST /encryption/aggregate": Examples(
        body={
            "a sum": {"metric_type": "words", "operation": "sum", "time_range": _WHOLE_MARCH},
            "an average for each month": {
                "metric_type": "words",
                "operation": "average",
                "time_range": {"start": "2026-01-01T00:00:00Z"},
                "bucket": "month",
                "limit": 12,
            },
            "a weighted sum of three values": {
                "metric_type": "mood",
                "operation": "weighted_sum",
                "time_range": {"start": "2026-03-14T00:00:00Z", "end": "2026-03-17T00:00:00Z"},
                "weights": [0.2, 0.3, 0.5],
            },
            "packed months": {
                "layout": _LAYOUT,
                "parameter_set": "ckks-4096",
                "operation": "sum",
                "time_range": _WHOLE_MARCH,
            },
        },
        answer={
            "a sum (shortened)": {**_OF_WORDS, "count": 26, "encrypted_result": _SUM},
            "a variance (shortened)": {
                **_OF_WORDS,
                "operation": "variance",
                "count": 26,
                "encrypted_result": _SUM,
                "encrypted_sum_squares": _SQUARES,
                "squares": "uploaded",
            },
            "an average for each month (shortened)": {
                **_OF_WORDS,
                "operation": "average",
                "count": 55,
                "buckets": [
                    {"start": _MARCH, "count": 26, "divisor": 1, "encrypted_result": _SUM},
                    {"start": _APRIL, "count": 29, "divisor": 1, "encrypted_result": opaque("ciphertext of April", 96)},
                ],
                "next_cursor": opaque("cursor of buckets", 48),
            },
        },
    ),
}
