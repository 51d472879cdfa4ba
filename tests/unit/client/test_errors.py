import pytest

from lockleaf.client import errors
from lockleaf.client.errors import ApiError, LockleafError, error_for
from lockleaf.wire.problem_documents import Problem
from lockleaf.wire.problems import ErrorCode


def problem(code: str, **facts: object) -> Problem:
    return Problem.model_validate(
        {"type": "about:blank", "title": "T", "status": 409, "detail": "D", "code": code, **facts}
    )


@pytest.mark.parametrize("code", list(ErrorCode))
def test_every_error_code_becomes_the_exception_of_the_same_name(code: ErrorCode) -> None:
    error = error_for(problem(code.value))
    assert type(error).__name__ == "".join(part.capitalize() for part in code.value.split("_"))
    assert getattr(errors, type(error).__name__) is type(error)
    assert error.code == code.value


def test_a_code_of_a_newer_server_is_still_an_api_error_and_says_what_the_server_said() -> None:
    error = error_for(problem("moon_phase_wrong", phase=3))
    assert type(error) is ApiError
    assert "moon_phase_wrong" in str(error)
    assert error.facts == {"phase": 3}


def test_what_an_unknown_server_says_cannot_control_the_terminal() -> None:
    error = error_for(problem("x\x1b[2J\x07\n"))
    assert str(error).isprintable()


def test_facts_of_a_problem_are_kept_and_not_part_of_the_message() -> None:
    error = error_for(problem("keyring_conflict", keyring_version=7))
    assert error.facts["keyring_version"] == 7
    assert error.status == 409
    assert "7" not in str(error)


def test_every_error_tells_a_person_something_in_whole_sentences() -> None:
    def subclasses(kind: type[LockleafError]) -> list[type[LockleafError]]:
        return [kind, *(deeper for each in kind.__subclasses__() for deeper in subclasses(each))]

    for kind in subclasses(LockleafError):
        assert kind.__doc__, kind
        assert kind.__doc__.strip().endswith("."), kind
        if kind is not LockleafError and kind.__module__.startswith("lockleaf.client.errors"):
            assert kind.__name__ in errors.__all__, kind


def test_the_message_is_one_line_with_the_detail_behind_it() -> None:
    error = errors.HistoryForked("a change is missing")
    assert "\n" not in str(error)
    assert str(error).endswith("(a change is missing)")
    assert error.reason == "a change is missing"
