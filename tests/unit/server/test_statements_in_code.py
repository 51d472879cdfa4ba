"""Every statement that stands in the server's source names one account, also one that no test sends."""

from __future__ import annotations

import re
from pathlib import Path

import lockleaf.server
from lockleaf.server.main.maintenance.distribution import DISTRIBUTED
from tests.support.one_account import MEANT, unnamed
from tests.support.statements_in_code import built, written

SERVER = Path(lockleaf.server.__file__).parent
_PLACE = re.compile(r"\{[a-z_]*\}")
_NAMES = re.compile(r"\buser_id\b|\b_?mine\b|\b_my_\w+|\b_this\b")

IN_PARTS = {
    "features.analytics.ranges._PACKS",
    "features.analytics.ranges._PACK_STARTS",
    "features.analytics.ranges._CUT",
    "features.analytics.ranges._LATEST_PACK",
    "features.analytics.ranges.singles",
    "features.analytics.ranges.count",
    "features.export.jobs._COUNT",
    "features.search.repository._LISTS_ANYWHERE",
    "identity.principal._WHO",
    "platform.db.keyset._COUNT",
    "records.batches._BATCH",
    "records.batches._RECORDS",
    "records.feed._ENDS",
    "records.pages._WANTED",
    "records.reads._READ_BESIDE",
    "records.reads._READ_SEVERAL",
}
"""Forms whose account is in what is filled in; the whole is looked at where the contract's tests send it."""

OF_ALL = {
    "features.analytics.repository.USAGE": "admin recount: what all accounts hold",
    "features.inbox.repository.USAGE": "admin recount",
    "features.media.repository.USAGE": "admin recount",
    "features.search.service.USAGE": "admin recount",
    "records.usage.OF_RECORDS": "admin recount",
    "records.usage._DIFFERENT": "admin recount",
    "features.integrations.resealing._rows": "rotate-secret: all that is sealed, page by page",
    "main.installation.empty": "whether anybody has an account in a database for development",
    "main.maintenance.chains._HEADS": "a verification, which has a database of its own",
    "main.maintenance.restore._END_SESSIONS": "admin restore",
    "main.maintenance.restore._carry_sessions": "admin restore",
    "main.maintenance.restore._carry_media": "admin restore: a table of no account",
    "main.maintenance.secrets.sessions_of_old_roots": "rotate-secret: how many sessions would end",
    "main.maintenance.verification._check_list": "a verification, which has a database of its own",
    "platform.db.connections._PREPARE": "a table of PostgreSQL's own",
    "platform.db.embedded.upgrade._counts": "an upgrade of the embedded PostgreSQL",
    "platform.db.losses.losses": "what a step back of the schema loses",
}
"""Statements that are meant to be of more accounts than one, or of none, and why."""

ELSEWHERE = {
    "features.inbox.repository.page": "of a subquery that names it",
    "identity.auth.repository.advance": "a condition above names it",
    "identity.factors.repository.replace_codes": "the rows name it",
    "platform.db.keyset.select_page": "of a statement that names it",
    "platform.jobs.states.lock": "of no table",
    "records.conflicts.kept": "the condition below names it",
}
"""Lines that build a statement whose account another line names."""


_PLANTED = '''
def count(connection):
    """SELECT nothing."""
    return connection.fetchval("SELECT count(*) FROM records")

def newest(connection, order):
    return connection.fetchval(f"SELECT seq FROM heads {order}")

def all_jobs(session):
    return session.scalars(select(Job).where(Job.kind == "export"))
'''


def test_a_text_that_is_a_statement_names_one_account_or_says_why_not() -> None:
    found = list(written(SERVER, ""))
    assert len(found) > 300
    across = set()
    for place, text in found:
        filled_in = _PLACE.search(re.sub(r"'[^']*'", "", text)) is not None
        if unnamed(_PLACE.sub(" filled ", text), DISTRIBUTED) or (filled_in and "user_id" not in text):
            across.add(place)
    assert across - MEANT.keys() == IN_PARTS | OF_ALL.keys()


def test_a_statement_that_is_built_names_one_account_or_says_where() -> None:
    found = list(built(SERVER, ""))
    assert len(found) > 90
    assert {place for place, line in found if not _NAMES.search(line)} == ELSEWHERE.keys()


def test_what_names_nobody_is_seen_wherever_it_stands(tmp_path: Path) -> None:
    (tmp_path / "repository.py").write_text(_PLANTED)
    texts = {place: unnamed(_PLACE.sub(" filled ", text), DISTRIBUTED) for place, text in written(tmp_path, "")}
    assert texts == {"repository.count": ["records"], "repository.newest": ["heads"]}
    assert [place for place, line in built(tmp_path, "") if not _NAMES.search(line)] == ["repository.all_jobs"]
