"""A real server that reaches social networks of our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.graph_api import GraphApi
from tests.support.mastodon_instance import MastodonInstance
from tests.support.process import RunningServer, running_server
from tests.support.social_network import running_network

__all__ = ["Reached", "reached_networks"]


@dataclass
class Reached:
    """A server, the networks that it reaches, and the environment that says so."""

    server: RunningServer
    instance: MastodonInstance
    graph: GraphApi
    environment: dict[str, str]


@contextmanager
def reached_networks(server_environment: dict[str, str], folder: Path) -> Iterator[Reached]:
    """A server with its data in ``folder``, which reaches an instance of Mastodon and the Graph API."""
    with ExitStack() as stack:
        instance = stack.enter_context(running_network(MastodonInstance()))
        graph = stack.enter_context(running_network(GraphApi()))
        told = {
            "PRIVATE_HOSTS": f"{instance.host},{graph.host}",
            "FACEBOOK_APP_ID": graph.app_id,
            "FACEBOOK_APP_SECRET": graph.app_secret,
            "FACEBOOK_GRAPH_URL": graph.url,
            "FACEBOOK_DIALOG_URL": graph.url,
            "FACEBOOK_REDIRECT_URI": graph.redirect_uri,
        }
        environment = {f"LOCKLEAF_INTEGRATIONS__{name}": value for name, value in told.items()} | server_environment
        folder.mkdir(exist_ok=True)
        started = running_server({**environment, "LOCKLEAF_DATA_DIR": str(folder)}, log=folder / "log")
        yield Reached(stack.enter_context(started), instance, graph, environment)
