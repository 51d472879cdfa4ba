"""``/encryption``: encrypted metrics (PROTOCOL section 9)."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Path, Query, Request, Response

from lockleaf.server.features.analytics import aggregates, context, sealed_keys, service, uploads
from lockleaf.server.features.analytics.errors import (
    AlreadyCounted,
    ChangeNotAccepted,
    EvaluationUnavailable,
    EvaluatorsBusy,
    InvalidCiphertext,
    MetricIdTaken,
    MetricNotFound,
    NoMetrics,
    SealedKeyConflict,
    SealedKeyNotFound,
    SquaresRequired,
    TooManyValues,
    UnsupportedOperation,
    WeightsMismatch,
)
from lockleaf.server.features.analytics.evaluators import Evaluators
from lockleaf.server.identity.accounts.errors import HeKeyRequired
from lockleaf.server.identity.callers import caller
from lockleaf.server.identity.errors import OF_CALLERS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.clock import Clock
from lockleaf.server.platform.cursors import CursorCodec, InvalidCursor
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.bodies import Parsed, accepted, reply
from lockleaf.server.platform.http.dependencies import PartsOf, Tx, TxToBegin
from lockleaf.server.platform.http.errors import NotAcceptable
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import Paged
from lockleaf.server.platform.http.parameters import KNOWN
from lockleaf.server.platform.http.routing import Router, takes, whole_records
from lockleaf.server.platform.preconditions import etag
from lockleaf.server.records.quota import Quota, QuotaExceeded
from lockleaf.wire.analytics import (
    Aggregate,
    Aggregation,
    EncryptionContext,
    MetricBatch,
    MetricName,
    Metrics,
    MetricsStored,
    ParameterSetName,
    SealedKey,
    SealedKeyChange,
    SealedKeyVersion,
    SealVersionName,
)
from lockleaf.wire.fields import RecordId

__all__ = ["router"]

router = Router(prefix="/encryption", tags=["encryption"])

_COMPUTING = (EvaluatorsBusy, EvaluationUnavailable)

Reader = Annotated[Principal, Depends(caller("metrics", write=False, tier="analytics_sync"))]
Writer = Annotated[Principal, Depends(caller("metrics", write=True, tier="analytics_sync"))]

_KEPT = "public, max-age=86400"
"""Parameter sets are fixed for good; a new one may join them."""


@router.get(
    "/context",
    summary="Read the parameter sets",
    dependencies=[KNOWN],
    response_model=EncryptionContext,
    responses={304: {"description": "What the client has is still so."}, **problems(InvalidRequest, NotAcceptable)},
)
async def get_context(
    request: Request,
    seal_version: Annotated[SealVersionName, Query(description="Of SEAL, that reads the contexts.")] = "4.3",
    if_none_match: Annotated[str | None, Header(max_length=1024)] = None,
) -> Response:
    """Give the parameter sets, and within which bounds they add up correctly."""
    tag = context.tag(seal_version, accepted(request))
    headers = {"ETag": tag, "Cache-Control": _KEPT, "Vary": "Accept"}
    if if_none_match is not None and (if_none_match.strip() == "*" or tag in if_none_match):
        return Response(status_code=304, headers=headers)
    answer = reply(request, context.described(seal_version))
    answer.headers.update(headers)
    return answer


@router.get(
    "/keys/{parameter_set}",
    summary="Read the sealed key",
    response_model=SealedKey,
    responses=problems(*OF_CALLERS, InvalidRequest, SealedKeyNotFound, NotAcceptable),
)
async def get_key(
    request: Request, principal: Reader, parts: PartsOf, parameter_set: Annotated[ParameterSetName, Path()]
) -> Response:
    """Give the secret key of a parameter set, as the account's devices sealed it."""
    found = await sealed_keys.get(parts[Database], principal.user_id, parameter_set)
    answer = reply(request, found)
    answer.headers["ETag"] = etag(found.version)
    return answer


