"""What the SDK asks of social networks goes by way of a server that waits for them."""

from __future__ import annotations

from uuid import uuid4

import httpx
import pytest
from annotated_types import Le

from lockleaf.client.account.networks import Networks
from lockleaf.client.errors import ServerUnreachable
from lockleaf.client.transport.http import Transport
from lockleaf.client.transport.retries import RetryPolicy
from lockleaf.client.transport.tokens import MemoryTokens, SessionTokens
from lockleaf.server.platform.settings import IntegrationSettings


class Silent(httpx.AsyncBaseTransport):
    """A server that has not answered in time."""

    def __init__(self) -> None:
        self.waited: list[float] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.waited.append(request.extensions["timeout"]["read"])
        raise httpx.ReadTimeout("", request=request)


@pytest.mark.parametrize("what", ["connect", "finish", "pull", "publish", "disconnect"])
async def test_a_network_is_waited_for_longer_than_the_server_does_and_not_asked_again_meanwhile(what: str) -> None:
    tokens, silent = MemoryTokens(), Silent()
    tokens.save(SessionTokens(access_token="access", refresh_token="refresh"))
    retry = RetryPolicy(attempts=3, base=0.0, cap=0.0)
    transport = Transport("http://127.0.0.1:9", tokens=tokens, http_transport=silent, retry=retry)
    networks = Networks(transport)
    asked = {
        "connect": lambda: networks.connect("mastodon", instance="mastodon.example"),
        "finish": lambda: networks.finish("mastodon", state="state", code="code"),
        "pull": lambda: networks.pull("mastodon"),
        "publish": lambda: networks.publish(str(uuid4()), "mastodon", text="The sea."),
        "disconnect": lambda: networks.disconnect(uuid4()),
    }
    with pytest.raises(ServerUnreachable):
        await asked[what]()
    [longest] = [
        each.le for each in IntegrationSettings.model_fields["request_seconds"].metadata if isinstance(each, Le)
    ]
    assert len(silent.waited) == 1
    assert silent.waited[0] > 2 * float(longest)  # it registers there, and asks
    await transport.aclose()
