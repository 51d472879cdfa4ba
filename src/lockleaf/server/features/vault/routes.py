"""``/vault``: named blobs with versions."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Response

from lockleaf.server.features.vault import service
from lockleaf.server.features.vault.errors import VaultNotFound, VersionConflict
from lockleaf.server.identity.callers import caller, records_of
from lockleaf.server.identity.errors import OF_CALLERS
from lockleaf.server.identity.principal import Principal
from lockleaf.server.platform.cursors import InvalidCursor
from lockleaf.server.platform.db.engine import Database
from lockleaf.server.platform.errors import InvalidRequest
from lockleaf.server.platform.http.bodies import Parsed
from lockleaf.server.platform.http.dependencies import PartsOf, Tx
from lockleaf.server.platform.http.openapi import problems
from lockleaf.server.platform.http.paging import Paged
from lockleaf.server.platform.http.preconditions import IfMatch
from lockleaf.server.platform.http.routing import Router, takes, whole_records
from lockleaf.server.platform.preconditions import etag
from lockleaf.server.records.errors import PayloadTooLarge, PreconditionFailed, RevisionRequired
from lockleaf.server.records.quota import QuotaExceeded
from lockleaf.wire.fields import RecordId
from lockleaf.wire.vault import Vault, VaultChange, VaultCreated, VaultCreation, Vaults, VaultVersions

__all__ = ["router"]

router = Router(prefix="/vault", tags=["vault"])


Reader = Annotated[Principal, Depends(caller("vault", write=False, tier="full_sync"))]
Writer = Annotated[Principal, Depends(caller("vault", write=True, tier="full_sync"))]
VaultId = Annotated[RecordId, Path()]


@router.get("", summary="List the vault", responses=problems(*OF_CALLERS, InvalidRequest, InvalidCursor))
async def list_all(principal: Reader, parts: PartsOf, paging: Paged) -> Vaults:
    """Give the account's blobs, by id."""
    return await service.list_all(parts[Database], principal.user_id, paging)


@router.post(
    "",
    summary="Store a blob",
    status_code=201,
    responses=problems(*OF_CALLERS, VersionConflict, PayloadTooLarge, QuotaExceeded),
)
@takes(whole_records)
async def create(
    principal: Writer,
    body: Annotated[VaultCreation, Depends(Parsed(VaultCreation))],
    tx: Tx,
    parts: PartsOf,
    response: Response,
) -> VaultCreated:
    """Store a new blob under an id of the client's choice."""
    created = await service.create(records_of(parts, tx, principal), body)
    response.headers["ETag"] = etag(created.version)
    return created


@router.get("/{vault_id}", summary="Read a blob", responses=problems(*OF_CALLERS, VaultNotFound))
async def get(principal: Reader, vault_id: VaultId, parts: PartsOf, response: Response) -> Vault:
    """Give the present version of a blob."""
    found = await service.get(parts[Database], principal.user_id, vault_id)
    response.headers["ETag"] = etag(found.version)
    return found


@router.put(
    "/{vault_id}",
    summary="Replace a blob",
    responses=problems(
        *OF_CALLERS,
        VaultNotFound,
        VersionConflict,
        PreconditionFailed,
        RevisionRequired,
        PayloadTooLarge,
        QuotaExceeded,
    ),
)
@takes(whole_records)
async def replace(
    principal: Writer,
    vault_id: VaultId,
    body: Annotated[VaultChange, Depends(Parsed(VaultChange))],
    tx: Tx,
    parts: PartsOf,
    response: Response,
    if_match: IfMatch = None,
) -> VaultCreated:
    """Store the next version of a blob; earlier ones stay readable."""
    replaced = await service.replace(records_of(parts, tx, principal), vault_id, body, if_match=if_match)
    response.headers["ETag"] = etag(replaced.version)
    return replaced


@router.delete(
    "/{vault_id}",
    summary="Delete a blob",
    status_code=204,
    responses=problems(*OF_CALLERS, VaultNotFound, PreconditionFailed),
)
async def delete(principal: Writer, vault_id: VaultId, tx: Tx, parts: PartsOf, if_match: IfMatch = None) -> None:
    """Delete a blob with all its versions, at once and for good."""
    await service.delete(records_of(parts, tx, principal), vault_id, if_match=if_match)


@router.get(
    "/{vault_id}/versions",
    summary="List the versions of a blob",
    responses=problems(*OF_CALLERS, VaultNotFound, InvalidRequest, InvalidCursor),
)
async def versions(principal: Reader, vault_id: VaultId, parts: PartsOf, paging: Paged) -> VaultVersions:
    """Give the versions of a blob and when they were stored, newest first."""
    return await service.versions(parts[Database], principal.user_id, vault_id, paging)


@router.get("/{vault_id}/versions/{number}", summary="Read a version", responses=problems(*OF_CALLERS, VaultNotFound))
async def version(
    principal: Reader,
    vault_id: VaultId,
    number: Annotated[int, Path(ge=1, le=2**62)],
    parts: PartsOf,
    response: Response,
) -> Vault:
    """Give one version of a blob, the present one or an earlier one."""
    found = await service.version(parts[Database], principal.user_id, vault_id, number)
    response.headers["ETag"] = etag(found.version)
    return found
