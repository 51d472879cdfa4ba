"""``connect``, ``connections`` and ``publish``: social networks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from lockleaf import client as sdk
from lockleaf.cli import screen
from lockleaf.cli.entry_ids import EntryId
from lockleaf.cli.errors import Complaint
from lockleaf.cli.files import shown_size
from lockleaf.cli.options import command, group
from lockleaf.cli.prompts import agrees, answer
from lockleaf.cli.rendering import printable, short_id
from lockleaf.cli.run import Run
from lockleaf.exit_codes import ExitCode

__all__ = ["install"]

PANEL = "Networks"

Provider = Annotated[str, typer.Argument(help="`facebook` or `mastodon`.", metavar="NETWORK", show_default=False)]
_PICTURES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
}


def install(app: typer.Typer) -> None:
    """Add the commands to ``app``."""
    command(app, "connect", panel=PANEL)(connect)
    connections = group(app, "connections", panel=PANEL)(list_connections)
    command(connections, "pull")(pull)
    command(connections, "remove")(remove)
    command(app, "publish", panel=PANEL)(publish)


async def connect(
    run: Run,
    network: Provider,
    instance: Annotated[
        str | None,
        typer.Argument(help="With mastodon: the instance, as mastodon.social.", metavar="INSTANCE", show_default=False),
    ] = None,
) -> None:
    """Connect a social network: its posts come into your inbox, and entries that you publish go there.

    The server keeps a token with which it can read your posts and publish in your name.
    """
    if network == "mastodon" and instance is None:
        instance = answer("Instance, as mastodon.social")
    async with run.client() as client:
        begun = await client.networks.connect(network, instance=instance)
        run.note("Open this address, and allow it there:")
        run.line(begun.authorization_url)
        pasted = answer("The code that you are shown, or the address that you are sent to")
        code = sdk.authorization_code(pasted, begun.state)
        made = await client.networks.finish(network, state=begun.state, code=code)
    if run.json:
        run.result(_as_json(made))
        return
    run.line(f"Connected: {made.name} ({made.provider}).")
    for target in made.targets:
        run.line(f"  Page {target.id}: {target.name}")
    run.note("New posts come into the inbox every hour; lockleaf connections pull asks for them now.")


async def list_connections(run: Run) -> None:
    """List the connected networks, and what they need."""
    async with run.client() as client:
        found = await client.networks.list()
    if run.json:
        for each in found:
            run.result(_as_json(each))
        return
    if not found:
        run.note("No network is connected: lockleaf connect mastodon.")
        return
    table = screen.Table("id", "network", "account", "state", "last pull", box=screen.box.SIMPLE_HEAD, pad_edge=False)
    for each in found:
        pulled = "" if each.pulled_at is None else each.pulled_at.astimezone().isoformat(" ", "minutes")[:16]
        state = "connect again" if each.state != "connected" else each.last_error or "connected"
        table.add_row(short_id(str(each.id)), each.provider, screen.Text(printable(each.name or "")), state, pulled)
        for target in each.targets:
            table.add_row("", "Page", screen.Text(printable(target.name)), target.id, "")
    run.show(table)
    unknown = sum(each.unknown for each in found)
    if unknown:
        run.note(f"The network's answer was lost for {unknown}. Publish each again: nothing is published twice.")


async def pull(run: Run, network: Provider) -> None:
    """Have the server put new posts into your inbox now."""
    async with run.client() as client:
        done = await client.networks.pull(network)
        await client.sync()
    if run.json:
        run.result(done.model_dump())
        return
    run.line(f"{done.added} came into the inbox.")
    if not done.complete:
        run.note("There is more: run it again, or leave it to the hourly sync.")


async def remove(
    run: Run,
    connection: Annotated[str, typer.Argument(help="The connection's id, or its beginning.", metavar="ID")],
) -> None:
    """Leave a network. What was imported and published stays."""
    async with run.client() as client:
        wanted = connection.lower().strip()
        known = {str(each.id): each.id for each in await client.networks.list()}
        # Ids that were made one after the other begin alike: the end of one does too.
        ended = [each for each in known if wanted and each.endswith(wanted)]
        chosen = ended[0] if len(ended) == 1 else sdk.one_beginning(wanted, known, _no_such_connection)
        await client.networks.disconnect(known[chosen])
    if run.json:
        run.result({"id": chosen, "removed": True})
        return
    run.line("The connection is removed, and its token forgotten.")


async def publish(
    run: Run,
    entry_id: EntryId,
    to: Annotated[str, typer.Option("--to", help="`facebook` or `mastodon`.", metavar="NETWORK", show_default=False)],
    page: Annotated[str | None, typer.Option("--page", help="With facebook: the Page's id.", metavar="ID")] = None,
    visibility: Annotated[
        str | None,
        typer.Option("--visibility", help="With mastodon: public, unlisted, private or direct.", metavar="WHO"),
    ] = None,
    picture: Annotated[
        list[Path] | None,
        typer.Option("--picture", help="A picture to publish with it. May be given several times.", metavar="FILE"),
    ] = None,
    attachments: Annotated[
        bool,
        typer.Option(
            "--attachments",
            help="Publish the pictures that are attached to it as well. Each is named, with its size, before "
            "you are asked.",
        ),
    ] = False,
    with_metadata: Annotated[
        bool,
        typer.Option(
            "--with-metadata",
            help="Leave in pictures what a camera wrote into them: place, time, camera. Without it that is "
            "removed, and a picture that cannot be read is refused.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Publish an entry on a connected network: its title and its text, as they are shown before you are asked.

    What is attached to it stays where it is, unless you ask for its pictures too.

    An entry that is published there is not published again.
    """
    pictures = [_picture(path) for path in picture or ()]
    async with run.client() as client:
        entry = await client.journal.get(entry_id)
        attached = sdk.publishable(entry) if attachments else ()
        others = [each.name for each in entry.attachments if each not in sdk.publishable(entry)]
        publication = await sdk.prepare_publication(
            client,
            entry,
            attachments=[each.media_id for each in attached],
            pictures=pictures,
            with_metadata=with_metadata,
        )
        if attachments and others:
            run.note(f"Networks take no such attachment: {', '.join(map(printable, others))}.")
        if not yes:
            run.note(f"This goes to {to}, in the open, where others can read and copy it:")
            for line in publication.text.splitlines():
                run.note(f"  {line}")
            for each in publication.pictures:
                run.note(f"  [{printable(each.name)}, {shown_size(len(each.data))}]")
            if publication.pictures and with_metadata:
                run.note("The pictures keep what a camera wrote into them: perhaps where and when they were taken.")
            if not agrees(f"Publish it on {to}?"):
                raise Complaint("Nothing was published.")
        done = await sdk.publish(client, publication, to, target=page, visibility=visibility)
    if run.json:
        run.result(done.model_dump(mode="json"))
        return
    if done.status == "published":
        run.line(f"Published: {done.url or done.external_id}")
        return
    run.line("The network's answer was lost: perhaps it is published, perhaps not.")
    run.note("Run the same again in a few minutes: what is there is found, and is not published twice.")


def _no_such_connection() -> Complaint:
    return Complaint(
        "There is no such connection.", ExitCode.NOT_FOUND, "ConnectionNotFound", "lockleaf connections shows the ids"
    )


def _picture(path: Path) -> sdk.Picture:
    media_type = _PICTURES.get(path.suffix.lower())
    if media_type is None:
        raise Complaint(f"{path.name} is no picture that networks take: use a JPEG, PNG, GIF or WebP.")
    try:
        return sdk.Picture(name=path.name, media_type=media_type, data=path.read_bytes())
    except OSError as error:
        raise Complaint(f"{path} cannot be read: {error.strerror}.") from None


def _as_json(connection: sdk.Integration) -> dict[str, Any]:
    fields: dict[str, Any] = connection.model_dump(mode="json")
    return fields
