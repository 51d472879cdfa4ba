"""What a server says about connections to social networks."""

from __future__ import annotations

from lockleaf.client.errors.base import ApiError, LockleafError
from lockleaf.exit_codes import ExitCode

__all__ = [
    "AuthorizationRefused",
    "CodeMissing",
    "IntegrationNotNamed",
    "InvalidInstance",
    "InvalidState",
    "NetworkBusy",
    "NetworkRefused",
    "NetworkUnavailable",
    "NothingToPublish",
    "OtherConnection",
    "ProviderNotConfigured",
    "ReconnectRequired",
    "TooManyPictures",
]


class CodeMissing(LockleafError):
    """This address has no code: perhaps you did not allow it. Begin again: lockleaf connect."""

    exit_code = ExitCode.USAGE


class OtherConnection(LockleafError):
    """This address belongs to another connection. Begin again: lockleaf connect."""

    exit_code = ExitCode.USAGE


class NothingToPublish(LockleafError):
    """The entry has no text that could be published."""

    exit_code = ExitCode.USAGE


class TooManyPictures(LockleafError):
    """At most ten pictures can go with an entry."""

    exit_code = ExitCode.USAGE


class IntegrationNotNamed(ApiError):
    """Several accounts of this network are connected. Name one of them: lockleaf connections."""


class ProviderNotConfigured(ApiError):
    """The operator of this server has not set this network up. Ask them to."""


class InvalidInstance(ApiError):
    """The server cannot use this instance's address. Give the name of a public instance, as mastodon.social."""


class InvalidState(ApiError):
    """This connection was not begun here, or too long ago. Begin again: lockleaf connect."""


class AuthorizationRefused(ApiError):
    """The network does not accept the code: it was used, is too old, or was cut. Begin again: lockleaf connect."""


class ReconnectRequired(ApiError):
    """The network no longer accepts this connection: it has ended, or was revoked there. Connect again."""


class NetworkRefused(ApiError):
    """The network refuses this: a permission is missing there, or the text breaks a rule. Nothing was published."""


class NetworkBusy(ApiError):
    """The network asks for fewer requests. Try again later."""


class NetworkUnavailable(ApiError):
    """The network does not answer as it should. Try again later."""
