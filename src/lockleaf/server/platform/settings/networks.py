"""Social networks that accounts may connect."""

from __future__ import annotations

from pydantic import Field, SecretStr

from lockleaf.server.platform.settings.base import HTTP_URL, Group, Several

__all__ = ["IntegrationSettings"]


class IntegrationSettings(Group):
    """Social networks that accounts may connect."""

    mastodon: bool = Field(default=True, description="Whether accounts may connect instances of Mastodon.")
    facebook_app_id: str | None = Field(
        default=None, description="Of the application that you registered at Facebook; without it there is no Facebook."
    )
    facebook_app_secret: SecretStr | None = Field(default=None, description="Its secret.")
    facebook_redirect_uri: str | None = Field(
        default=None, description="A page of yours, as registered there, from whose address users copy the code."
    )
    facebook_version: str = Field(
        default="v25.0", pattern=r"^v[0-9]{1,3}\.[0-9]{1,2}$", description="The version of the Graph API."
    )
    facebook_graph_url: str = Field(
        default="https://graph.facebook.com", pattern=HTTP_URL, description="Where the Graph API is."
    )
    facebook_dialog_url: str = Field(
        default="https://www.facebook.com", pattern=HTTP_URL, description="Where users allow it."
    )
    website: str | None = Field(
        default=None, pattern=HTTP_URL, description="Shown beside our name where users allow it."
    )
    redirect_uris: Several = Field(
        default=(), description="Further addresses to which a network may send users back, separated by commas."
    )
    private_hosts: Several = Field(
        default=(),
        description="Instances within your own network, as `host:port`, separated by commas; all others have to "
        "be public and to speak TLS on port 443.",
    )
    request_seconds: float = Field(
        default=30, gt=0, le=60, description="How long a network may take to answer, in seconds."
    )
    pages: int = Field(default=10, ge=1, le=100, description="Pages of posts that one pull takes over.")
    picture_bytes: int = Field(
        default=16 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024, description="The largest picture, either way, in bytes."
    )
    push_body_bytes: int = Field(
        default=32 * 1024 * 1024, ge=1024, description="Largest body of a push, with its pictures in base64, in bytes."
    )
