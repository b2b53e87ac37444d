"""Somebody with access to the store changes a pickle while it is being loaded."""

import os
import pickle
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from penstock.artifacts.formats.framed import framed
from penstock.artifacts.local import LocalArtifactStore
from penstock.artifacts.objects import StoredObjects, is_whole, object_key
from penstock.artifacts.store import LARGE
from penstock.artifacts.values import Code, Trust, Values
from penstock.errors import CorruptArtifact, NoSuchKey
from penstock.model.records import Artifact, Part


class Canary:
    def __init__(self, song: Path) -> None:
        self.song = song

    def __reduce__(self) -> Any:
        return Path.touch, (self.song,)


def root(value: object) -> bytes:
    """A pickle as the store has it, of which the stream alone is large."""
    stream = pickle.dumps(value, protocol=5)
    stream += bytes(LARGE + 5000 - len(stream))  # behind its end nobody looks
    return b"".join(map(bytes, framed(0, [stream], [], lambda _: Part("", 0))))


class Scene:
    def __init__(self, folder: Path) -> None:
        self.song = folder / "song"
        self.store = LocalArtifactStore(path=str(folder / "store"))
        self.good, self.bad = root([1, 2, 3]), root(Canary(self.song))
        assert len(self.good) == len(self.bad)
        self.part = StoredObjects(self.store).put([self.good])
        self.file = Path(self.store.path, object_key(self.part.digest))

    def attack(self, victim: Callable[[], Any]) -> list[str]:
        """What the victim got each time, while the object is now this and now that."""
        done = threading.Event()
        thread = threading.Thread(target=self._change, args=(done,))
        thread.start()
        try:
            return [self._said(victim) for _ in range(150)]
        finally:
            done.set()
            thread.join()

    def _change(self, done: threading.Event) -> None:
        chance = random.Random(0)
        heads = [self.bad[:4096], self.good[:4096]]
        while not done.is_set():
            for head in heads:
                try:
                    fd = os.open(self.file, os.O_WRONLY)
                except FileNotFoundError:
                    break
                os.pwrite(fd, head, 0)
                os.close(fd)
                time.sleep(chance.uniform(0, 0.002))  # in step with nobody

    def _said(self, victim: Callable[[], Any]) -> str:
        try:
            return repr(victim())
        except (CorruptArtifact, NoSuchKey) as error:
            self.store.put(object_key(self.part.digest), [self.good])
            return type(error).__name__


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_what_is_checked_is_what_is_loaded(scene: Scene) -> None:
    values = Values(scene.store, lambda names: Code())
    artifact = Artifact("pickle/1", scene.part.digest, scene.part.size)
    said = scene.attack(lambda: values.load(artifact, None, "It", Path, Trust(True)))

    assert set(said) <= {"[1, 2, 3]", "CorruptArtifact", "NoSuchKey"}
    assert not scene.song.exists()


def test_a_reader_who_looks_twice_is_caught_by_this(scene: Scene) -> None:
    def careless() -> Any:
        data = scene.store.get(object_key(scene.part.digest))
        if not is_whole(data, scene.part):
            raise CorruptArtifact("It")
        time.sleep(0.001)
        try:
            return str(type(pickle.loads(memoryview(data)[24:])))
        except Exception as error:  # bytes that are half of this and half of that raise anything
            raise CorruptArtifact("It") from error

    scene.attack(careless)
    assert scene.song.exists()
