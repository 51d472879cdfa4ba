"""The image: the Dockerfile's steps, run as they stand, make something that serves under the rules of a container."""

from __future__ import annotations

import hashlib
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import lockleaf
from tests.support.accounts import register
from tests.support.dockerfile import Stage, context_files, copy_context, parse
from tests.support.image_builds import Container, Image, build, reason_not_to_build

pytestmark = pytest.mark.timeout(900)

ROOT = Path(__file__).parents[2]
DATA = "/var/lib/lockleaf"
MOST_MEBIBYTES = 300
START_SECONDS = 120


@pytest.fixture(scope="module")
def stages() -> list[Stage]:
    return parse((ROOT / "deploy" / "Dockerfile").read_text())


@pytest.fixture(scope="module")
def wheels(request: pytest.FixtureRequest) -> Path:
    """What the lock names, as it was fetched: kept from run to run, since pip looks long for it in an index."""
    assert request.config.cache is not None
    lock = ROOT / "requirements" / "run.txt"
    folder = request.config.cache.mkdir("wheels") / hashlib.sha256(lock.read_bytes()).hexdigest()
    if not folder.exists():
        shutil.rmtree(folder.parent)
        fetched = folder.with_suffix(".part")
        pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
        named = ["--no-deps", "--only-binary", ":all:", "--require-hashes", "--requirement", str(lock)]
        subprocess.run([*pip, "download", "--dest", str(fetched), *named], check=True, capture_output=True)
        fetched.rename(folder)
    return folder


@pytest.fixture(scope="module")
def image(
    stages: list[Stage], request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Image]:
    """What the steps make, layer by layer."""
    folder = tmp_path_factory.mktemp("image")
    if reason := reason_not_to_build(folder / "tried"):
        pytest.skip(reason)
    try:
        wheels = request.getfixturevalue("wheels")
        yield build(stages, copy_context(ROOT, folder / "context"), folder / "stages", wheels)
    finally:
        shutil.rmtree(folder / "stages")  # a gigabyte


