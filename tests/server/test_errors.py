"""Every error has one code, known to the server, the SDK and the documentation alike."""

from __future__ import annotations

import inspect

import pytest

from docs.generate_errors import PAGE, page, server_errors
from lockleaf.client import errors as sdk
from lockleaf.server.platform.errors import DomainError
from lockleaf.server.platform.http.problems import STATUSES, problem_response, status_of
from lockleaf.wire.problem_documents import Problem
from lockleaf.wire.problems import ErrorCode

ALL = sorted((error for classes in server_errors().values() for error in classes), key=lambda error: error.__name__)
IN_RESULTS_ALONE = {
    "wrong_door",
    "malformed_payload",
    "invalid_record_id",
    "parent_mismatch",
    "batch_refused",
}
"""Codes of one refused change of a batch; no request fails by them as a whole."""


def _descendants(base: type[DomainError]) -> set[type[DomainError]]:
    below = set(base.__subclasses__())
    return below.union(*(_descendants(each) for each in below))


def test_every_error_of_the_server_has_a_code_of_its_own_or_is_a_category() -> None:
    declared = {each for each in _descendants(DomainError) if each.__module__.startswith("lockleaf.")}
    without = {each for each in declared if "code" not in vars(each)}
    assert without <= set(STATUSES), "an error that is no category has no code"
    assert declared - without == set(ALL)


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.__name__)
def test_an_error_is_told_in_sentences_with_its_code_and_status(error: type[DomainError]) -> None:
    assert isinstance(error.code, ErrorCode)
    answer = problem_response(error(), {"state": {}})
    problem = Problem.model_validate_json(bytes(answer.body))
    assert answer.status_code == problem.status == status_of(error)
    assert 400 <= problem.status < 600
    assert problem.code == error.code
    assert problem.type.endswith(f"/{error.code}")
    assert problem.title
    assert not problem.title.endswith(".")
    assert problem.detail.startswith(problem.title)
    assert problem.detail.endswith(".")
    assert "  " not in problem.detail


def test_every_code_can_come_from_the_server() -> None:
    assert set(ErrorCode) - set(server_errors()) == IN_RESULTS_ALONE


@pytest.mark.parametrize("code", list(ErrorCode))
def test_the_sdk_raises_an_exception_of_the_codes_name(code: ErrorCode) -> None:
    name = "".join(part.capitalize() for part in code.split("_"))
    exception = getattr(sdk, name)
    assert issubclass(exception, sdk.ApiError)
    problem = Problem(type="about:blank", title="", status=400, detail="", code=code)
    raised = sdk.error_for(problem)
    assert type(raised) is exception
    assert str(raised) == " ".join((inspect.getdoc(exception) or "").split())


def test_the_page_of_errors_is_what_the_code_declares() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.generate"


@pytest.mark.parametrize("code", list(ErrorCode))
def test_the_page_of_errors_explains_each_code(code: ErrorCode) -> None:
    assert f"\n| `{code}` |" in PAGE.read_text(encoding="utf-8")
