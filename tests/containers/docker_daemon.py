"""A docker daemon: somebody's that answers, else one of our own, which ends with us.

Ours is Debian's, installed here if there is none. It lives in a folder of its own and changes
nothing outside: no rule of the firewall, no route, no bridge but those of the networks that are
made, and these are taken away at the end.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

LABEL: Final = "penstock-tests"
"""Of all that is made here: images, containers, networks."""

START: Final = 60
"""Seconds that a daemon may take to answer."""

FLAGS: Final = (
    "--bridge=none", "--iptables=false", "--ip6tables=false", "--ip-forward=false",
    "--ip-masq=false", "--userland-proxy=false",
)  # fmt: skip


class NoContainers(Exception):
    """This machine can run no containers. The message says why, in a line or two."""


def docker(*words: str, seconds: float = 60) -> str:
    """What docker's own client says. Raises `CalledProcessError` with what it complains of."""
    return subprocess.run(
        ["docker", *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True,
        timeout=seconds,
    ).stdout.strip()  # fmt: skip


@contextmanager
def answering(cache: Path) -> Iterator[None]:
    """A daemon for as long as this lasts; `docker` finds it. Raises `NoContainers`."""
    if is_there():
        with swept():
            yield
        return
    install(["dockerd", "docker"], ["docker.io"])
    with started(cache / "docker"), swept():
        yield


def is_there() -> bool:
    """Whether some daemon answers."""
    try:
        docker("version", "--format", "{{.Server.Version}}")
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def install(programs: Sequence[str], packages: Sequence[str]) -> None:
    """Have apt install the packages, unless the programs are there. Raises `NoContainers`."""
    missing = [program for program in programs if not shutil.which(program)]
    if not missing:
        return
    names = " ".join(packages)
    if os.geteuid() or not shutil.which("apt-get"):
        raise NoContainers(f"there is no {' and no '.join(missing)}: apt-get install {names}")
    print(f"penstock: installing {names}...", flush=True)
    apt("update", "-qq")
    if said := apt("install", "-qq", "-y", "--no-install-recommends", *packages):
        raise NoContainers(f"apt-get could not install {names}:\n{said}")


def apt(*words: str) -> str:
    """What it complains of if it fails."""
    done = subprocess.run(
        ["apt-get", *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=600,
        stderr=subprocess.STDOUT, text=True, check=False,
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
    )  # fmt: skip
    return done.stdout.strip() or "it says nothing" if done.returncode else ""


@contextmanager
def started(folder: Path) -> Iterator[None]:
    """One of our own, with its images in this folder."""
    if os.geteuid():
        raise NoContainers("no docker daemon answers, and only root can start one.")
    pid = folder.with_name(f"{folder.name}-pid")
    wait_for_end(pid)
    place = short_of(folder)
    before = os.environ.get("DOCKER_HOST")
    os.environ["DOCKER_HOST"] = f"unix://{place}/socket"
    print("penstock: starting a docker daemon...", flush=True)
    with (place / "said").open("wb") as said:
        process = subprocess.Popen(
            [
                *mortal(), "dockerd", f"--data-root={folder}", f"--exec-root={place}/exec",
                f"--pidfile={pid}", f"--host={os.environ['DOCKER_HOST']}", *FLAGS,
            ],
            stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
        )  # fmt: skip
    try:
        wait_for(process, place / "said")
        yield
    finally:
        stop(process)
        remove(place)
        os.environ.pop("DOCKER_HOST")
        if before is not None:
            os.environ["DOCKER_HOST"] = before


def short_of(folder: Path) -> Path:
    """A folder for the daemon's socket, whose path has to be short; that of one which was killed
    is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    named = folder.with_name(f"{folder.name}-place")
    if named.exists():
        remove(Path(named.read_text()))
    place = tempfile.mkdtemp(prefix="penstock-docker-")
    named.write_text(place)
    return Path(place)


def remove(place: Path) -> None:
    """With what the daemon has left mounted there."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        if (where := line.split()[1]).startswith(f"{place}/"):
            subprocess.run(["umount", "--lazy", where], check=False, timeout=30)
    shutil.rmtree(place, ignore_errors=True)


def mortal() -> Sequence[str]:
    """It ends with us even if we are killed, where that can be said."""
    return ("setpriv", "--pdeathsig", "TERM") if shutil.which("setpriv") else ()


def wait_for(process: subprocess.Popen[bytes], said: Path) -> None:
    """Until it answers. Raises `NoContainers` with its last words."""
    deadline = time.monotonic() + START
    while process.poll() is None and time.monotonic() < deadline:
        if is_there():
            return
        time.sleep(0.2)
    last = "\n".join(said.read_text("utf-8", "replace").splitlines()[-3:])
    raise NoContainers(f"dockerd has not started:\n{last}")


def wait_for_end(pid: Path) -> None:
    """Of one whose owner was killed: two in one folder would spoil it. The second would refuse."""
    deadline = time.monotonic() + START
    while pid.exists() and Path(f"/proc/{pid.read_text().strip()}").exists():
        if time.monotonic() > deadline:
            return
        time.sleep(0.1)


@contextmanager
def swept() -> Iterator[None]:
    """Before and after this nothing of ours is there but images; not of one that was killed."""
    sweep()
    try:
        yield
    finally:
        sweep()


def sweep() -> None:
    with_label = ("--quiet", "--filter", f"label={LABEL}")
    if found := docker("ps", "--all", *with_label).split():
        docker("rm", "--force", *found)
    if found := docker("network", "ls", *with_label).split():
        docker("network", "rm", *found)


def stop(process: subprocess.Popen[bytes]) -> None:
    """With its containers."""
    process.terminate()
    try:
        process.wait(30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
