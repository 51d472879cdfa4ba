"""What an archive tells of an account: all that is known of it, but the hashes of its secret and of its codes."""

from __future__ import annotations

from lockleaf.server.platform.archive import Facts, Section

__all__ = ["FACTS", "SECTIONS"]

FACTS = (
    Facts(
        "account",
        """
        SELECT user_id AS id, CASE WHEN email LIKE '%@%' THEN email_shown END AS email,
          CASE WHEN email NOT LIKE '%@%' THEN email_shown END AS username,
          display_name, timezone, locale, custody AS encryption_tier, privacy_tier,
           consented_at, preferences, created_at, updated_at
        FROM accounts WHERE user_id = $1
        """,
        parsed=("preferences",),
    ),
    Facts(
        "keys",
        """
        SELECT kdf, salt, vault_id, kek_salt, keyring, keyring_version, recipient, signing_key
        FROM accounts WHERE user_id = $1
        """,
        parsed=("kdf",),
    ),
)

SECTIONS = (
    Section(
        "signing_keys.jsonl",
        """
        SELECT keyring_version, recipient, signing_key, rotation_signature, created_at
        FROM signing_keys WHERE user_id = $1 ORDER BY keyring_version
        """,
    ),
    Section(
        "recovery_keyrings.jsonl",
        """
        SELECT keyring, keyring_version, created_at FROM recovery_codes WHERE user_id = $1 ORDER BY verifier_hash
        """,
    ),
    Section(
        "consents.jsonl",
        """
        SELECT consent_id AS id, privacy_tier, consented_at, recorded_at
        FROM consents WHERE user_id = $1 ORDER BY consent_id
        """,
    ),
    Section(
        "he_public_keys.jsonl",
        """
        SELECT parameter_set, context, raw, registered_at FROM he_public_keys WHERE user_id = $1 ORDER BY parameter_set
        """,
        at_once=1,
    ),
)
