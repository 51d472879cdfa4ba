"""Reading bodies and writing answers, in JSON and, where a route speaks it, in MessagePack."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Generic, TypeVar

from fastapi import Request, Response
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, from_json

from lockleaf.server.platform.errors import Invalid, InvalidRequest
from lockleaf.server.platform.http.dependencies import header
from lockleaf.server.platform.http.errors import MalformedRequest, NotAcceptable, UnsupportedMediaType
from lockleaf.server.platform.http.parameters import require_known
from lockleaf.wire import codec
from lockleaf.wire.base import Body, SeveralNames

__all__ = ["ByCustody", "Parsed", "Received", "Written", "accepted", "field_errors", "reply"]

M = TypeVar("M", bound=BaseModel)
S = TypeVar("S", bound=BaseModel)
P = TypeVar("P", bound=BaseModel)


class Parsed(Generic[M]):
    """A dependency that gives a request's body as a ``model``.

    Args:
        model: what the body must be.
        msgpack: whether the route takes MessagePack too.
        optional: whether an empty body stands for a ``model`` without fields.
    """

    def __init__(self, model: type[M], *, msgpack: bool = False, optional: bool = False) -> None:
        self.model = model
        self.msgpack = msgpack
        self.optional = optional

    async def __call__(self, request: Request) -> M:
        """Parse the body.

        Raises:
            UnsupportedMediaType: it is in no encoding that this route takes.
            MalformedRequest: it is not one JSON or MessagePack value.
            InvalidRequest: it is not a ``model``; the fields are named, their values are not.
        """
        require_known(request)
        media_type = header(request, b"content-type", codec.JSON).partition(";")[0].strip().lower()
        if media_type != codec.JSON and not (self.msgpack and media_type == codec.MSGPACK):
            raise UnsupportedMediaType(accepted=[codec.JSON, codec.MSGPACK] if self.msgpack else [codec.JSON])
        data = await request.body()
        if not data and self.optional:
            data = b"{}" if media_type == codec.JSON else b"\x80"
        return _decoded(self.model, data, media_type)


@dataclass(frozen=True)
class Received(Generic[S, P]):
    """A body that is read as one of several models, once it is known whose account it speaks for.

    All readings raise MalformedRequest and InvalidRequest, as `Parsed` does.
    """

    _data: bytes = field(repr=False)
    _sealed: type[S]
    _plain: type[P]

    @cached_property
    def fields(self) -> dict[str, Any] | None:
        """The fields of the body as they came, None where it is no JSON object."""
        try:
            found = from_json(self._data)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing: there is none, or an object without fields."""
        return self.fields == {}

    def read(self, model: type[M]) -> M:
        """Return what a client sent that seals by a scheme of its own."""
        return _decoded(model, self._data, codec.JSON)

    def sealed(self) -> S:
        """Return what the client of an end-to-end encrypted account sent."""
        return _decoded(self._sealed, self._data, codec.JSON)

    def plain(self) -> P:
        """Return what the thin client of a uce account sent."""
        return _decoded(self._plain, self._data, codec.JSON)


class ByCustody(Generic[S, P]):
    """A dependency that gives a request's body, in JSON, for a route whose bodies depend on the account's custody.

    Args:
        sealed: what it must be with e2e.
        plain: what it must be with uce.
        opaque: what it may be with e2e as well, of a client that seals by a scheme of its own.
        optional: whether an empty body stands for a model without fields.
    """

    def __init__(
        self, sealed: type[S], plain: type[P], *, opaque: type[BaseModel] | None = None, optional: bool = False
    ) -> None:
        self.sealed = sealed
        self.plain = plain
        self.opaque = opaque
        self.optional = optional

    async def __call__(self, request: Request) -> Received[S, P]:
        """Read the body.

        Raises:
            UnsupportedMediaType: it is not JSON.
        """
        require_known(request)
        data = await request.body()
        if not data and self.optional:
            return Received(b"{}", self.sealed, self.plain)
        media_type = header(request, b"content-type", codec.JSON).partition(";")[0].strip().lower()
        if media_type != codec.JSON:
            raise UnsupportedMediaType(accepted=[codec.JSON])
        return Received(data, self.sealed, self.plain)


def _decoded(model: type[M], data: bytes, media_type: str) -> M:
    """Read a body whose every field asks for something that the model knows, or for nothing.

    A field that is not known may ask for something: who sent it, and is answered as if that had been done, believes
    that it was.
    """
    keeps_further = model.model_config.get("extra") == "allow"
    try:
        return codec.decode(model, data, media_type, forbid_unknown=not keeps_further)
    except codec.MalformedBody:
        raise MalformedRequest from None
    except ValidationError as error:
        if not all(_asks_for_nothing(model, each) for each in error.errors(include_url=False, include_context=False)):
            raise _refusal(model, error) from None
    return codec.decode(model, data, media_type)


def _asks_for_nothing(model: type[BaseModel], error: ErrorDetails) -> bool:
    """Tell whether a field is unknown, and has no value or a name that is known to ask for nothing.

    A second name of a field that was sent asks for nothing more: the model has seen to it that both say the same.
    """
    if error["type"] != "extra_forbidden" or len(error["loc"]) != 1:
        return False
    name = error["loc"][0]
    if error["input"] is None or (issubclass(model, Body) and name in model.asks_for_nothing):
        return True
    return issubclass(model, SeveralNames) and name in model.further_names()


def _refusal(model: type[BaseModel], error: ValidationError) -> Invalid:
    found = error.errors(include_url=False, include_context=False)
    fields = field_errors(each for each in found if not _asks_for_nothing(model, each))
    if any(field["type"] == "json_invalid" for field in fields):
        return MalformedRequest()
    return InvalidRequest(errors=fields)


def field_errors(errors: Any) -> list[dict[str, Any]]:
    """Return which fields are wrong and why. Messages of the checks name types and limits, never the input."""
    return [
        {"field": ".".join(str(part) for part in error["loc"])[:200], "type": error["type"], "message": error["msg"]}
        for error in list(errors)[:20]
    ]


def accepted(request: Request) -> str:
    """Return the encoding of the answer that the request asks for; JSON unless it names MessagePack.

    Raises:
        NotAcceptable: it asks for neither.
    """
    accept = header(request, b"accept", "*/*").lower()
    if codec.MSGPACK in accept:
        return codec.MSGPACK
    if "*/*" in accept or "application/*" in accept or codec.JSON in accept:
        return codec.JSON
    raise NotAcceptable(accepted=[codec.JSON, codec.MSGPACK])


class Written(Response):
    """An answer whose body is written already. What its head says needs no asking.

    Args:
        body: the answer.
        media_type: its encoding.
    """

    def __init__(self, body: bytes, media_type: str) -> None:
        self.status_code = 200
        self.body = body
        self.media_type = media_type
        self.background = None
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", media_type.encode())]


def reply(request: Request, body: BaseModel, status: int = 200) -> Response:
    """Return ``body`` in the encoding that the request asks for."""
    media_type = accepted(request)
    return Response(codec.encode(body, media_type), status_code=status, media_type=media_type)
