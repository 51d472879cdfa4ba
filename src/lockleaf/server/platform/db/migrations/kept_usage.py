"""How many bytes an account holds, kept beside its head, as the step that adds it makes it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

__all__ = ["LOST", "add", "drop"]

LOST = {
    "notes of how many bytes accounts hold, which are counted again": (
        "FROM heads WHERE record_bytes > 0 OR index_bytes > 0 OR media_bytes > 0 OR metric_bytes > 0 OR inbox_bytes > 0"
    )
}

_COLUMNS = {
    "record_bytes": "records, earlier revisions and conflicts",
    "index_bytes": "digests of the search index",
    "media_bytes": "declared sizes of files",
    "metric_bytes": "ciphertexts of metrics and their sums",
    "inbox_bytes": "sealed items of the inbox",
}

# Each table is gone through once, however many accounts there are.
_COUNT = """
UPDATE heads h SET record_bytes = u.records, index_bytes = u.index, media_bytes = u.media, metric_bytes = u.metrics,
  inbox_bytes = u.inbox
FROM (
  SELECT user_id,
    coalesce(sum(bytes) FILTER (WHERE kind = 'records'), 0)::bigint AS records,
    coalesce(sum(bytes) FILTER (WHERE kind = 'index'), 0)::bigint AS index,
    coalesce(sum(bytes) FILTER (WHERE kind = 'media'), 0)::bigint AS media,
    coalesce(sum(bytes) FILTER (WHERE kind = 'metrics'), 0)::bigint AS metrics,
    coalesce(sum(bytes) FILTER (WHERE kind = 'inbox'), 0)::bigint AS inbox
  FROM (
    SELECT 'records' AS kind, user_id, sum(octet_length(packed)) AS bytes FROM records GROUP BY user_id
    UNION ALL SELECT 'records', user_id, sum(octet_length(packed)) FROM revisions GROUP BY user_id
    UNION ALL SELECT 'records', user_id, sum(octet_length(payload)) FROM conflicts GROUP BY user_id
    UNION ALL SELECT 'index', user_id, sum(8 * cardinality(tokens)) FROM search_documents GROUP BY user_id
    UNION ALL SELECT 'inbox', user_id, sum(octet_length(sealed)) FROM inbox GROUP BY user_id
    UNION ALL SELECT 'media', user_id, sum(size) FROM media GROUP BY user_id
    UNION ALL SELECT 'metrics', user_id, sum(octet_length(ciphertext) + coalesce(octet_length(square), 0))
      FROM metrics GROUP BY user_id
    UNION ALL SELECT 'metrics', user_id, sum(octet_length(ciphertext)) FROM metric_sums GROUP BY user_id
    UNION ALL SELECT 'metrics', user_id, sum(octet_length(ciphertext)) FROM metric_packs GROUP BY user_id
  ) counted GROUP BY user_id
) u WHERE u.user_id = h.user_id
"""


def add() -> None:
    """Add the columns, and count what is there."""
    for name, what in _COLUMNS.items():
        op.add_column(
            "heads",
            sa.Column(name, sa.BigInteger(), server_default="0", nullable=False, comment=f"kept: {what}, in bytes"),
        )
    op.execute(_COUNT)


def drop() -> None:
    """Take them away; they can be counted again."""
    for name in _COLUMNS:
        op.drop_column("heads", name)
