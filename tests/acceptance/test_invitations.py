"""An operator invites somebody, who is asked for the code and comes in: at a terminal, and from a script."""

from __future__ import annotations

import secrets
from pathlib import Path

from tests.conftest import migrated_database
from tests.support.command_line import CommandLine, fresh_email
from tests.support.process import running_server
from tests.support.terminals import Terminal


def test_who_is_invited_is_asked_for_the_code_and_comes_in(
    server_environment: dict[str, str], worker_id: str, tmp_path: Path
) -> None:
    url = migrated_database(f"lockleaf_invited_{worker_id}_{secrets.token_hex(4)}")
    environment = {
        **server_environment,
        "DATABASE_URL": url,
        "LOCKLEAF_DATA_DIR": str(tmp_path / "data"),
        "LOCKLEAF_REGISTRATION__MODE": "invitation",
    }
    operator = CommandLine(tmp_path / "operator", environment=environment)
    invited = operator.run("admin", "invite", "--uses", "2")
    assert f"lockleaf register --invitation {invited.out.strip()}" in invited.err
    with running_server(environment, log=tmp_path / "log") as server:
        register = ("register", "--server", server.url, "--device-name", "x", "--email")
        script = CommandLine(tmp_path / "script")
        refused = script.run(*register, fresh_email(), "--json", code=3).error()
        assert (refused["code"], refused["hint"]) == ("invitation_required", "lockleaf register --invitation CODE")
        script.run(*register, fresh_email(), "--invitation", invited.out.strip())
        [listed] = operator.run("admin", "invitations", "--json").values()
        assert (listed["uses"], listed["uses_left"]) == (2, 1)
        with Terminal(CommandLine(tmp_path / "person"), *register, fresh_email()) as terminal:
            terminal.wait_for("Your code: ")
            terminal.type(invited.out.strip().lower())
            assert terminal.end() == 0
        assert operator.run("admin", "invitations", "--json").values() == []
        late = CommandLine(tmp_path / "late")
        told = late.run(*register, fresh_email(), "--invitation", invited.out.strip(), "--json", code=3).error()
        assert told["code"] == "invalid_invitation"
    again = operator.run("admin", "invite", "--json").value()
    [listed] = operator.run("admin", "invitations", "--json").values()
    operator.run("admin", "invitations", "--revoke", listed["id"])
    operator.run("admin", "invitations", "--revoke", listed["id"], code=4)
    assert again["code"] not in operator.run("admin", "invitations").out
