"""The networks that this server speaks to, as its operator has set them up."""

from __future__ import annotations

from lockleaf.server.features.integrations.errors import IntegrationNotFound, ProviderNotConfigured
from lockleaf.server.features.integrations.outbound import Outbound
from lockleaf.server.features.integrations.providers.facebook import Facebook
from lockleaf.server.features.integrations.providers.mastodon import OUT_OF_BAND, Mastodon
from lockleaf.server.features.integrations.providers.protocol import Provider
from lockleaf.server.features.integrations.sealing import Seals
from lockleaf.server.platform.server_keys import ServerKeys
from lockleaf.server.platform.settings import IntegrationSettings

__all__ = ["PROVIDERS", "Networks"]

PROVIDERS = ("facebook", "mastodon")


class Networks:
    """What a process needs to speak to networks.

    Args:
        settings: what the operator has set up.
        keys: of the server; what is kept of a connection is sealed under them.
    """

    def __init__(self, settings: IntegrationSettings, keys: ServerKeys) -> None:
        self.settings = settings
        self.seals = Seals(keys)
        self.outbound = Outbound(settings.private_hosts, settings.request_seconds)
        self._providers: dict[str, Provider] = {}
        if settings.mastodon:
            self._providers["mastodon"] = Mastodon(self.outbound, settings.website)
        if settings.facebook_app_id is not None and settings.facebook_app_secret is not None:
            self._providers["facebook"] = Facebook(
                self.outbound,
                app_id=settings.facebook_app_id,
                app_secret=settings.facebook_app_secret.get_secret_value(),
                graph=f"{settings.facebook_graph_url.rstrip('/')}/{settings.facebook_version}",
                dialog=f"{settings.facebook_dialog_url.rstrip('/')}/{settings.facebook_version}",
            )

    def provider(self, name: str) -> Provider:
        """Return a network.

        Raises:
            IntegrationNotFound: nobody knows it.
            ProviderNotConfigured: it is not set up here.
        """
        if name not in PROVIDERS:
            raise IntegrationNotFound
        found = self._providers.get(name)
        if found is None:
            raise ProviderNotConfigured
        return found

    def redirect_uri(self, provider: str, wanted: str | None) -> str | None:
        """Return where a network sends a user back; None where what is wanted is not allowed, or nothing is set."""
        usual = self.settings.facebook_redirect_uri if provider == "facebook" else OUT_OF_BAND
        if wanted is None or wanted == usual:
            return usual
        return wanted if wanted in self.settings.redirect_uris else None

    async def close(self) -> None:
        """Close connections."""
        await self.outbound.close()
