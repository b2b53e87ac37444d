"""A store with two finished runs in it, its owner, and a canary that sings when code was run."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from samples_of_formats import Parcel, Point, Settings, seen

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.artifacts.objects import object_key
from penstock.artifacts.trust import Key, Keyring
from penstock.artifacts.values import Code, Values
from penstock.cli.main import main
from penstock.digest import of_buffers
from penstock.errors import PenstockError
from penstock.model.component import Secret
from penstock.runtime import report
from penstock.runtime.run import Run
from penstock.testing import MemoryArtifactStore

Record = dict[str, Any]

OURS, THEIRS = Key.of("ours"), Key.of("theirs")


class Canary:
    """Sings when it is unpickled: a file appears."""

    def __init__(self, song: str) -> None:
        self.song = song

    def __reduce__(self) -> Any:
        return os.mkdir, (self.song,)


def pickled(song: Path, *rest: object, format: str = "pickle/1") -> bytes:
    """A pickle that sings, as the store would have it."""
    value: list[Any] = [Canary(str(song)), *rest]
    if format == "cloudpickle/1":
        value.append(lambda: 0)
    saved = Values(MemoryArtifactStore(path="memory"), lambda names: Code())
    artifact = saved.save(value, object, "The canary")
    assert artifact.format == format
    return bytes(saved.buffer(artifact, "The canary"))


@step
def numbers() -> list[int]:
    return [1, 2, 3]


@step
def model(numbers: list[int]) -> object:
    return Parcel(numbers)


@step
def forest(numbers: list[int]) -> object:
    return Parcel([np.arange(140_000), list(range(3000)), numbers])


@step
def raw(song: str) -> bytes:
    """Harmless as long as they are bytes."""
    return pickled(Path(song))


@step
def grid() -> np.ndarray[Any, Any]:
    return np.arange(6.0).reshape(2, 3)


@step
def tree() -> Path:
    folder = Path(os.environ["HOME"], "tree")
    for name in ("a", "b/c", "b/d"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


@step
def point() -> Point:
    return Point("a", [1])


@step
def settings() -> Settings:
    return Settings(label="a", numbers=[1])


@step
def told() -> str:
    print("<b>not bold</b>")
    return "told"


@step
def last(numbers: list[int], model: Parcel, forest: Parcel) -> int:
    return sum(numbers) + sum(model.content) + len(forest.content)


@pipeline(progress=False)
def work(song: str) -> Any:
    n = numbers()
    m, f = model(n), forest(n)
    return last(n, m, f), m, raw(song), grid(), tree(), point(), settings(), told()


@step
def look(thing: object) -> str:
    return repr(seen(thing))


@pipeline(progress=False)
def visit(thing: object) -> str:
    return look(thing)


class Scene:
    """One store, as its owner left it and somebody else may change it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.song = folder / "song"
        self.store = LocalArtifactStore(path=str(folder / "store"), signing_key=Secret("ours"))
        self.older = self.id = ""

    def played(self) -> Scene:
        """With two runs in it."""
        on = work.on(self.stack())
        self.older = on.with_options(cache=False).run(str(self.song)).id
        self.id = on.run(str(self.song)).id
        self.whole = {
            view.id: seen(view.output.load()) for view in Client(self.stack()).run(self.id)
        }
        return self

    def copied(self, folder: Path) -> Scene:
        """The same in another place, with the same canary."""
        copy = Scene(folder)
        shutil.copytree(self.store.path, copy.store.path)
        copy.song, copy.older, copy.id, copy.whole = self.song, self.older, self.id, self.whole
        copy.song.rmdir() if copy.song.exists() else None
        return copy

    @property
    def sings(self) -> bool:
        return self.song.exists()

    def stack(self, **options: Any) -> Stack:
        store = replace(self.store, **options)
        return Stack("scene", orchestrator=LocalOrchestrator(), artifact_store=store)

    def client(self, **options: Any) -> Client:
        return Client(self.stack(**options))

    def seen(self, **options: Any) -> Run[Any]:
        """The run, as another process sees it."""
        return self.client(**options).run(self.id)

    # What somebody needs who changes things.

    def file(self, *names: str) -> Path:
        return Path(self.store.path, *names)

    def run(self, name: str = "run.json") -> Path:
        return self.file("runs", self.id, name)

    def record(self, call: str, run: str = "") -> Path:
        return self.file("runs", run or self.id, "steps", f"{call}.json")

    def entry(self, call: str) -> Path:
        key = told_in(self.record(call))["key"]
        return self.file("cache", key[:2], key)

    def object(self, call: str) -> Path:
        [output] = told_in(self.record(call))["outputs"].values()
        return self.file(object_key(output["digest"]))

    def planted(self, data: bytes) -> str:
        """The digest of an object that somebody has put there."""
        digest = of_buffers([data])
        write(self.file(object_key(digest)), data)
        return digest


