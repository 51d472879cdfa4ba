"""A bucket as strict as S3: moto's server keeps the objects, and this front before it refuses what S3 refuses.

By itself moto takes any signature, any length and any checksum. The front checks signatures (sigv4.py), lengths,
checksums and digests of parts before it passes a request on. It can also be down, or die in the middle of a request.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal
from xml.etree import ElementTree
from xml.sax.saxutils import escape

import httpx

from tests.support.sigv4 import UNSIGNED, Account, Head, Refused, verify

READY_SECONDS = 60
READ_AHEAD = 16 * 1024 * 1024
BUCKET = "media"
HOST = "store.test"
"""The name by which requests may call the front with the bucket in the host's name: ``media.store.test``."""

_MOTO = """
import sys
from moto.moto_server.threaded_moto_server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
print(server.get_host_and_port()[1], flush=True)
sys.stdin.read()
"""
_CHECKSUMS: dict[str, Callable[[bytes], bytes]] = {
    "x-amz-checksum-sha256": lambda body: hashlib.sha256(body).digest(),
    "x-amz-checksum-sha1": lambda body: hashlib.sha1(body).digest(),
    "x-amz-checksum-crc32": lambda body: zlib.crc32(body).to_bytes(4, "big"),
}
_SOMEBODY = "AWS4-HMAC-SHA256 Credential=somebody/20000101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
"""For moto, to which a request without a signature is an anonymous one."""
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "host", "expect"}
_ERROR = '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>'

Stage = Literal["head", "body", "answer"]


