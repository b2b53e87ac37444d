"""Images for steps, made of Debian's packages and PyPI's wheels. Each is made once.

An image has three layers: Debian with its Python, libraries, penstock as it lies in this checkout.
The name of each says in a digest what it was made of, and one that is there is taken as it is.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from docker_daemon import LABEL, NoContainers, docker, install
from versions_here import pins

ROOT: Final = Path(__file__).resolve().parents[2]
SUITES: Final = {"3.11": "bookworm", "3.13": "trixie"}
"""Each of Debian's releases has one Python."""

STEPS: Final = ("penstock[s3]", "scikit-learn", "matplotlib")
"""What the image of the steps has, in the versions of this machine: equal bytes and equal keys of
the cache come from equal versions."""

LAYER: Final = """\
FROM {parent}
COPY site {site}
RUN python3 -m compileall -q {site} || true
RUN ln -sf /usr/bin/python3 /usr/local/bin/python
ENV OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
"""
"""Compiled here, as no pod can write there. Some library has files that no Python 3 compiles."""

TIME: Final = 900
"""Seconds that one act may take."""


class NotMade(Exception):
    """What was to be made is not; the message says why."""


def made(cache: Path) -> Mapping[str, str]:
    """The names of two images, `same` with the minor version of this Python and `other` with
    another one. What they have replaced is deleted. Raises `NoContainers` where Debian has no such
    Python or cannot be made, and `NotMade`."""
    own = ".".join(platform.python_version_tuple()[:2])
    if own not in SUITES:
        raise NoContainers(f"Debian has no Python {own}; it has {' and '.join(SUITES)}.")
    other = next(python for python in SUITES if python != own)
    images = [Image(own, STEPS), Image(other, STEPS[:1])]
    if not all(is_made(image.layers[0]) for image in images):
        install(["debootstrap"], ["debootstrap"])
    with ThreadPoolExecutor(len(images)) as side_by_side:
        list(side_by_side.map(lambda image: image.make(cache), images))
    forget({name for image in images for name in image.layers})
    return {"same": images[0].layers[-1], "other": images[1].layers[-1]}


@dataclass(frozen=True)
class Image:
    """One with this Python, and with what is wanted."""

    python: str
    wanted: Sequence[str]

    @cached_property
    def layers(self) -> Sequence[str]:
        """The names of the three, each made from the one before it."""
        base = self._named("debian", platform.machine())
        libraries = self._named("libraries", base, LAYER, *pins(self.wanted, "penstock"))
        return base, libraries, self._named("penstock", libraries, source())

    def make(self, cache: Path) -> None:
        """Those that are missing."""
        base, libraries, own = self.layers
        with tempfile.TemporaryDirectory(prefix="image-", dir=cache) as folder:
            place = Path(folder)
            if not is_made(base):
                say(f"making Debian {SUITES[self.python]} with Python {self.python}")
                bootstrap(SUITES[self.python], place / "root", base)
            if not is_made(libraries):
                say(f"installing libraries for Python {self.python}")
                fetch(self.python, pins(self.wanted, "penstock"), place / "libraries/site")
                self._build(base, place / "libraries", libraries)
            if not is_made(own):
                unpack_penstock(place, place / "own/site")
                self._build(libraries, place / "own", own)

    def _named(self, layer: str, *made_of: str) -> str:
        digest = hashlib.sha256("\0".join(made_of).encode()).hexdigest()[:12]
        return f"{LABEL}:{SUITES[self.python]}-{layer}-{digest}"

    def _build(self, parent: str, context: Path, name: str) -> None:
        """Nothing is fetched."""
        site = f"/usr/local/lib/python{self.python}/dist-packages"
        (context / "Dockerfile").write_text(LAYER.format(parent=parent, site=site))
        docker(
            "build", "--network=none", "--label", LABEL, "--tag", name, str(context), seconds=TIME
        )


def is_made(name: str) -> bool:
    return bool(docker("images", "--quiet", name))


def bootstrap(suite: str, root: Path, name: str) -> None:
    """Debian, as small as it gets, and its Python."""
    command = ["debootstrap", "--variant=minbase", "--include=python3", suite, str(root)]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False, timeout=TIME,
    )  # fmt: skip
    if done.returncode:
        raise NotMade("debootstrap has failed:\n" + "\n".join(done.stdout.splitlines()[-5:]))
    left_out = ("--exclude=./var/cache/apt", "--exclude=./var/lib/apt/lists")
    with subprocess.Popen(["tar", "-C", root, *left_out, "-c", "."], stdout=subprocess.PIPE) as tar:
        subprocess.run(
            ["docker", "import", "--change", f"LABEL {LABEL}=", "-", name],
            stdin=tar.stdout, stdout=subprocess.DEVNULL, check=True, timeout=TIME,
        )  # fmt: skip
    if tar.returncode:
        raise NotMade("tar could not pack what debootstrap has made; see above.")


def fetch(python: str, pinned: Sequence[str], site: Path) -> None:
    """Wheels for that Python, whichever this one is."""
    machine = platform.machine()
    tags = [f"manylinux_2_{minor}_{machine}" for minor in range(36, 4, -1)]
    platforms = [f"--platform={tag}" for tag in (*tags, f"manylinux2014_{machine}")]
    pip(
        "install", "--no-deps", "--only-binary=:all:", f"--python-version={python}", *platforms,
        f"--target={site}", *pinned,
    )  # fmt: skip


def unpack_penstock(place: Path, site: Path) -> None:
    """This checkout's, as a wheel of it is installed."""
    pip("wheel", "--no-deps", "--no-build-isolation", f"--wheel-dir={place}", str(ROOT))
    (wheel,) = place.glob("*.whl")
    shutil.unpack_archive(wheel, site, "zip")


def pip(command: str, *words: str) -> None:
    said = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input", command]
    if subprocess.run([*said, "-qq", *words], check=False, timeout=TIME).returncode:
        raise NotMade(f"pip {command} has failed; the reason is above.")


def source() -> str:
    """Changes whenever penstock's own files do."""
    state = hashlib.sha256((ROOT / "pyproject.toml").read_bytes())
    for folder in ("sdk", "integrations"):
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                data = file.read_bytes()
                state.update(f"{file.relative_to(ROOT)}\0{len(data)}\0".encode() + data)
    return state.hexdigest()


def forget(kept: Collection[str]) -> None:
    """Delete the images that others have taken the place of."""
    found = docker("images", "--format", "{{.Repository}}:{{.Tag}}", LABEL).split()
    if old := sorted(set(found) - set(kept), reverse=True):
        subprocess.run(["docker", "rmi", *old], capture_output=True, check=False, timeout=TIME)


def say(text: str) -> None:
    print(f"penstock: {text} (about a minute, once)...", flush=True)
