"""A Dockerfile's steps run as they stand, where there is no container engine.

Each stage is a layer over this machine's own files (overlayfs): a step sees the machine with what the steps before it
wrote, at the places that the Dockerfile names, and what it writes lies in a folder of the layer. The machine's Python
stands where the base images have theirs, in ``/usr/local``. So everything of an image is tried but its base.
"""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.support.dockerfile import Stage, Step

__all__ = ["Container", "Image", "build", "reason_not_to_build"]

START_SECONDS = 60


@dataclass(frozen=True)
class Image:
    """What a stage became.

    Attributes:
        stage: what it was made from.
        layer: the folder with everything that its steps wrote.
        work: the folder that overlayfs needs beside it.
        mount: where the layer is mounted, in mount namespaces of their own.
    """

    stage: Stage
    layer: Path
    work: Path
    mount: Path

    @property
    def mebibytes(self) -> float:
        """How large the layer is."""
        files = [path.lstat() for path in self.layer.rglob("*")]
        return sum(file.st_blocks * 512 for file in files) / 2**20

    def mounting(self, *, read_only: bool = False) -> list[str]:
        """The commands that mount it."""
        layers = f"lowerdir=/,upperdir={self.layer},workdir={self.work}"
        commands = [f"mount -t overlay overlay -o {layers}{',ro' if read_only else ''} {self.mount}"]
        if sys.base_prefix != "/usr":
            commands.append(f"mount --bind {shlex.quote(sys.base_prefix)} {self.mount}/usr/local")
            commands.append(f"mount -o remount,bind,ro {self.mount}/usr/local")
        return [*commands, f"mount --rbind /dev {self.mount}/dev"]