def told_in(file: Path) -> Record:
    """The first line of a record."""
    found: Record = json.loads(file.read_bytes().split(b"\n")[0])
    return found


def write(file: Path, data: bytes) -> None:
    """Write a file anew: a record and its cache entry may be one file with two names."""
    file.unlink(missing_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data)


def lines_of(file: Path) -> tuple[list[bytes], bytes]:
    """The lines of a record, and the one with its signature."""
    *lines, signature, _ = file.read_bytes().split(b"\n")
    return lines, signature


def edit(file: Path, signed: Key | None = None, **changes: Any) -> None:
    """Change a record under its old signature, or sign it with a key of one's own."""
    lines, signature = lines_of(file)
    lines[0] = json.dumps({**json.loads(lines[0]), **changes}).encode()
    text = b"\n".join(lines)
    write(file, Keyring(signed, {}).sign(text) if signed else b"%b\n%b\n" % (text, signature))


def described(data: bytes, format: str) -> Record:
    """How a record describes an output whose bytes lie in it."""
    import base64

    inline = base64.b64encode(data).decode()
    return {"output": {"format": format, "digest": of_buffers([data]), "size": len(data),
                       "base64": inline}}  # fmt: skip


def acts(scene: Scene, call: str, folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """What the owner does all day, with one output in particular. Each may be refused, and none
    may harm."""
    client = scene.client()

    def outputs() -> list[Any]:
        return list(scene.seen()[call].outputs.values())

    def cli(*words: str) -> Callable[[], object]:
        return lambda: main([*words, "--stack", "scene"])

    yield "load", lambda: [each.load() for each in outputs()]
    yield "preview", lambda: [each.preview() for each in outputs()]
    yield "export", lambda: [each.export(folder / "out") for each in outputs()]
    yield "inputs", lambda: scene.seen().inputs(call)
    yield "runs", lambda: [(repr(run), run.duration, run.reason) for run in client.runs()]
    yield "artifacts", lambda: [repr(each) for each in client.artifacts()]
    yield "steps", lambda: [(view.status, view.logs()) for view in scene.seen()]
    yield "edges", lambda: list(scene.seen().edges())
    yield "result", lambda: scene.seen().result()
    yield "failures", lambda: scene.seen().failures
    yield "wait", lambda: scene.seen().wait(timeout=0)
    yield "report", lambda: report.write(scene.seen(), folder / "report.html")
    yield "list", cli("run", "list")
    yield "show", cli("run", "show", scene.id)
    yield "show --json", cli("run", "show", scene.id, "--json")
    yield "logs", cli("run", "logs", scene.id)
    yield "list artifacts", cli("artifact", "list")
    yield "visit", lambda: visit.on(scene.stack()).run(scene.seen()[call].output).result()


def all_day(scene: Scene, call: str, folder: Path) -> None:
    """Let the owner do everything. Other errors than ours get through."""
    Client().register(scene.stack())
    for name, act in acts(scene, call, folder):
        try:
            act()
        except PenstockError:
            continue
        except BaseException as error:
            error.add_note(f"while the owner does {name!r}")
            raise
