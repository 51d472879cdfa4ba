"""A journal begins without an account, and becomes one's without losing anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from lockleaf.cli.run import Run
from lockleaf.client import AlreadyLoggedIn, Client, FileKeychain, NotLoggedIn, ProfileDamaged, StoreDamaged
from tests.support.command_line import PASSWORD, CommandLine, fresh_email
from tests.support.process import RunningServer
from tests.support.terminals import Terminal


async def opened(home: Path, name: str = "laptop", **settings: object) -> Client:
    return await Client.open(home, name, allow_test_parameters=True, **settings)  # type: ignore[arg-type]


async def test_a_journal_without_an_account_becomes_one_with_all_that_is_in_it(
    tmp_path: Path, server: RunningServer
) -> None:
    picture = tmp_path / "note.txt"
    picture.write_bytes(b"attached before there was an account")
    async with await opened(tmp_path) as laptop:
        await laptop.begin(device_name="laptop")
        assert (laptop.is_logged_in, laptop.keys_in) == (False, "file")
        first = await laptop.journal.write(body="Before.", tags=["home"], metrics={"sleep": 7})
        await laptop.journal.edit(first.id, body="Before, and changed.")
        gone = await laptop.journal.write(body="Deleted.")
        await laptop.journal.delete(gone.id)
        await laptop.media.attach(first.id, picture)
        with pytest.raises(NotLoggedIn):
            await laptop.sync()
        with pytest.raises(NotLoggedIn):
            await laptop.account.logout(forget=True)
        with pytest.raises(AlreadyLoggedIn):
            await laptop.begin(device_name="again")
    email = fresh_email()
    async with await opened(tmp_path) as laptop:
        before = laptop.profile
        assert before is not None
        await laptop.account.register(server.url, email, PASSWORD, device_name="laptop")
        after = laptop.profile
        assert after is not None
        assert (after.user_id, after.device_id) == (before.user_id, before.device_id)
        assert laptop.keys_in == "password"
        assert not (tmp_path / "profiles" / "laptop" / "keychain.json").exists()
        report = await laptop.sync()
        assert report.pushed >= 1
        assert report.media.uploaded == 1
    async with await opened(tmp_path, "phone") as phone:
        await phone.account.login(server.url, email, PASSWORD, device_name="phone")
        await phone.sync()
        [entry] = await phone.journal.list()
        assert (entry.id, entry.body, entry.tags, entry.metrics) == (
            first.id, "Before, and changed.", ("home",), {"sleep": 7},
        )  # fmt: skip
        path = await phone.media.download(entry.attachments[0], tmp_path / "fetched.txt")
        assert path.read_bytes() == picture.read_bytes()


async def test_it_is_locked_under_the_password_for_as_long_as_its_user_chose(
    tmp_path: Path, server: RunningServer
) -> None:
    for name, chosen in (("laptop", {"unlocked_for": 0}), ("phone", {"unlocked_for": 0, "keep_unlocked": True})):
        async with await opened(tmp_path, name, **chosen) as device:
            await device.begin(device_name=name)
            await device.account.register(server.url, fresh_email(), PASSWORD, device_name=name)
            assert device.keys_in == ("file" if "keep_unlocked" in chosen else "password")
        async with await opened(tmp_path, name) as device:
            assert device.is_locked is ("keep_unlocked" not in chosen)
            await device.lock()


async def test_a_password_may_lock_a_journal_that_has_no_account(tmp_path: Path) -> None:
    async with await opened(tmp_path) as laptop:
        await laptop.begin(device_name="laptop", password=PASSWORD)
        await laptop.journal.write(body="Under a password.")
        await laptop.lock()
        assert laptop.is_locked
    async with await opened(tmp_path, password=PASSWORD) as laptop:
        assert [entry.body for entry in await laptop.journal.list()] == ["Under a password."]


async def test_a_journal_that_knows_of_no_account_is_remembered_against_no_server(tmp_path: Path) -> None:
    keychain = FileKeychain(tmp_path / "keys.json")
    async with await opened(tmp_path, keychain=keychain) as laptop:
        await laptop.begin(device_name="laptop")
        assert laptop.profile is not None
        assert (laptop.profile.is_local, laptop.profile.server) == (True, "")
    assert not (tmp_path / "memory").exists()


async def bodies(client: Client) -> list[str]:
    return sorted(entry.body for entry in await client.journal.list())


async def test_who_begins_a_journal_at_the_same_time_loses_no_word_of_the_other(tmp_path: Path) -> None:
    async with await opened(tmp_path) as first, await opened(tmp_path) as second:
        await first.begin(device_name="first")
        await first.journal.write(body="of the first")
        with pytest.raises(AlreadyLoggedIn):
            await second.begin(device_name="second")
    async with await opened(tmp_path) as laptop:
        assert await bodies(laptop) == ["of the first"]


async def test_a_command_goes_on_with_the_journal_that_another_began_at_the_same_moment(tmp_path: Path) -> None:
    async def begin(_: Run, late: Client) -> None:
        async with await opened(tmp_path) as quick:
            await quick.begin(device_name="quick")
            await quick.journal.write(body="of the quick one")
        await late.begin(device_name="late")

    run = Run(home=tmp_path, profile="laptop", json=False, quiet=True, color=False, begin=begin)
    async with run.client(begin=True) as client:
        await client.journal.write(body="of the late one")
        assert await bodies(client) == ["of the late one", "of the quick one"]


async def test_what_another_program_wrote_since_the_profile_was_opened_goes_into_the_account(
    tmp_path: Path, server: RunningServer
) -> None:
    email = fresh_email()
    async with await opened(tmp_path) as registering, await opened(tmp_path) as writing:
        await writing.begin(device_name="laptop")
        await writing.journal.write(body="begun meanwhile")
        await registering.account.register(server.url, email, PASSWORD, device_name="laptop")
        assert await bodies(registering) == ["begun meanwhile"]
        assert (await registering.sync()).pushed == 1
    async with await opened(tmp_path, "phone") as late, await opened(tmp_path, "phone") as quick:
        third = await opened(tmp_path, "phone")
        await quick.account.login(server.url, email, PASSWORD, device_name="phone")
        await quick.journal.write(body="written meanwhile")
        await late.account.login(server.url, email, PASSWORD, device_name="phone")
        await late.sync()
        assert await bodies(late) == ["begun meanwhile", "written meanwhile"]
        with pytest.raises(AlreadyLoggedIn):
            await third.account.register(server.url, fresh_email(), PASSWORD, device_name="phone")
        await third.aclose()
        assert await bodies(late) == ["begun meanwhile", "written meanwhile"]


@pytest.mark.parametrize("content", [None, b""])
async def test_a_journal_whose_profile_is_lost_comes_back_by_a_login(
    tmp_path: Path, server: RunningServer, content: bytes | None
) -> None:
    email, file = fresh_email(), tmp_path / "profiles" / "laptop" / "profile.json"
    async with await opened(tmp_path) as laptop:
        await laptop.account.register(server.url, email, PASSWORD, device_name="laptop")
        await laptop.journal.write(body="never sent")
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    async with await opened(tmp_path) as laptop:
        with pytest.raises(ProfileDamaged):
            await laptop.journal.list()
        await laptop.account.login(server.url, email, PASSWORD, device_name="laptop")
        assert await bodies(laptop) == ["never sent"]
        assert (await laptop.sync()).pushed == 1


async def test_a_journal_whose_store_is_lost_is_told_as_missing_and_not_as_without_a_key(tmp_path: Path) -> None:
    async with await opened(tmp_path) as laptop:
        await laptop.begin(device_name="laptop")
    (tmp_path / "profiles" / "laptop" / "store.sqlite3").unlink()
    async with await opened(tmp_path) as laptop:
        with pytest.raises(StoreDamaged, match="missing"):
            await laptop.journal.list()


async def test_a_journal_whose_profile_is_lost_is_set_aside_and_not_replaced(
    tmp_path: Path, server: RunningServer
) -> None:
    notices: list[str] = []
    folder = tmp_path / "profiles" / "laptop"
    async with await opened(tmp_path) as laptop:
        await laptop.begin(device_name="laptop", password=PASSWORD)
        await laptop.journal.write(body="of the first")
    kept = (folder / "profile.json").read_bytes()
    (folder / "profile.json").unlink()
    async with await opened(tmp_path, notice=notices.append) as laptop:
        await laptop.begin(device_name="laptop", password="quite another heron")
        await laptop.journal.write(body="of the second")
    (aside,) = folder.glob("aside-*")
    assert any(str(aside) in each for each in notices)
    # With its profile it is the journal that it was.
    (aside / "profile.json").write_bytes(kept)
    aside.rename(tmp_path / "profiles" / "back")
    async with await opened(tmp_path, "back", password=PASSWORD) as back:
        assert await bodies(back) == ["of the first"]


def test_the_first_command_may_be_to_write(tmp_path: Path, server: RunningServer) -> None:
    laptop = CommandLine(tmp_path, "laptop")
    entry = laptop.run("write", "-", stdin=b"The first words").out.strip()
    assert [each["id"] for each in laptop.run("list", "--json").values()] == [entry]
    status = laptop.run("status", "--json").value()
    assert (status["logged_in"], status["server"], status["entries"]) == (False, None, 1)
    email = fresh_email()
    laptop.run("register", "--server", server.url, "--email", email, "--device-name", "laptop")
    assert laptop.run("sync", "--json").value()["pushed"] == 1


def test_without_a_keychain_a_password_seals_a_journal_that_is_begun_by_a_command(tmp_path: Path) -> None:
    laptop = CommandLine(tmp_path, "laptop")
    begun = laptop.run("write", "sealed from the first word")
    assert "its key lies beside it" not in begun.err
    folder = tmp_path / "profiles" / "laptop"
    assert not (folder / "keychain.json").exists()
    laptop.run("lock")
    refused = laptop.run("show", begun.out.strip(), environment={"LOCKLEAF_PASSWORD": "quite another heron"}, code=None)
    assert refused.code != 0
    assert "sealed from the first word" in laptop.run("show", begun.out.strip()).out
    weak = CommandLine(tmp_path, "weak").run("write", "x", environment={"LOCKLEAF_PASSWORD": "password1"}, code=None)
    assert weak.code != 0
    assert not (tmp_path / "profiles" / "weak" / "store.sqlite3").exists()


def test_where_nobody_can_be_asked_a_journal_begins_open_and_says_so(tmp_path: Path) -> None:
    laptop = CommandLine(tmp_path, "laptop")
    begun = laptop.run("write", "open", environment={"LOCKLEAF_PASSWORD": ""})
    assert "its key lies beside it" in begun.err
    assert laptop.run("show", begun.out.strip(), environment={"LOCKLEAF_PASSWORD": ""}).code == 0


def test_a_person_at_a_terminal_is_asked_what_is_to_seal_a_new_journal(tmp_path: Path) -> None:
    sealed, opened_by_choice = CommandLine(tmp_path, "sealed"), CommandLine(tmp_path, "open")
    with Terminal(sealed, "write", "typed here", without=("LOCKLEAF_PASSWORD",)) as terminal:
        terminal.wait_for("or Enter for none: ")
        assert not terminal.shows_typing()
        terminal.type("password1")
        terminal.wait_for("or Enter for none: ")
        terminal.type(PASSWORD)
        terminal.wait_for("The same again: ")
        terminal.type(PASSWORD)
        assert terminal.end() == 0
    assert not (tmp_path / "profiles" / "sealed" / "keychain.json").exists()
    assert "typed here" in sealed.run("list").out
    with Terminal(opened_by_choice, "write", "typed there", without=("LOCKLEAF_PASSWORD",)) as terminal:
        terminal.wait_for("or Enter for none: ")
        terminal.type("")
        assert terminal.end() == 0
    assert "its key lies beside it" in terminal.seen
