"""A process of its own that reads and adds ciphertexts: ``python -m lockleaf.server.features.analytics.evaluator``.

What clients send is hostile input, products of it need native code, and sums take processor time that is not the event
loop's to give. Here is no secret of the server's and no connection, and so much memory and time.

It answers questions from standard input on standard output, one at a time: each is 8 bytes of length and a MessagePack
map. Stored ciphertexts come from the database and are those that were checked here before.
"""

from __future__ import annotations

import io
import resource
import signal
import sys
import time
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import ormsgpack

from lockleaf.server.platform.sandbox import confine

if TYPE_CHECKING:
    from lockleaf.he.codec import Ciphertext
    from lockleaf.he.multiply import Squarer

__all__ = ["HEAD_BYTES", "KINDS", "MOST_BYTES", "main"]

HEAD_BYTES = 8
MOST_BYTES = 256 * 2**20
"""How long one question or answer may be."""

KINDS = ("values", "squares", "products")
"""What is summed up: values, squares as the client encrypted them, and squares that are multiplied here."""

# A ciphertext is as good as random, and nothing shortens it: SEAL's compression leaves out no more than the zeros above
# each prime. What is much shorter than it would be stored is no encryption, and may be many times as long inside.
_SHORTEST = 0.9


class _Refused(Exception):
    """A ciphertext of an upload is invalid."""

    def __init__(self, item: int, field: str, reason: str) -> None:
        self.facts = {"item": item, "field": field, "reason": reason}
        super().__init__(reason)


def _check(question: dict[str, Any]) -> dict[str, Any]:
    """Read what was uploaded, into its stored form, with the sum of each group of it.

    The question: ``items: [{position, set, value, group, single, square?, multiply?}]``, ``contexts: {set: public
    context}`` for those that shall be multiplied. The answer: ``items: [[stored value, stored square or none, kind of
    square or none, slots, version]]`` and ``sums: [[group, kind, stored sum]]``; or what is ``refused``.
    """
    from lockleaf.he import stored  # noqa: PLC0415
    from lockleaf.he.errors import Mismatch  # noqa: PLC0415
    from lockleaf.he.evaluate import Accumulator  # noqa: PLC0415

    squarers = _squarers(question["contexts"])
    sums: defaultdict[tuple[int, str], Accumulator] = defaultdict(Accumulator)
    items: list[list[Any]] = []
    for item in question["items"]:
        value = _read(item, "encrypted_value", item["value"])
        square, kind = None, None
        if item.get("square") is not None:
            square, kind = _read(item, "encrypted_square", item["square"]), "squares"
        elif item.get("multiply"):
            square, kind = squarers[item["set"]].square(value), "products"
        try:
            sums[item["group"], "values"].add(value)
        except Mismatch:
            raise _Refused(item["position"], "encrypted_value", "slots") from None
        if square is not None and kind is not None:
            sums[item["group"], kind].add(square)
        dumped = None if square is None else stored.dump(square)
        items.append([stored.dump(value), dumped, kind, value.values, value.version])
    return {
        "items": items,
        "sums": [[group, kind, stored.dump(each.total())] for (group, kind), each in sums.items() if each.count > 1],
    }


def _squarers(contexts: dict[str, bytes]) -> dict[str, Squarer]:
    if not contexts:
        return {}
    from lockleaf.he.contexts import read_public_context  # noqa: PLC0415
    from lockleaf.he.multiply import Squarer  # noqa: PLC0415

    return {name: Squarer(read_public_context(context)) for name, context in contexts.items()}


def _read(item: dict[str, Any], field: str, data: bytes) -> Ciphertext:
    from lockleaf.he import codec, errors, stored  # noqa: PLC0415
    from lockleaf.he.params import parameter_set  # noqa: PLC0415

    short = len(data) < _SHORTEST * stored.stored_bytes(parameter_set(item["set"]))
    try:
        found = codec.check_ciphertext(data, item["set"], single=item["single"])
    except errors.InvalidCiphertext as error:
        # Of what is short in any case one kind is worth its name: SEAL's own, with half of it left to a seed.
        reason = "truncated" if short and error.reason != "seeded" else error.reason
        raise _Refused(item["position"], field, reason) from None
    if short:
        raise _Refused(item["position"], field, "truncated")
    return found


def _combine(question: dict[str, Any]) -> dict[str, Any]:
    """Add stored ciphertexts.

    The question: ``sums: [{plus: [stored], minus?: [stored], weights?: [number], divisor?: number, version?: name,
    raw?: bool}]``; weights are those of ``plus``. The answer: ``sums``, each stored, or with ``version`` as a client
    reads it, in TenSEAL's message or raw.
    """
    from dataclasses import replace  # noqa: PLC0415

    from lockleaf.he import codec, evaluate, stored  # noqa: PLC0415

    made = []
    for each in question["sums"]:
        if each.get("weights") is not None:
            total = evaluate.weighted_sum([stored.load(data) for data in each["plus"]], each["weights"])
        else:
            total = evaluate.total(map(stored.load, each["plus"]))
        for data in each.get("minus", ()):
            total = evaluate.subtract(total, stored.load(data))
        if each.get("divisor") is not None:
            total = evaluate.divide(total, each["divisor"])
        if each.get("version") is not None:
            write = codec.write_raw if each.get("raw") else codec.write_ciphertext
            made.append(write(replace(total, version=each["version"])))
        else:
            made.append(stored.dump(total))
    return {"sums": made}


def _warm(question: dict[str, Any]) -> dict[str, Any]:
    """Load what every question needs, so that the first one does not wait for it."""
    del question
    from lockleaf.he import codec, evaluate, stored, zstd  # noqa: F401, PLC0415

    zstd.load()
    return {}


_ANSWERS = {"warm": _warm, "check": _check, "combine": _combine}


def _answer(question: dict[str, Any]) -> dict[str, Any]:
    try:
        return _ANSWERS[question["do"]](question)
    except _Refused as refused:
        return {"refused": refused.facts}
    except MemoryError:
        raise
    except Exception as error:
        # The name alone: a message could hold what was computed.
        return {"failed": type(error).__name__}


def _read_exactly(stream: io.FileIO, length: int) -> bytearray | None:
    data = bytearray(length)
    view, filled = memoryview(data), 0
    while filled < length:
        count = stream.readinto(view[filled:])
        if not count:
            return None
        filled += count
    return data


def main(arguments: list[str]) -> int:
    """Answer until standard input ends.

    Args:
        arguments: how much memory in MiB, and how many seconds of processor time for one question.
    """
    memory_mib, seconds = int(arguments[0]), int(arguments[1])
    # Signals to a group of processes are meant for the server: what is at work here may be what it still answers.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    confine(memory_bytes=memory_mib * 2**20)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    source, sink = io.FileIO(0, "rb", closefd=False), io.FileIO(1, "wb", closefd=False)
    while (head := _read_exactly(source, HEAD_BYTES)) is not None:
        length = int.from_bytes(head, "big")
        if length > MOST_BYTES or (data := _read_exactly(source, length)) is None:
            return 1
        used = int(time.process_time())
        resource.setrlimit(resource.RLIMIT_CPU, (used + seconds + 1, hard))
        said = ormsgpack.packb(_answer(ormsgpack.unpackb(data)))
        del data
        _write(sink, len(said).to_bytes(HEAD_BYTES, "big"))
        _write(sink, said)
    return 0


def _write(sink: io.FileIO, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[sink.write(view) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
