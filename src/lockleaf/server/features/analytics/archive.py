"""What an archive tells of encrypted metrics: ciphertexts as they are stored, keys as their clients sealed them."""

from __future__ import annotations

from lockleaf.server.platform.archive import Section

__all__ = ["SECTIONS"]

SECTIONS = (
    Section(
        "metrics.jsonl",
        """
        SELECT metric_id AS id, metric_type, parameter_set, at AS timestamp, ciphertext, square, multiplied, created_at
        FROM metrics WHERE user_id = $1 ORDER BY metric_id
        """,
        at_once=16,
    ),
    Section(
        "metric_sums.jsonl",
        """
        SELECT metric_type, parameter_set, kind, period, start::text AS start, ciphertext, count, seal_version,
          updated_at
        FROM metric_sums WHERE user_id = $1 ORDER BY metric_type, parameter_set, kind, period, metric_sums.start
        """,
        at_once=16,
    ),
    Section(
        "metric_packs.jsonl",
        """
        SELECT parameter_set, layout, to_char(month, 'YYYY-MM') AS month, ciphertext, slots, additions, seal_version,
          updated_at
        FROM metric_packs WHERE user_id = $1 ORDER BY parameter_set, layout, metric_packs.month
        """,
        at_once=16,
    ),
    Section(
        "metric_deltas.jsonl",
        "SELECT delta_id AS id, created_at FROM metric_deltas WHERE user_id = $1 ORDER BY delta_id",
    ),
    Section(
        "metric_causes.jsonl",
        """
        SELECT pack, to_char(month, 'YYYY-MM') AS month, record_id, revision
        FROM metric_causes WHERE user_id = $1 ORDER BY pack, metric_causes.month, record_id, revision
        """,
    ),
    Section(
        "metric_keys.jsonl",
        """
        SELECT parameter_set, version, sealed_key, updated_at FROM metric_keys WHERE user_id = $1 ORDER BY parameter_set
        """,
        at_once=1,
    ),
)
