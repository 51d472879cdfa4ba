"""The codes that name errors, in problem documents and in the results of a batch's changes.

A code is stable: programs compare it.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["ErrorCode"]


class ErrorCode(StrEnum):
    """Every ``code`` that a server answers, in a problem document or in the result of one change of a batch."""

    # what came is not what was asked for
    INVALID_REQUEST = "invalid_request"
    MALFORMED_BODY = "malformed_body"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    NOT_ACCEPTABLE = "not_acceptable"
    BODY_TOO_LARGE = "body_too_large"
    ROUTE_NOT_FOUND = "route_not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    INVALID_CURSOR = "invalid_cursor"
    INVALID_INSTANCE = "invalid_instance"
    INVALID_STATE = "invalid_state"
    INVALID_RECIPIENT = "invalid_recipient"
    KEYS_REQUIRED = "keys_required"
    KEY_DERIVATION_REQUIRED = "key_derivation_required"
    CONSENT_REQUIRED = "consent_required"
    SECRET_KEY_RECEIVED = "secret_key_received"  # noqa: S105
    INVALID_HE_PUBLIC_KEY = "invalid_he_public_key"
    INVALID_CIPHERTEXT = "invalid_ciphertext"
    TOO_MANY_VALUES = "too_many_values"
    UNSUPPORTED_OPERATION = "unsupported_operation"
    WEIGHTS_MISMATCH = "weights_mismatch"
    QUERY_TOO_LONG = "query_too_long"
    LENGTH_REQUIRED = "length_required"
    SIZE_MISMATCH = "size_mismatch"
    DIGEST_MISMATCH = "digest_mismatch"
    RANGE_NOT_SATISFIABLE = "range_not_satisfiable"

    # who is asking
    NOT_AUTHENTICATED = "not_authenticated"
    INVALID_CREDENTIALS = "invalid_credentials"
    TOKEN_EXPIRED = "token_expired"  # noqa: S105
    TOKEN_INVALID = "token_invalid"  # noqa: S105
    SESSION_REVOKED = "session_revoked"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"  # noqa: S105
    ACCOUNT_DISABLED = "account_disabled"
    INSUFFICIENT_SCOPE = "insufficient_scope"
    TIER_REQUIRED = "tier_required"
    CUSTODY_REQUIRED = "custody_required"
    INVALID_RECOVERY_CODE = "invalid_recovery_code"
    INVALID_RECOVERY_TOKEN = "invalid_recovery_token"  # noqa: S105
    INVALID_SIGNATURE = "invalid_signature"
    SECOND_FACTOR_REQUIRED = "second_factor_required"
    INVALID_FACTOR = "invalid_factor"
    URL_INVALID = "url_invalid"
    URL_EXPIRED = "url_expired"

    # what is there
    NOT_FOUND = "not_found"
    EMAIL_TAKEN = "email_taken"
    REGISTRATION_CLOSED = "registration_closed"
    INVITATION_REQUIRED = "invitation_required"
    INVALID_INVITATION = "invalid_invitation"
    ID_TAKEN = "id_taken"
    KEYRING_CONFLICT = "keyring_conflict"
    KEYRING_REQUIRED = "keyring_required"
    TOO_MANY_FACTORS = "too_many_factors"
    PASSKEYS_NOT_CONFIGURED = "passkeys_not_configured"
    INVALID_PASSKEY = "invalid_passkey"
    HE_KEY_REQUIRED = "he_key_required"
    NO_METRICS = "no_metrics"
    METRIC_ID_TAKEN = "metric_id_taken"
    CHANGE_NOT_ACCEPTED = "change_not_accepted"
    ALREADY_COUNTED = "already_counted"
    SQUARES_REQUIRED = "squares_required"
    RECIPIENT_REQUIRED = "recipient_required"
    EPOCH_CHANGED = "epoch_changed"
    HISTORY_MOVED = "history_moved"
    KEY_RETIRED = "key_retired"
    EPOCH_END_OUTDATED = "epoch_end_outdated"
    TOO_MANY_STATEMENTS = "too_many_statements"
    REVISION_CONFLICT = "revision_conflict"
    REVISION_REQUIRED = "revision_required"
    VERSION_CONFLICT = "version_conflict"
    BACKUP_CONFLICT = "backup_conflict"
    PRECONDITION_FAILED = "precondition_failed"
    CHECKPOINT_OUTDATED = "checkpoint_outdated"
    CONFLICT_RESOLVED = "conflict_resolved"
    CONTENT_REQUIRED = "content_required"
    REVISION_NOT_FOUND = "revision_not_found"
    ENTRY_DELETED = "entry_deleted"
    ENTRY_PURGED = "entry_purged"
    CONTENT_UNREADABLE = "content_unreadable"
    SEARCH_OFF = "search_off"
    MEDIA_ID_TAKEN = "media_id_taken"
    MEDIA_DELETED = "media_deleted"
    UPLOAD_INCOMPLETE = "upload_incomplete"
    UPLOAD_DAMAGED = "upload_damaged"
    INTEGRATION_NOT_NAMED = "integration_not_named"
    PROVIDER_NOT_CONFIGURED = "provider_not_configured"
    AUTHORIZATION_REFUSED = "authorization_refused"
    RECONNECT_REQUIRED = "reconnect_required"
    NETWORK_REFUSED = "network_refused"
    PART_UNKNOWN = "part_unknown"

    # why a change of a batch was rejected
    WRONG_DOOR = "wrong_door"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    MALFORMED_PAYLOAD = "malformed_payload"
    SEAL_REQUIRED = "seal_required"
    INVALID_RECORD_ID = "invalid_record_id"
    PARENT_MISMATCH = "parent_mismatch"
    BATCH_REFUSED = "batch_refused"
    CHANGE_REJECTED = "change_rejected"

    # not now
    TOO_MANY_REQUESTS = "too_many_requests"
    RATE_LIMITED = "rate_limited"
    TOO_MANY_STREAMS = "too_many_streams"
    TOO_MANY_FACTOR_ATTEMPTS = "too_many_factor_attempts"
    DATABASE_UNAVAILABLE = "database_unavailable"
    DATABASE_BUSY = "database_busy"
    STORE_UNAVAILABLE = "store_unavailable"
    STORAGE_FULL = "storage_full"
    INBOX_FULL = "inbox_full"
    QUOTA_EXCEEDED = "quota_exceeded"
    NETWORK_BUSY = "network_busy"
    NETWORK_UNAVAILABLE = "network_unavailable"
    EVALUATION_UNAVAILABLE = "evaluation_unavailable"
    INTERNAL_ERROR = "internal_error"
