"""A store in which one record is not what it should be, and a user who does what one does with a
store: `fuzzing.py KINDS COUNT STORE FIRST EVERY`. Prints JSON: how many cases there were, how many
were left out, and what went wrong. Only every so manieth is tried, counted from FIRST.

KINDS are kinds of records with commas between them, or one of "cuts" (of every length, of every
kind) and "places"; COUNT is for each of them. In a process of its own with little memory, because
it may crash, hang, or be told to fill the machine.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from itertools import chain, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from damages import damaged
from forged_records import cuts, forged
from strange_places import INSTEAD, crowded, nothing, replaced

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    Retry,
    Run,
    Stack,
    Status,
    context,
    pipeline,
    step,
)
from penstock.artifacts.objects import object_key
from penstock.artifacts.store import Buffer
from penstock.cli.main import main as command
from penstock.digest import digest
from penstock.errors import OURS, PenstockError
from penstock.model.component import Secret
from penstock.runtime.ledger import Ledger

ROOM = 512 << 20
"""Bytes of address space that it may take to read some kilobytes."""

LONGEST = 30
"""Seconds after which a case hangs."""

SELDOM = 12
"""Of so many cases one is looked at with the command line, too."""


ROWS = bytes(range(256)) * 4200
"""So much that it is not hashed whenever it is read."""


class Parsing(LocalArtifactStore):
    """A store with a defect: it reads the records that pass."""

    flavor: ClassVar[str] = "parsing"

    def get(self, key: str) -> Buffer:
        data = super().get(key)
        if key.startswith(("cache/", "runs/")) and "/logs/" not in key:
            json.loads(bytes(data).split(b"\n")[0])
        return data

    def use(self, key: str) -> Buffer:
        return self.get(key)


class Unmoved(LocalArtifactStore):
    """A store with a defect: for all it says, nothing ever changes."""

    flavor: ClassVar[str] = "unmoved"

    def stamp(self, key: str) -> str | None:
        return key


STORES = {"local": LocalArtifactStore, "parsing": Parsing, "unmoved": Unmoved}


class Parcel:
    """What only a pickle takes."""

    def __init__(self, *content: Any) -> None:
        self.content = content


@step
def number(seed: int) -> int:
    print("a number from", seed)
    return seed + 1


@step
def table(number: int) -> bytes:
    context().log_metadata(rows=number, source="made up")
    return ROWS


@step
def wrapped(number: int, data: bytes) -> object:
    return Parcel(number, data)


@step(retries=Retry(times=1, delay=0))
def shaky(parcel: Parcel) -> list[Any]:
    if context().attempt == 1 and os.environ.get("SHAKY"):
        raise ValueError("once more")
    number, data = parcel.content
    return [number, digest("rows", data)]


@pipeline(progress=False)
def work(seed: int = 1) -> Any:
    first = number(seed)
    data = table(first)
    return shaky(wrapped(first, data)), data


RIGHT = ([2, digest("rows", ROWS)], ROWS)


@dataclass(frozen=True)
class Case:
    """So many spoilt records at once, and what went wrong."""

    count: int
    wrong: list[str]
    left: int = 0
    """How many were left out."""


@dataclass
class Scene:
    """A store with two runs in it, one of them from the cache, and copies of it to be spoilt."""

    place: Path
    kind: type[LocalArtifactStore] = LocalArtifactStore

    def __post_init__(self) -> None:
        self.store = self._store("whole")
        os.environ["SHAKY"] = "yes"
        self.first = work.on(self.stack()).run().id
        del os.environ["SHAKY"]
        self.other = work.on(self.stack()).run(2).id
        self.last = work.on(self.stack()).run().id
        client = Client(self.stack())
        client.tag(client.run(self.first)["table"].output, "best")
        Ledger(self.store).beat(self.last, {"number": 1.0})
        Ledger(self.store).cancel(self.last, "ann", "laptop")
        self.keys = Ledger(self.store).keys
        self.files = sorted(p for p in Path(self.store.path).rglob("*") if p.is_file())

    def _store(self, name: str) -> LocalArtifactStore:
        return self.kind(path=str(self.place / name), signing_key=Secret("ours"))

    def stack(self) -> Stack:
        return Stack("s", orchestrator=LocalOrchestrator(), artifact_store=self.store)

    def renewed(self) -> None:
        """A copy that is as it was; links, because nobody may write into what is there."""
        self.store = self._store("copy")
        shutil.rmtree(self.store.path, ignore_errors=True)
        shutil.copytree(self.place / "whole", self.store.path, copy_function=os.link)

    def file(self, found: Path) -> Path:
        """A file of the whole store, in the copy."""
        return Path(self.store.path, found.relative_to(self.place / "whole"))

    def of_kind(self, kind: str) -> list[Path]:
        """The files of one kind in the whole store."""
        whole = self.place / "whole"
        names = {each: str(each.relative_to(whole)) for each in self.files}
        objects = self._objects()
        return [each for each, name in names.items() if kind == _kind(name, objects)]

    def _objects(self) -> dict[str, str]:
        """The objects that are more than values, by what they are."""
        found = {}
        ledger = Ledger(self._store("whole"))  # the copy is as the last case has left it
        for run in (self.first, self.other, self.last):
            record = ledger.run(run)
            found[object_key(record.plan)] = "plan"
            found[object_key(record.code)] = "code"
        return found


def _kind(name: str, objects: dict[str, str]) -> str:
    """What a file of a store is."""
    top, *rest = name.split("/")
    if top == "runs":
        return rest[1].removesuffix(".json")
    return objects.get(name, "object") if top == "objects" else top.removesuffix(".json")


KINDS = (
    *("store", "run", "steps", "end", "attempts", "logs", "beat", "cancel", "cache", "plan"),
    *("code", "object"),
)


def acts(scene: Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    """What one does with a store that others may have spoilt. Nothing of it writes."""
    client = Client(scene.stack())
    ledger = Ledger(scene.store, make=False)

    def looked_at(run: Run[Any]) -> None:
        _ = repr(run), run.duration, run.status, run.failures, list(run.edges()), run.logs()
        for view in run:
            _ = repr(view), view.status, view.logs()
            _ = [each.preview() for each in view.outputs.values()]

    yield "runs", lambda: [repr(run) for run in client.runs()]
    yield "artifacts", lambda: [repr(each) for each in client.artifacts()]
    for id in (scene.first, scene.last):
        yield f"look at {id}", lambda id=id: looked_at(client.run(id))  # type: ignore[misc]
        yield f"inputs of {id}", lambda id=id: client.run(id).inputs("shaky")  # type: ignore[misc]
        yield f"attempts of {id}", lambda id=id: ledger.attempts(id, "shaky")  # type: ignore[misc]
        yield f"silence of {id}", lambda id=id: ledger.silence(id)  # type: ignore[misc]
        yield f"cancelled {id}", lambda id=id: ledger.cancelled(id)  # type: ignore[misc]
    yield "why", lambda: [client.run(id).why() for id in (scene.first, scene.other, scene.last)]
    yield "diff", lambda: client.run(scene.first).diff(client.run(scene.other))
    yield "tags", lambda: [repr(each) for each in client.tagged()]
    yield "best", lambda: client.artifact("work/table", "best").load()
    yield "clean", lambda: client.gc(grace=timedelta(0))
    yield "result", lambda: same(client.run(scene.last).result())
    yield (
        "resume",
        lambda: same(work.on(scene.stack()).with_options(resume=scene.first).run().result()),
    )


COMMANDS = (
    *("run list", "run show last", "run show FIRST", "run show last --json", "run logs FIRST"),
    *("run why last", "run why OTHER --json", "run diff FIRST OTHER", "artifact list --tag best"),
    *("artifact list", "gc", "run pin FIRST", "gc --delete --grace 0s --keep-runs 1"),
)


def same(result: Any) -> None:
    if tuple(result) != RIGHT:
        raise AssertionError(f"a wrong value: {str(result)[:200]}")


def commanded(scene: Scene) -> Iterator[tuple[str, Callable[[], object]]]:
    """The same on the command line."""
    for line in COMMANDS:
        words = line.replace("FIRST", scene.first).replace("OTHER", scene.other).split()
        yield line, lambda words=words: typed([*words, "--stack", "s"])  # type: ignore[misc]


def typed(words: list[str]) -> None:
    """What says one message if anything; a traceback through our own code is none."""
    said = StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        code = command(words)
    if f'File "{OURS}' in said.getvalue() or code not in (0, 1, 4, 5):
        raise AssertionError(f"{code}: {said.getvalue()[-600:]}")


def wrong(
    scene: Scene, about: str, number: int, *, must_run: bool = True, is_whole: bool = False
) -> Iterator[str]:
    """What goes wrong for a user of the spoilt store. In a whole one every act succeeds."""
    signal.alarm(LONGEST)
    lines = commanded(scene) if number % SELDOM == 0 else ()
    for name, act in (*acts(scene), *lines):
        try:
            act()
        except PenstockError as error:
            # A stranger with the ending of a record may be told of as one that is damaged.
            if (is_whole and "stranger-" not in str(error)) or not str(error).strip():
                yield f"{about}: {name}: {type(error).__name__}: {error}"
        except BaseException:
            yield f"{about}: {name}: {traceback.format_exc()[-900:]}"
    try:
        same(work.on(scene.stack()).run().result())
        healed = work.on(scene.stack()).run()
        missed = [view.id for view in healed if view.status is not Status.CACHED]
        if missed and must_run:
            yield f"{about}: {missed} ran once more"
    except PenstockError as error:
        if must_run:
            yield f"{about}: run: {type(error).__name__}: {error}"
    except BaseException:
        yield f"{about}: run: {traceback.format_exc()[-900:]}"
    signal.alarm(0)


def versions(
    kind: str, data: bytes, scene: Scene, others: list[bytes], count: int, seed: str
) -> Iterator[bytes]:
    """Spoilt versions of a file; of what is no record, damaged bytes."""
    if kind in ("run", "steps", "end", "attempts", "cache", "tags"):
        return forged(data, scene.keys, others, count, seed)
    return damaged(data, count, seed, others)


def fuzzed(scene: Scene, kind: str, count: int, chosen: range) -> Iterator[Case]:
    """All files of a kind, which do not know each other, in so many versions together."""
    files = scene.of_kind(kind)
    assert files, f"there is no {kind} in the store"
    others = [each.read_bytes() for each in scene.files]
    rounds = -(-count // len(files))
    bad = [versions(kind, f.read_bytes(), scene, others, rounds, f.name) for f in files]
    for number, together in enumerate(zip(*bad, strict=True)):
        if number not in chosen:
            yield Case(0, [], left=len(files))
            continue
        scene.renewed()
        for place, data in zip(files, together, strict=True):
            scene.file(place).unlink()
            scene.file(place).write_bytes(data)
        about = "\n".join(f"{kind} {data[:300]!r}" for data in together)
        yield Case(len(files), list(wrong(scene, about, number, must_run=kind != "store")))


def cut_short(scene: Scene, chosen: range) -> Iterator[Case]:
    """Records of every length but their own. None of them is believed."""
    scene.renewed()
    for kind, read in readers(scene).items():
        whole = scene.of_kind(kind)[0]
        place, data = scene.file(whole), whole.read_bytes()
        place.unlink()
        for number, bad in enumerate(cuts(data)):
            if number not in chosen:
                yield Case(0, [], left=1)
                continue
            place.write_bytes(bad)
            yield Case(1, list(believed(kind, bad, lambda: read(place))))  # noqa: B023
        place.write_bytes(data)
        assert read(place), f"not even a whole {kind} is read"


def readers(scene: Scene) -> dict[str, Callable[[Path], object]]:
    """How each kind of record is read, by its place."""

    def ledger() -> Ledger:
        return Ledger(scene.store, make=False)

    return {
        "store": lambda place: ledger().identity.id,
        "run": lambda place: ledger().run(place.parent.name),
        "end": lambda place: ledger().sealed(place.parent.name),
        "steps": lambda place: ledger().step(place.parent.parent.name, place.stem),
        "attempts": lambda place: ledger().attempts(place.parents[2].name, place.parent.name),
        "cache": lambda place: ledger().cached(place.name),
    }


def believed(kind: str, bad: bytes, read: Callable[[], object]) -> Iterator[str]:
    try:
        if found := read():
            yield f"{kind} of {len(bad)} bytes is believed: {found!r}"
    except PenstockError:
        return
    except BaseException:
        yield f"{kind} of {len(bad)} bytes: {traceback.format_exc()[-900:]}"


def misplaced(scene: Scene, chosen: range) -> Iterator[Case]:
    """Strange things in the place of each file and each folder, then beside all of them."""
    whole = scene.place / "whole"
    first = {_shape(each, whole): each for each in sorted(whole.rglob("*"), reverse=True)}
    pairs = list(product(first.items(), INSTEAD))
    for number, ((shape, place), put) in enumerate(pairs):
        if number not in chosen:
            yield Case(0, [], left=1)
            continue
        scene.renewed()
        replaced(scene.file(place), put)
        about = f"{put.__name__} as {shape}"
        must_run = put is nothing or shape.endswith(("/run.json", "/end.json", "/steps/x.json"))
        yield Case(1, list(wrong(scene, about, number, must_run=must_run)))
    scene.renewed()
    folders = [each for each in Path(scene.store.path).rglob("*") if each.is_dir()]
    for folder in [Path(scene.store.path), *folders]:
        crowded(folder)
    yield Case(len(folders), list(wrong(scene, "strangers everywhere", 0, is_whole=True)))


def _shape(place: Path, whole: Path) -> str:
    """What kind of place it is: names of runs, steps and digests are one as good as another."""
    name = str(place.relative_to(whole))
    name = re.sub(r"\d{8}-\d{6}-\w{4}-\w{4}", "RUN", name)
    name = re.sub(r"(?<=steps/)\w+|[0-9a-f]{64}|(?<=attempts/shaky/)\w+", "x", name)
    return re.sub(r"(?<=/)[0-9a-f]{2}(?=/|$)|(?<=logs/).*", "xx", name)


def hangs(*_: object) -> None:
    raise AssertionError(f"it takes longer than {LONGEST} s")


def main(kinds: str, count: int, store: str, first: int, every: int) -> None:
    with TemporaryDirectory(prefix="penstock-") as place:
        os.chdir(place)
        signal.signal(signal.SIGALRM, hangs)
        scene = Scene(Path(place).resolve(), STORES[store])
        scene.renewed()
        Client().register(scene.stack())
        limit = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize() + ROOM
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        special = {"cuts": cut_short, "places": misplaced}.get(kinds)
        chosen = range(first, sys.maxsize, every)
        each = (fuzzed(scene, kind, count, chosen) for kind in kinds.split(","))
        found = list(special(scene, chosen) if special else chain.from_iterable(each))
        os.chdir("/")
    wrong = [each for case in found for each in case.wrong]
    counts = {"cases": sum(each.count for each in found), "left": sum(each.left for each in found)}
    print(json.dumps({**counts, "wrong": wrong}))


if __name__ == "__main__":
    kinds, count, store, first, every = sys.argv[1:]
    main(kinds, int(count), store, int(first), int(every))
