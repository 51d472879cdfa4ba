"""What a server says about connections to social networks."""

from __future__ import annotations

from lockleaf.client.errors.base import ApiError

__all__ = [
    "AuthorizationRefused",
    "IntegrationNotNamed",
    "InvalidInstance",
    "InvalidState",
    "NetworkBusy",
    "NetworkRefused",
    "NetworkUnavailable",
    "ProviderNotConfigured",
    "ReconnectRequired",
]


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