@router.put(
    "/keys/{parameter_set}",
    summary="Store the sealed key",
    response_model=SealedKeyVersion,
    responses=problems(*OF_CALLERS, SealedKeyConflict, NotAcceptable),
)
@takes(whole_records)
async def put_key(
    request: Request,
    principal: Writer,
    tx: Tx,
    parts: PartsOf,
    parameter_set: Annotated[ParameterSetName, Path()],
    body: Annotated[SealedKeyChange, Depends(Parsed(SealedKeyChange, msgpack=True))],
) -> Response:
    """Store the next version of the sealed secret key. Who comes second is told, and uses the first one's."""
    stored = await sealed_keys.put(tx.session, parts[Clock], principal.user_id, parameter_set, body)
    answer = reply(request, stored)
    answer.headers["ETag"] = etag(stored.version)
    return answer


@router.post(
    "/metrics",
    summary="Upload metrics",
    status_code=201,
    response_model=MetricsStored,
    responses=problems(
        *OF_CALLERS,
        *_COMPUTING,
        HeKeyRequired,
        InvalidCiphertext,
        MetricIdTaken,
        ChangeNotAccepted,
        AlreadyCounted,
        TooManyValues,
        QuotaExceeded,
        NotAcceptable,
    ),
)
@takes(whole_records)
async def post_metrics(
    request: Request,
    principal: Writer,
    tx: TxToBegin,
    parts: PartsOf,
    body: Annotated[MetricBatch, Depends(Parsed(MetricBatch, msgpack=True))],
) -> Response:
    """Count up to 500 metrics or 8 MiB, each once, all or none: values, and deltas of packed months."""
    accepted(request)  # before anything is counted
    return reply(
        request,
        await uploads.upload(
            tx, parts[Clock], parts[Database], parts[Quota], parts[Evaluators], principal.user_id, body
        ),
        201,
    )


@router.get(
    "/metrics",
    summary="List metrics",
    response_model=Metrics,
    responses=problems(*OF_CALLERS, InvalidRequest, InvalidCursor, NotAcceptable),
)
async def list_metrics(
    request: Request,
    principal: Reader,
    parts: PartsOf,
    paging: Paged,
    metric_type: Annotated[MetricName | None, Query(description="Only single values of this type.")] = None,
    packed: Annotated[bool, Query(description="The accumulators of packed months, in place of single values.")] = False,
) -> Response:
    """Give the single values by time, or the accumulators of packed months, without their ciphertexts."""
    if packed:
        page = await service.list_packs(parts[Database], principal.user_id, paging)
    else:
        page = await service.list_values(parts[Database], principal.user_id, paging, metric_type=metric_type)
    return reply(request, page)


@router.delete(
    "/metrics/{metric_id}",
    summary="Delete a metric",
    status_code=204,
    responses=problems(*OF_CALLERS, *_COMPUTING, MetricNotFound),
)
async def delete_metric(
    principal: Writer, tx: TxToBegin, parts: PartsOf, metric_id: Annotated[RecordId, Path()]
) -> None:
    """Delete a single value, and take it away from what it was added to."""
    await service.delete(tx, parts[Clock], parts[Evaluators], principal.user_id, metric_id)


@router.post(
    "/aggregate",
    summary="Add up metrics",
    response_model=Aggregate,
    responses=problems(
        *OF_CALLERS,
        *_COMPUTING,
        InvalidCursor,
        NoMetrics,
        TooManyValues,
        UnsupportedOperation,
        WeightsMismatch,
        SquaresRequired,
        NotAcceptable,
    ),
)
@takes(whole_records)
async def aggregate(
    request: Request,
    principal: Reader,
    parts: PartsOf,
    body: Annotated[Aggregation, Depends(Parsed(Aggregation, msgpack=True))],
) -> Response:
    """Give the sum, the average, a weighted sum, the variance or the trend of encrypted values, as ciphertexts."""
    accepted(request)  # before anything is computed
    return reply(
        request,
        await aggregates.aggregate(parts[Database], parts[CursorCodec], parts[Evaluators], principal.user_id, body),
    )
