"""Numbers that the server adds up without reading them, beside those of this device."""

from __future__ import annotations

from lockleaf import client as sdk
from lockleaf.app.desk import Desk
from lockleaf.app.models.sums import EncryptedSums, KeepSums, Side, Summed
from lockleaf.app.routing import Call, Endpoints

__all__ = ["endpoints"]

endpoints = Endpoints()
_STANDARD = ("word_count", "mood")
_WHY = {
    sdk.NotLoggedIn: "no_account",
    sdk.MetricsOff: "off",
    sdk.MetricsNotInstalled: "not_installed",
    sdk.TierRequired: "tier",
}


@endpoints.add("GET", "/encrypted-sums")
async def get_sums(call: Call[None]) -> EncryptedSums:
    """Return what the server's encrypted sums come to, opened on this device, beside what is here."""
    return await _sums(call.desk)


@endpoints.add("POST", "/encrypted-sums")
async def keep_sums(call: Call[KeepSums]) -> EncryptedSums:
    """Have the server keep encrypted sums for all devices of the account, or delete those that it has."""
    try:
        async with call.desk.without_sync():
            await call.desk.client.metrics.count(call.body.on)
    except sdk.LockleafError as error:
        return _without(error)
    await call.desk.tell_state()
    return await _sums(call.desk)


async def _sums(desk: Desk) -> EncryptedSums:
    own = sorted({name for each in (await desk.shelf()).present() for name in each.entry.metrics})
    found = []
    try:
        for name in (*_STANDARD, *own):
            server = await desk.client.metrics.stats(name, by="year", local=False)
            device = await desk.client.metrics.stats(name, by="year", local=True)
            if server.whole is not None or device.whole is not None:
                found.append(Summed(name=name, server=_side(server), device=_side(device)))
    except sdk.LockleafError as error:
        return _without(error)
    return EncryptedSums(state="shown", pending=await desk.journal.pending_count(), metrics=tuple(found))


def _without(error: sdk.LockleafError) -> EncryptedSums:
    for kind, state in _WHY.items():
        if isinstance(error, kind):
            return EncryptedSums.model_validate({"state": state})
    return EncryptedSums(state="failed", message=" ".join(filter(None, (str(error), error.hint))))


def _side(stats: sdk.Stats) -> Side | None:
    whole = stats.whole
    return None if whole is None else Side(count=whole.count, average=whole.average, error=whole.average_error)
