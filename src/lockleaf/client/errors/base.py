"""The root of the SDK's errors, and that of what a server refuses."""

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any, ClassVar

from lockleaf.exit_codes import ExitCode
from lockleaf.lazy import late
from lockleaf.wire.problems import ErrorCode

if TYPE_CHECKING:
    from lockleaf.wire import problem_documents
else:
    problem_documents = late("lockleaf.wire.problem_documents")  # for who asks a server

__all__ = ["ApiError", "LockleafError", "error_for"]


class LockleafError(Exception):
    """Something went wrong in Lockleaf."""

    exit_code: ClassVar[ExitCode] = ExitCode.UNEXPECTED
    """What kind of thing went wrong; a command ends with it."""
    hint: ClassVar[str | None] = None
    """What to type next, on the command line."""

    def __init__(self, detail: str | None = None) -> None:
        message = " ".join(inspect.cleandoc(type(self).__doc__ or type(self).__name__).split())
        super().__init__(f"{message} ({detail})" if detail else message)
        self.detail = detail

    @property
    def category(self) -> str:
        """What kind of thing went wrong, as a word: that of its exit code, such as ``credentials`` or ``not_found``."""
        return self.exit_code.name.lower()


class ApiError(LockleafError):
    """The server refused the request."""

    exit_code = ExitCode.CONFLICT

    by_code: ClassVar[dict[str, type[ApiError]]] = {}

    def __init_subclass__(cls) -> None:
        # The class is named for its code, and a name without a code fails here, at import.
        code = ErrorCode(re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower())
        ApiError.by_code[code.value] = cls

    def __init__(self, problem: problem_documents.Problem) -> None:
        # A known code has our own words. The server's words are shown only where there are no others, and never
        # raw: they may come from somebody who would like to write escape sequences to a terminal.
        known = type(self) is not ApiError
        super().__init__(None if known else _printable(f"{problem.code}: {problem.title}. {problem.detail}"))
        self.problem = problem

    @property
    def code(self) -> str:
        """The stable code of the error."""
        return self.problem.code

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status

    @property
    def facts(self) -> dict[str, Any]:
        """What the server said beside the standard fields."""
        return dict(self.problem.model_extra or {})


def _printable(text: str) -> str:
    return "".join(c for c in text[:300] if c.isprintable())


def error_for(problem: problem_documents.Problem) -> ApiError:
    """Return the exception of the problem's code; ``ApiError`` itself for a code of a newer server."""
    return ApiError.by_code.get(problem.code, ApiError)(problem)
