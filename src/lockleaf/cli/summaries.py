"""What the help of all commands says of each, by its panel and in its order: none is loaded for that.

A command says the same of itself, at the beginning of its own help.
"""

from __future__ import annotations

__all__ = ["SUMMARIES"]

SUMMARIES = {
    "Journal": {
        "app": "Open the journal in your browser: to write, read and search on this machine, with or without a server.",
        "write": "Write an entry and print its id.",
        "edit": "Change an entry. What is not given stays; without anything given your editor opens on the text.",
        "delete": "Delete an entry. This device keeps its text, so that it can be restored.",
        "restore": (
            "Bring a deleted entry back, or the words that an entry had before. What it has now stays a revision of it."
        ),
        "drafts": "List what was typed or piped on this device and is not in the journal, oldest first.",
        "list": "List entries, newest first. With --json one object a line.",
        "show": "Show one entry.",
        "history": (
            "List what an entry held before and holds now, newest first. What was overwritten can be read again."
        ),
        "search": "Find entries by their words, the best first; words are compared by their stems.",
        "attach": "Attach files to an entry, and print their ids. They are encrypted here; lockleaf sync sends them.",
        "open": "Fetch an attachment, decrypt it here, and save it under its name once it is known to be right.",
        "media": "List the attachments of the entries on this device.",
        "tags": "List the tags alphabetically, with colours and how many entries have them; change and remove them.",
        "stats": "Show averages and the trend of a metric, from sums that the server keeps and cannot read.",
        "import": (
            "Import a journal: of Day One, Obsidian, jrnl and others, a folder of Markdown, or one that Lockleaf "
            "exported."
        ),
        "export": "Write the journal in plain text: entries, and their attachments in the clear. It needs no server.",
    },
    "Devices and sync": {
        "repair": "Compare this device with what the server shows now, and send what it lacks. Nothing is deleted.",
        "sync": "Exchange entries with your other devices, and verify the server's history.",
        "status": "Show who is logged in, where, what is synced, what waits, and how much of the quota is used.",
        "resolve": "Decide a conflict. The next sync carries the decision to your other devices.",
        "conflicts": "List entries of which two versions wait for your decision.",
        "inbox": "List what arrived and waits for your decision, as the last sync found it.",
        "devices": (
            "List the devices that are logged in, the one used last first: since when, and with what they were let in."
        ),
    },
    "Networks": {
        "connect": "Connect a social network: its posts come into your inbox, and entries that you publish go there.",
        "publish": (
            "Publish an entry on a connected network: its title and its text, as they are shown before you are asked."
        ),
        "connections": "List the connected networks, and what they need.",
    },
    "Account": {
        "register": "Make an account. Unless you choose uce, its keys are made here and never leave your devices.",
        "login": "Log in on this device. Server, email or name, and custody are remembered after a logout.",
        "logout": "Log out. The journal stays on this device, sealed, until the next login.",
        "adopt": "Take over an account that another application made: give it keys of its own, and log in.",
        "password": "Change the password. Every other device is signed out.",
        "access": "Show when the server opened your journal, and for which device. It can do so with uce only.",
        "keys": "The keys that seal the journal.",
        "lock": "Lock the journal on this device: the next command asks for the password.",
        "unlock": (
            "Unlock the journal on this device with the password, for the commands that follow. No server is needed."
        ),
        "account": "Show the account: name, time zone, locale, preferences. The server knows all of it.",
        "config": (
            "Show which settings of this program hold, and where each comes from: an option, the environment, or the "
            "file."
        ),
        "privacy": "Show how much of the journal the server holds, and what works with that; change it.",
        "search-index": (
            "Show whether the server keeps an index of your words, for search --remote, and what it reveals; change it."
        ),
        "archive": "Everything that the server holds of your account, as it holds it. lockleaf archive FILE saves it.",
        "recovery": "Tell how many recovery codes are left; make new ones; come back with one.",
        "factors": "List the second factors of the account: what the server asks for beside the password.",
    },
    "Server": {
        "serve": "Run a server. It brings its own database, unless DATABASE_URL names one.",
        "worker": "Do the background work of servers that share the database of DATABASE_URL.",
        "demo": "Run a server with four people's journals in it, and say how to look at each.",
        "admin": "Look after a server.",
    },
}
"""Panels, each with its commands: a name, and what the command does."""