@dataclass
class S3Front:
    """The front, and what it shall do."""

    account: Account
    port: int = 0
    ahead: timedelta = timedelta(0)
    """How far its clock is ahead."""
    down: bool = False
    heard: list[str] = field(default_factory=list)
    """The methods and paths of what was passed on, in order."""
    _dying: list[tuple[Stage, str]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """The settings of a server whose objects lie here."""
        return {
            "LOCKLEAF_BLOBS__KIND": "s3",
            "LOCKLEAF_BLOBS__ENDPOINT": self.url,
            "LOCKLEAF_BLOBS__REGION": self.account.region,
            "LOCKLEAF_BLOBS__BUCKET": BUCKET,
            "LOCKLEAF_BLOBS__ACCESS_KEY": self.account.access_key,
            "LOCKLEAF_BLOBS__SECRET_KEY": self.account.secret_key,
        }

    def die(self, stage: Stage, method: str, times: int = 1) -> None:
        """Close the connection of the next requests with this method: after their head, amid their body, or once they
        were carried out, before the answer.
        """
        self._dying.extend([(stage, method)] * times)

    def dies(self, stage: Stage, method: str) -> bool:
        """Tell whether it is time to; each time counts once."""
        if (stage, method) in self._dying:
            self._dying.remove((stage, method))
            return True
        return False

    @contextlib.contextmanager
    def unreachable(self) -> Iterator[None]:
        """Be down for the length of a ``with``."""
        self.down = True
        try:
            yield
        finally:
            self.down = False

    @contextlib.contextmanager
    def later(self, seconds: float) -> Iterator[None]:
        """Have a clock that is ahead for the length of a ``with``."""
        self.ahead = timedelta(seconds=seconds)
        try:
            yield
        finally:
            self.ahead = timedelta(0)


class _Gone(Exception):
    """The other side closed the connection."""


class _Service:
    """The protocol: HTTP/1.1 with lengths, a request after the other on each connection."""

    def __init__(self, front: S3Front, behind: httpx.AsyncClient) -> None:
        self._front = front
        self._behind = behind
        self._uploads: dict[str, tuple[str, datetime]] = {}
        self._part_digests: dict[tuple[str, int], str] = {}
        self._composite: dict[str, str] = {}
        self._alone = asyncio.Lock()  # moto mixes up what is asked of it at the same time

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (_Gone, ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.transport.abort() if self._front.down else writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve a request; tell whether another may follow."""
        try:
            raw = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        head = _parsed(raw)
        if self._front.down or self._front.dies("head", head.method):
            raise _Gone
        try:
            payload = verify(head, self._front.account, datetime.now(UTC) + self._front.ahead)
            length = _length(head)
        except Refused as refused:
            # As S3 does: the body is not read, so the connection is of no further use.
            await _answer(writer, refused.status, _error(refused), {"Connection": "close"})
            return False
        if head.header("expect"):
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._front.dies("body", head.method):
            await reader.readexactly(length // 2)
            raise _Gone
        body = await reader.readexactly(length)
        try:
            _check_body(head, body, payload)
            self._check_parts(head, body)
        except Refused as refused:
            await _answer(writer, refused.status, _error(refused))
            return True
        answer = await self._pass_on(head, body)
        content, headers = self._noted(head, answer)
        if self._front.dies("answer", head.method):
            raise _Gone
        await _answer(writer, answer.status_code, content, headers)
        return True

    async def _pass_on(self, head: Head, body: bytes) -> httpx.Response:
        headers = {name: value for name, value in head.headers if name not in _HOP_BY_HOP}
        if "x-amz-checksum-sha256" in headers:
            headers.setdefault("x-amz-sdk-checksum-algorithm", "SHA256")  # moto keeps checksums only if told so
        headers.setdefault("authorization", _SOMEBODY)
        path = head.path
        if (head.header("host") or "").split(":")[0] == f"{BUCKET}.{HOST}":
            path = f"/{BUCKET}{path}"
        query = "&".join(each for each in head.query.split("&") if not each.startswith("X-Amz-"))
        self._front.heard.append(f"{head.method} {path}")
        async with self._alone:
            return await self._behind.request(head.method, f"{path}?{query}", headers=headers, content=body)

    # ---- what S3 knows of parts, and moto does not ----

    def _check_parts(self, head: Head, body: bytes) -> None:
        fields = dict(head.pairs())
        upload = fields.get("uploadId")
        if upload is None:
            return
        if self._uploads.get(upload, ("", None))[0] != head.path:
            raise Refused(404, "NoSuchUpload", "The specified upload does not exist.")
        if head.method == "PUT" and head.header("x-amz-checksum-sha256") is None:
            raise Refused(400, "InvalidRequest", "the upload was begun with SHA-256, and the part has none")
        if head.method == "POST":
            told = {
                int(part.findtext("{*}PartNumber", "0")): part.findtext("{*}ChecksumSHA256")
                for part in ElementTree.fromstring(body).iter()
                if part.tag.endswith("}Part") or part.tag == "Part"
            }
            if any(self._part_digests.get((upload, number)) != digest for number, digest in told.items()):
                raise Refused(400, "InvalidPart", "a part is missing, or is another")

    def _noted(self, head: Head, answer: httpx.Response) -> tuple[bytes, dict[str, str]]:
        """Keep in mind what was done; return the answer as S3 would give it."""
        fields = dict(head.pairs())
        upload, content = fields.get("uploadId"), answer.content
        headers = {name: value for name, value in answer.headers.items() if name not in _HOP_BY_HOP}
        path = head.path
        if answer.is_success and "uploads" in fields:
            content = self._of_uploads(head, content)
        elif answer.is_success and upload is not None:
            if head.method == "PUT":
                digest = head.header("x-amz-checksum-sha256") or ""
                self._part_digests[upload, int(fields["partNumber"])] = digest
            elif head.method == "GET":
                content = self._with_digests(upload, content)
            elif head.method == "POST":
                digests = [value for (each, _), value in sorted(self._part_digests.items()) if each == upload]
                joined = hashlib.sha256(b"".join(map(base64.b64decode, digests))).digest()
                del self._uploads[upload]
                self._composite[path] = f"{base64.b64encode(joined).decode()}-{len(digests)}"
            else:
                del self._uploads[upload]
        elif answer.is_success and head.method == "PUT":
            self._composite.pop(path, None)
        elif head.method == "HEAD" and path in self._composite and "x-amz-checksum-sha256" in headers:
            headers |= {"x-amz-checksum-sha256": self._composite[path], "x-amz-checksum-type": "COMPOSITE"}
        if head.method == "HEAD":
            headers["Content-Length"] = answer.headers.get("content-length", "0")
            content = b""
        return content, headers

    def _of_uploads(self, head: Head, content: bytes) -> bytes:
        """Note an upload that begins; return a list of uploads that tells when each did."""
        if head.method == "POST":
            begun = re.search(rb"<UploadId>([^<]+)</UploadId>", content)
            assert begun is not None
            self._uploads[begun[1].decode()] = (head.path, datetime.now(UTC))
            return content

        def told(upload: re.Match[bytes]) -> bytes:
            found = re.search(rb"<UploadId>([^<]+)</UploadId>", upload[0])
            assert found is not None
            _, at = self._uploads[found[1].decode()]
            return re.sub(rb"<Initiated>[^<]*<", f"<Initiated>{at:%Y-%m-%dT%H:%M:%S.000Z}<".encode(), upload[0])

        return re.sub(rb"<Upload>.*?</Upload>", told, content, flags=re.DOTALL)

    def _with_digests(self, upload: str, content: bytes) -> bytes:
        """Return a list of parts that tells their digests."""

        def told(number: re.Match[bytes]) -> bytes:
            digest = self._part_digests.get((upload, int(number[1])), "")
            return number[0] + f"<ChecksumSHA256>{digest}</ChecksumSHA256>".encode()

        return re.sub(rb"<PartNumber>(\d+)</PartNumber>", told, content)


def _parsed(raw: bytes) -> Head:
    first, *lines = raw.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    path, _, query = target.partition("?")
    split = (line.partition(":") for line in lines if line)
    return Head(method, path, query, [(name.strip().lower(), value.strip()) for name, _, value in split])


def _length(head: Head) -> int:
    if head.header("transfer-encoding"):
        raise Refused(501, "NotImplemented", "a header implies what is not implemented")
    length = head.header("content-length")
    if length is None and head.method in ("PUT", "POST"):
        raise Refused(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
    return int(length or 0)


def _check_body(head: Head, body: bytes, payload: str) -> None:
    if payload != UNSIGNED and payload != hashlib.sha256(body).hexdigest():
        raise Refused(400, "XAmzContentSHA256Mismatch", "the body is not the one that was signed")
    for name, compute in _CHECKSUMS.items():
        told = head.header(name)
        if told is not None and told != base64.b64encode(compute(body)).decode():
            raise Refused(400, "BadDigest", f"the body does not have this {name}")
    md5 = head.header("content-md5")
    if md5 is not None and md5 != base64.b64encode(hashlib.md5(body).digest()).decode():
        raise Refused(400, "BadDigest", "the body does not have this Content-MD5")


def _error(refused: Refused) -> bytes:
    return _ERROR.format(refused.code, escape(refused.message)).encode()


async def _answer(
    writer: asyncio.StreamWriter, status: int, content: bytes, headers: dict[str, str] | None = None
) -> None:
    told = {"Content-Length": str(len(content)), **(headers or {})}
    lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
    writer.write(f"HTTP/1.1 {status} Answer\r\n{lines}\r\n".encode() + content)
    await writer.drain()


@contextlib.contextmanager
def _moto() -> Iterator[str]:
    """Moto's server as a process of its own, since it changes the libraries of the process that imports it."""
    with subprocess.Popen(
        [sys.executable, "-c", _MOTO],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.stdin.close()  # at which it ends by itself
            process.wait(READY_SECONDS)


@contextlib.contextmanager
def running_s3_front() -> Iterator[S3Front]:
    """A front with an empty bucket behind it, in a thread of this process."""
    front = S3Front(Account("LOCKLEAFTESTS", "not/a+secret" * 3, "eu-central-1"))
    with _moto() as behind:
        httpx.put(f"{behind}/{BUCKET}", content=_LOCATION.encode()).raise_for_status()
        ready = threading.Event()
        loop = asyncio.new_event_loop()
        stop = asyncio.Event()

        async def main() -> None:
            async with httpx.AsyncClient(base_url=behind, timeout=READY_SECONDS, trust_env=False) as client:
                serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
                serve = _Service(front, client).serve
                server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=READ_AHEAD)
                front.port = server.sockets[0].getsockname()[1]
                ready.set()
                await stop.wait()
                server.close()
                for task in asyncio.all_tasks() - {asyncio.current_task()}:
                    task.cancel()

        thread = threading.Thread(target=lambda: loop.run_until_complete(main()), name="s3-front")
        thread.start()
        try:
            assert ready.wait(READY_SECONDS)
            yield front
        finally:
            loop.call_soon_threadsafe(stop.set)
            thread.join()
            loop.close()


_LOCATION = (
    '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<LocationConstraint>eu-central-1</LocationConstraint></CreateBucketConfiguration>"
)
