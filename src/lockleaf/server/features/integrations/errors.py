"""What can be wrong with connections to networks."""

from __future__ import annotations

from lockleaf.server.features.integrations import failures
from lockleaf.server.features.integrations.outbound import UnsafeAddress
from lockleaf.server.platform.errors import Busy, Conflict, DomainError, Invalid, NotFound, Unavailable
from lockleaf.wire.problems import ErrorCode

__all__ = [
    "AuthorizationRefused",
    "IntegrationNotFound",
    "IntegrationNotNamed",
    "InvalidInstance",
    "InvalidState",
    "NetworkRefused",
    "NetworkThrottled",
    "NetworkUnavailable",
    "ProviderNotConfigured",
    "ReconnectRequired",
    "as_domain_error",
]


class IntegrationNotFound(NotFound):
    """There is no such connection in this account. Connect the network first."""

    code = ErrorCode.NOT_FOUND


class IntegrationNotNamed(Conflict):
    """Several accounts of this network are connected. Name one of them: `integration_id`."""

    code = ErrorCode.INTEGRATION_NOT_NAMED


class ProviderNotConfigured(Conflict):
    """The operator of this server has not set this network up. Ask them to."""

    code = ErrorCode.PROVIDER_NOT_CONFIGURED


class InvalidInstance(Invalid):
    """The instance's address is not that of a public server with TLS. Give its name alone, as mastodon.social."""

    code = ErrorCode.INVALID_INSTANCE


class InvalidState(Invalid):
    """The state does not belong to a connection that this account has begun here, or its time is over. Begin again."""

    code = ErrorCode.INVALID_STATE


class AuthorizationRefused(Conflict):
    """The network does not take the code: it was used before, is too old, or was cut. Begin again."""

    code = ErrorCode.AUTHORIZATION_REFUSED


class ReconnectRequired(Conflict):
    """The network takes this connection's token no more: it has ended, or was revoked there. Connect it again."""

    code = ErrorCode.RECONNECT_REQUIRED


class NetworkRefused(Conflict):
    """The network refuses it: a permission is missing there, or what was sent breaks one of its rules.

    `network_code` is its own number for the reason. Nothing was published.
    """

    code = ErrorCode.NETWORK_REFUSED


class NetworkThrottled(Busy):
    """The network wants fewer calls. Try again later."""

    code = ErrorCode.NETWORK_BUSY


class NetworkUnavailable(Unavailable):
    """The network does not answer, or not as its documentation says. Try again later."""

    code = ErrorCode.NETWORK_UNAVAILABLE


def as_domain_error(failure: failures.NetworkFailure) -> DomainError:
    """Return what a failed call means to whoever asked for it."""
    match failure:
        case failures.ReconnectNeeded():
            return ReconnectRequired()
        case failures.Throttled(retry_after=seconds):
            return NetworkThrottled(retry_after=seconds)
        case failures.NetworkRefusal(status=status, network_code=code):
            return NetworkRefused(network_status=status, network_code=code)
        case UnsafeAddress():
            return InvalidInstance()
        case _:
            return NetworkUnavailable(retry_after=60)