@pytest.fixture(scope="module")
def data(image: Image, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new volume: as an engine makes it, with the owner and the mode of the image's folder."""
    folder = tmp_path_factory.mktemp("data")
    subprocess.run(["cp", "-aT", str(image.layer / DATA[1:]), str(folder)], check=True)
    return folder


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def container(image: Image, data: Path) -> Iterator[tuple[Container, str]]:
    """The server as the entry point starts it, on its own database; only address and port are others."""
    port = _port()
    # An engine's network is its own; here it is the machine's, so that the server keeps to the loopback.
    theirs = {"0.0.0.0": "127.0.0.1", "8000": str(port)}
    arguments = [theirs.get(word, word) for word in image.stage.last("CMD").words]
    running = Container(image, volumes={DATA: data}, arguments=arguments)
    try:
        yield running, f"http://127.0.0.1:{port}"
    finally:
        running.kill()


def _until_healthy(container: Container, url: str) -> None:
    """Wait until it serves, and check it as an engine does: with the image's own command, at the port it has here."""
    container.until_it_says("Lockleaf runs at", START_SECONDS)
    port = url.rpartition(":")[2]
    command = [word.replace(":8000", f":{port}") for word in container.image.stage.last("HEALTHCHECK").words]
    assert container.execute(command).returncode == 0, container.said


async def test_the_image_serves_with_a_read_only_root_no_capability_and_a_user_of_its_own(
    container: tuple[Container, str],
) -> None:
    running, url = container
    _until_healthy(running, url)
    assert set(running.first.uids()) == {10001}
    status = Path(f"/proc/{running.first.pid}/status").read_text()
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert running.execute(["id", "-un"]).stdout == "lockleaf\n"
    for place in ("/opt/lockleaf/x", "/etc/x", "/x"):
        assert "Read-only file system" in running.execute(["touch", place]).stderr
    async with httpx.AsyncClient(base_url=f"{url}/api/v1", timeout=60) as http:
        owner = await register(http)
        assert (await owner.request("GET", "/auth/me")).status_code == 200
    assert (await _ready(url))["ready"]
    # The first process of its namespace gets only the signals that it asked for: this is one.
    assert running.stop() == 0, running.said


async def _ready(url: str) -> dict[str, bool]:
    async with httpx.AsyncClient(base_url=url, timeout=60) as http:
        told: dict[str, bool] = (await http.get("/ready")).json()
        return told


def test_what_was_written_is_there_when_the_container_is_replaced(
    image: Image, data: Path, container: tuple[Container, str]
) -> None:
    running, url = container
    _until_healthy(running, url)
    assert (data / "postgres" / "PG_VERSION").exists()
    assert (data / "secrets.json").stat().st_uid == 10001
    assert httpx.get(f"{url}/health").json()["version"] == lockleaf.__version__
    assert running.stop() == 0


def test_the_image_holds_what_is_needed_and_nothing_to_build_with(image: Image) -> None:
    bin_folder = image.layer / "opt/lockleaf/bin"
    assert (bin_folder / "lockleaf").exists()
    assert not [name for name in ("pip", "hatchling", "uv", "pytest") if (bin_folder / name).exists()]
    assert {path.name for path in (image.layer / "opt").iterdir()} == {"lockleaf"}
    assert "lockleaf:x:10001:10001:" in (image.layer / "etc/passwd").read_text()
    assert list((image.layer / DATA[1:]).iterdir()) == []
    assert image.mebibytes < MOST_MEBIBYTES, image.mebibytes
    sources = {path.relative_to(ROOT / "src") for path in (ROOT / "src/lockleaf").rglob("*.py")}
    [installed] = image.layer.glob("opt/lockleaf/lib/python3.*/site-packages")
    assert {path for path in sources if not (installed / path).exists()} == set()
    assert len(list((installed / "lockleaf").rglob("*.pyc"))) >= len(sources)


def test_libraries_that_were_made_smaller_still_compute(image: Image, data: Path) -> None:
    program = (
        "import ctypes, io, pathlib, sysconfig\n"
        "import numpy, tenseal, pyrage, PIL.Image, aiobotocore.session, lockleaf.server.main.app\n"
        "assert numpy.allclose(numpy.linalg.inv(numpy.eye(300) * 2), numpy.eye(300) / 2)\n"
        "context = tenseal.context(tenseal.SCHEME_TYPE.CKKS, 8192, coeff_mod_bit_sizes=[60, 40, 60])\n"
        "context.global_scale = 2.0**40\n"
        "summed = tenseal.ckks_vector(context, [1.5, 2.5]) + tenseal.ckks_vector(context, [1.0, 1.0])\n"
        "assert numpy.allclose(summed.decrypt(), [2.5, 3.5], atol=1e-3)\n"
        "PIL.Image.new('RGB', (8, 8)).save(io.BytesIO(), 'WEBP')\n"
        "import botocore.session\n"
        "assert botocore.session.get_session().create_client('s3', region_name='eu-central-1')\n"
        "packages = pathlib.Path(sysconfig.get_path('platlib'))\n"
        "libraries = [path for path in packages.rglob('*.so*') if 'pixeltable' not in str(path)]\n"
        "for path in libraries:\n"
        "    ctypes.CDLL(str(path))\n"
        "print('computed', len(libraries) > 50)\n"
    )
    computing = Container(
        image,
        volumes={DATA: data},
        entrypoint=["/opt/lockleaf/bin/python"],
        arguments=["-c", program],
    )
    assert computing.wait(START_SECONDS) == 0, computing.said
    assert computing.said == "computed True\n"


def test_a_builder_is_sent_what_is_copied_and_no_data_or_secrets(stages: list[Stage]) -> None:
    sent = {str(path.relative_to(ROOT)) for path in context_files(ROOT)}
    copied = [word for stage in stages for step in stage.steps if step.name == "COPY" and "from" not in step.flags
              for word in step.words[:-1]]  # fmt: skip
    assert copied
    for word in copied:
        assert any(name == word or name.startswith(f"{word}/") for name in sent), word
    assert [name for name in sent if not any(name == word or name.startswith(f"{word}/") for word in copied)] == []
    assert [name for name in sent if "__pycache__" in name or name.split("/")[-1].startswith(".env")] == []


def test_both_stages_have_the_same_python_on_the_same_system(stages: list[Stage]) -> None:
    built, kept = stages
    assert built.base.replace("python:3.11-", "python:3.11-slim-") == kept.base