def reason_not_to_build(folder: Path) -> str | None:
    """Return why the steps cannot be run on this machine; None if they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "running a Dockerfile's steps needs Linux and root, for overlayfs and chroot"
    if missing := [name for name in ("unshare", "setpriv", "chroot", "strip", "useradd") if not shutil.which(name)]:
        return f"running a Dockerfile's steps needs programs that are not here: {', '.join(missing)}"
    tried = _image(Stage("", ""), folder)
    done = _namespace([*tried.mounting(), f"chroot {tried.mount} true"])
    return f"this machine mounts no overlay: {done.stderr.strip()}" if done.returncode else None


def build(stages: list[Stage], context: Path, folder: Path, wheels: Path) -> Image:
    """Run the steps of all stages; return what the last one became.

    Args:
        stages: of the Dockerfile.
        context: what is copied from.
        folder: where the layers are made.
        wheels: what pip installs from, in place of an index: the builder's cache.

    Raises:
        RuntimeError: a step failed.
    """
    built: dict[str, Image] = {}
    for number, stage in enumerate(stages):
        image = _image(stage, folder / str(number))
        environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
        where = "/"
        _prepare(image)
        for step in stage.steps:
            if step.name == "ENV":
                environment |= step.pairs
            elif step.name == "WORKDIR":
                where = step.text
                _in_layer(image, where).mkdir(parents=True, exist_ok=True)
            elif step.name == "COPY":
                source = built[step.flags["from"]].layer if "from" in step.flags else context
                _copy(step, source, image, where)
            elif step.name == "RUN":
                _run(step, image, environment, where, wheels)
        built[stage.name or str(number)] = image
    return image


def _image(stage: Stage, folder: Path) -> Image:
    image = Image(stage, folder / "layer", folder / "work", folder / "mount")
    for each in (image.layer, image.work, image.mount):
        each.mkdir(parents=True)
        each.chmod(0o755)
    return image


def _prepare(image: Image) -> None:
    """Let programs find the libraries of the Python that stands in another place now, as the base images have it."""
    done = _namespace([*image.mounting(), f"chroot {image.mount} ldconfig"])
    if done.returncode:
        raise RuntimeError(f"the base could not be laid: {done.stderr}")


def _in_layer(image: Image, path: str) -> Path:
    return image.layer / path.lstrip("/")


def _copy(step: Step, source: Path, image: Image, where: str) -> None:
    *what, target = step.words
    place = _in_layer(image, str(Path(where) / target))
    for each in what:
        found = source / each.lstrip("/")
        # As a builder does: what is in a folder goes into the target, a file into a target that ends with a slash.
        into = place / found.name if found.is_file() and (target.endswith("/") or len(what) > 1) else place
        into.parent.mkdir(parents=True, exist_ok=True)
        # A stage that is copied from is finished: its files can be those of the other as well.
        linked = ["--link"] if "from" in step.flags else []
        copied = subprocess.run(
            ["cp", "-a", *linked, *(["-T"] if found.is_dir() else []), str(found), str(into)],
            check=False,
            capture_output=True,
            text=True,
        )
        if copied.returncode:
            raise RuntimeError(f"COPY {step.text}: {copied.stderr}")


def _run(step: Step, image: Image, environment: Mapping[str, str], where: str, wheels: Path) -> None:
    # Where its packages come from is the builder's affair, as it is a container engine's.
    outside = {"PIP_NO_INDEX": "1"}
    cached = []
    if kept := dict(part.partition("=")[::2] for part in step.flags.get("mount", "").split(",")).get("target"):
        outside["PIP_FIND_LINKS"] = kept
        cached = [f"mkdir -p {image.mount}{kept}", f"mount --bind {shlex.quote(str(wheels))} {image.mount}{kept}"]
    command = ["env", "-i", *(f"{name}={value}" for name, value in {**outside, **environment}.items())]
    inside = f"cd {where} && {step.text}"
    chroot = shlex.join(["chroot", str(image.mount), *command, "/bin/sh", "-c", inside])
    done = _namespace([*image.mounting(), *cached, f"mount -t proc proc {image.mount}/proc", chroot])
    if done.returncode:
        raise RuntimeError(f"RUN {step.text}: {done.stdout[-2000:]}{done.stderr[-2000:]}")


def _namespace(commands: list[str]) -> subprocess.CompletedProcess[str]:
    script = "set -e\n" + "\n".join(commands)
    return subprocess.run(["unshare", "--mount", "sh", "-c", script], check=False, capture_output=True, text=True)


class Container:
    """A process in an image, as an engine would run it: a read-only root, no capability, the first of its processes.

    Args:
        image: what to run.
        volumes: folders of the machine, by where they are mounted.
        entrypoint: in place of the image's ENTRYPOINT.
        arguments: in place of the image's CMD.
        environment: beside that of the image.
    """

    def __init__(
        self,
        image: Image,
        *,
        volumes: Mapping[str, Path],
        entrypoint: list[str] | None = None,
        arguments: list[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        stage = image.stage
        self.image = image
        self._environment = {"HOME": "/", **stage.environment(), **(environment or {})}
        self._user = stage.last("USER").text.split(":")
        command = stage.last("ENTRYPOINT").words if entrypoint is None else entrypoint
        command = command + (stage.last("CMD").words if arguments is None else arguments)
        script = [
            "set -e",
            *image.mounting(read_only=True),
            f"mount -t tmpfs -o mode=1777 tmpfs {image.mount}/tmp",
            *(f"mount --bind {folder} {image.mount}{place}" for place, folder in volumes.items()),
            f"mount -t proc proc {image.mount}/proc",
            f"exec {self._inside(command, stage.last('WORKDIR').text)}",
        ]
        self.process = subprocess.Popen(
            ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", "\n".join(script)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._said = ""
        self._more = threading.Condition()
        self._ended = False
        self._reading = threading.Thread(target=self._read, name="container")
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout:
            for line in self.process.stdout:
                with self._more:
                    self._said += line
                    self._more.notify_all()
        with self._more:
            self._ended = True
            self._more.notify_all()

    @property
    def said(self) -> str:
        """What it wrote until now."""
        with self._more:
            return self._said

    def until_it_says(self, text: str, seconds: float) -> None:
        """Wait until a text is in what it wrote.

        Raises:
            RuntimeError: it ended without, or the time is over.
        """
        with self._more:
            if not self._more.wait_for(lambda: text in self._said or self._ended, seconds) or text not in self._said:
                raise RuntimeError(f"the container never said {text!r}: {self._said}")

    def wait(self, seconds: float = START_SECONDS) -> int:
        """Wait until it has ended, and return how."""
        code = self.process.wait(seconds)
        self._reading.join(seconds)
        return code

    def _inside(self, command: list[str], where: str) -> str:
        user, group = self._user
        return shlex.join(
            [
                *("chroot", str(self.image.mount)),
                *("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups", "--no-new-privs"),
                *("--bounding-set=-all", "--inh-caps=-all", "--"),
                *("env", "-i", *(f"{name}={value}" for name, value in self._environment.items())),
                *("sh", "-c", f'cd {where} && exec "$@"', "sh", *command),
            ]
        )

    @property
    def first(self) -> psutil.Process:
        """The process that has the number 1 inside.

        Raises:
            RuntimeError: it ended.
        """
        while self.process.poll() is None:
            if children := psutil.Process(self.process.pid).children():
                return children[0]
        raise RuntimeError(f"the container ended: {self.said}")

    def execute(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a command beside the first process, as a health check is."""
        entered = ["nsenter", "--target", str(self.first.pid), "--mount", "--pid", "sh", "-c"]
        return subprocess.run([*entered, self._inside(command, "/")], check=False, capture_output=True, text=True)

    def stop(self) -> int:
        """Send the first process what stops it, and return how it ended."""
        if self.process.poll() is None:
            self.first.send_signal(signal.Signals[self.image.stage.last("STOPSIGNAL").text])
        return self.wait()

    def kill(self) -> None:
        """End everything inside at once."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()
