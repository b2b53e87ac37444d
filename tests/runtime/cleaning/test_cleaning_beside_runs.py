"""Cleaning while others use the store: threads, processes, and runs between any two of its acts."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count, takewhile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test
from past import DAY, HOUR, Past, chain, expected, loose, single

from penstock import LocalArtifactStore
from penstock.artifacts.store import ArtifactStore, Buffer, Entry
from penstock.errors import NoSuchKey, PenstockError
from penstock.testing.memory import MemoryArtifactStore

TEXTS = ("ab", "ba", "cd", "e")


# Two that do one thing each.


@pytest.mark.parametrize("kind", [LocalArtifactStore, MemoryArtifactStore])
def test_of_a_touch_and_a_discard_one_comes_first(
    kind: Callable[..., ArtifactStore], tmp_path: Path
) -> None:
    """Either it was touched and is there, or it was deleted and the toucher knows."""
    store = kind(path=str(tmp_path / "store"))
    seen = set()

    def touched(number: int) -> bool:
        try:
            store.touch(f"a/{number}")
        except NoSuchKey:
            return False
        return True

    with ThreadPoolExecutor(2) as threads:
        for number in range(300):
            store.put(f"a/{number}", [b"1"])
            while (before := store.clock()) <= store.stat(f"a/{number}").modified:
                time.sleep(0.001)
            touch = threads.submit(touched, number)
            discard = threads.submit(store.discard, f"a/{number}", before)
            is_there = touch.result()
            assert discard.result() is not is_there
            assert [entry.key for entry in store.keys(f"a/{number}")] == [f"a/{number}"] * is_there
            seen.add(is_there)

    assert True in seen


WORK = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from past import Past, chain, expected, loose, single
past = Past(Path(sys.argv[2]))
print("ready", flush=True)
for line in sys.stdin:
    for text in line.split():
        for of in (chain, single, loose):
            run = past.run(text, of)
            assert run.result() == expected(text, of), of.name
    print("done", flush=True)
"""


def test_a_cleaning_beside_runs_in_other_processes_takes_nothing_from_them(past: Past) -> None:
    """All is old when they begin: what they use they must make young while it is cleaned."""
    here = str(Path(__file__).parent)
    words = [sys.executable, "-c", WORK, here, str(past.path)]
    with _Workers([words, words]) as workers:
        for _ in range(3):
            past.passes(90 * DAY)
            workers.begin("ab cd")
            while workers.go_on():
                past.gc(grace=HOUR, keep_runs=1, keep_cache=HOUR)
            assert past.dangling() == []
    assert len(past.runs) > 3


class _Workers:
    """Processes that do something at once whenever they are told."""

    def __init__(self, words: Sequence[Sequence[str]]) -> None:
        self._all = [
            subprocess.Popen(each, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for each in words
        ]
        self._waiting: list[threading.Thread] = []
        self._failed: list[str] = []

    def __enter__(self) -> _Workers:
        for each in self._all:
            self._hear(each, "ready")
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._all:
            assert each.stdin is not None
            each.stdin.close()
            each.wait(60)
            assert each.stdout is not None
            each.stdout.close()
        assert self._failed == []

    def begin(self, line: str) -> None:
        for each in self._all:
            assert each.stdin is not None
            each.stdin.write(f"{line}\n")
            each.stdin.flush()
        self._waiting = [
            threading.Thread(target=self._hear, args=(each, "done")) for each in self._all
        ]
        for thread in self._waiting:
            thread.start()

    def go_on(self) -> bool:
        return any(thread.is_alive() for thread in self._waiting)

    def _hear(self, process: subprocess.Popen[str], word: str) -> None:
        assert process.stdout is not None
        if process.stdout.readline() != f"{word}\n":
            self._failed.append(word)


# Whatever happens, in whatever order.


@dataclass(frozen=True, kw_only=True)
class Between(LocalArtifactStore):
    """Something happens between two acts of a cleaning: before the one of each number."""

    flavor: ClassVar[str] = "between"
    happens: ClassVar[dict[int, Callable[[], None]]] = {}
    act: ClassVar[list[int]] = [0]

    def keys(self, prefix: str = "", *, start_after: str = "") -> Iterator[Entry]:
        self._acts()
        return super().keys(prefix, start_after=start_after)

    def delete(self, key: str) -> None:
        self._acts()
        super().delete(key)

    def discard(self, key: str, before: float) -> bool:
        self._acts()
        return super().discard(key, before)

    def _acts(self) -> None:
        if self.happens:
            self.act[0] += 1
            if (work := self.happens.pop(self.act[0], None)) is not None:
                rest = dict(self.happens)
                self.happens.clear()
                work()
                self.happens.update(rest)


class AgelessTouch(Between):
    """A store with a defect: what is touched is as old as it was."""

    def touch(self, key: str) -> None:
        self.stat(key)


class BlindDiscard(Between):
    """A store with a defect: what was touched since is deleted all the same."""

    def discard(self, key: str, before: float) -> bool:
        self.delete(key)
        return True


class LookingOnly(Between):
    """A store with a defect: whoever relies on something leaves it as old as it is."""

    def use(self, key: str) -> Buffer:
        return self.get(key)


class Life(RuleBasedStateMachine):
    """Runs, deletions, tags, pins, cleanings with runs in their midst, and time."""

    def __init__(self) -> None:
        super().__init__()
        Between.happens.clear()
        self._folder = TemporaryDirectory()
        path = Path(self._folder.name, "store")
        self.past = Past(path, Between(path=str(path)))
        self.past.ledger.check()
        self.results: dict[str, str] = {}
        """Run → what it must give, as long as it is there."""
        self.pinned: set[str] = set()
        self.tagged: dict[tuple[str, str], str] = {}

    def teardown(self) -> None:
        Between.happens.clear()
        self._folder.cleanup()

    @rule(text=st.sampled_from(TEXTS), of=st.sampled_from([chain, single, loose]))
    def somebody_runs(self, text: str, of: Any) -> None:
        run = self.past.run(text, of)
        self.results[run.id] = expected(text, of)
        assert run.result() == self.results[run.id]

    @rule(text=st.sampled_from(TEXTS))
    def somebody_resumes(self, text: str) -> None:
        if any(run.pipeline == "loose" for run in self.past.client.runs(limit=None)):
            run = self.past.run(text, loose, resume="last")
            self.results[run.id] = expected(text, loose)

    @rule(hours=st.sampled_from([0.2, 0.4, 2, 30, 900]))
    def time_passes(self, hours: float) -> None:
        self.past.passes(hours * HOUR)

    @precondition(lambda self: self.results)
    @rule(data=st.data())
    def somebody_pins(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(sorted(self.results)))
        self.past.client.run(run).pin()
        self.pinned.add(run)

    @precondition(lambda self: self.pinned)
    @rule(data=st.data())
    def somebody_unpins(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(sorted(self.pinned)))
        self.past.client.run(run).unpin()
        self.pinned.remove(run)

    @precondition(lambda self: self.results)
    @rule(data=st.data(), tag=st.sampled_from(["prod", "best"]))
    def somebody_tags(self, data: st.DataObject, tag: str) -> None:
        run = self.past.client.run(data.draw(st.sampled_from(sorted(self.results))))
        output = run["make"].output
        self.past.client.tag(output, tag)
        self.tagged[run.pipeline, tag] = output.load()

    @precondition(lambda self: self.results)
    @rule(data=st.data())
    def somebody_deletes(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(sorted(self.results)))
        if run not in self.pinned and run not in [tag.run for tag in self.past.client.tagged()]:
            self.past.client.delete(run)
            del self.results[run]

    @rule(
        grace=st.sampled_from([HOUR, 20 * HOUR]), keep_runs=st.integers(0, 3),
        keep_cache=st.sampled_from([0, 40 * HOUR]),
        meanwhile=st.dictionaries(st.integers(1, 60), st.sampled_from(TEXTS), max_size=3),
        of=st.sampled_from([chain, single, loose]),
    )  # fmt: skip
    def somebody_cleans(
        self, grace: float, keep_runs: int, keep_cache: float, meanwhile: dict[int, str], of: Any
    ) -> None:
        newest = self._newest(keep_runs)
        Between.act[0] = 0
        for act, text in meanwhile.items():
            Between.happens[act] = lambda text=text: self.somebody_runs(text, of)  # type: ignore[misc]
        found = self.past.gc(grace=grace, keep_runs=keep_runs, keep_cache=keep_cache)
        Between.happens.clear()
        assert not {*found.runs} & (self.pinned | newest)
        for run in found.runs:
            del self.results[run]
        self._is_whole()

    def _newest(self, count: int) -> set[str]:
        runs = self.past.client.runs(limit=None)
        return {
            run.id
            for of in {run.pipeline for run in runs}
            for run in [each for each in runs if each.pipeline == of][:count]
        }

    def _is_whole(self) -> None:
        """Nothing is missing that somebody needs, and nothing dangles."""
        assert sorted(self.past.runs) == sorted(self.results)
        assert self.past.dangling() == []
        for run, result in self.results.items():
            assert self.past.client.run(run).result() == result
        for (pipeline, tag), value in self.tagged.items():
            assert self.past.client.artifact(f"{pipeline}/make", tag=tag).load() == value


def beside_a_run(old: Path, store: type[Between], act: int) -> bool:
    """Clean a store in which all is old, with a run of each pipeline before one act of that.

    Whether there was such an act.
    """
    with TemporaryDirectory() as folder:
        path = Path(folder, "store")
        shutil.copytree(old, path)  # with the times of the files
        past = Past(path, store(path=str(path)))
        made = []

        def work() -> None:
            resume = "last" if "loose" in [run.pipeline for run in past.client.runs()] else None
            made.extend([past.run("ab", single), past.run("ab", loose, resume=resume)])

        Between.act[0] = 0
        Between.happens[act] = work
        past.gc(grace=HOUR, keep_runs=0, keep_cache=0)
        Between.happens.clear()
        assert past.dangling() == []
        for run, of in zip(made, (single, loose), strict=False):
            assert past.client.run(run.id).result() == expected("ab", of)
        return bool(made)


def test_the_first_run_of_all_may_begin_while_a_cleaning_looks(tmp_path: Path) -> None:
    path = tmp_path / "store"
    past = Past(path, Between(path=str(path)))
    Between.act[0] = 0
    Between.happens[1] = lambda: past.run("ab", single)
    assert past.gc().runs == []
    assert Between.happens == {}
    assert len(past.runs) == 1


@pytest.fixture
def old(past: Past) -> Path:
    """A store with a run of two pipelines, long ago; all of it is to go."""
    for of in (single, loose):
        past.run("ab", of)
    past.passes(90 * DAY)
    return past.path


def test_a_run_between_any_two_acts_of_a_cleaning_keeps_what_it_uses(old: Path) -> None:
    acts = list(takewhile(lambda act: beside_a_run(old, Between, act), count(1)))

    assert len(acts) > 20


@pytest.mark.parametrize("store", [AgelessTouch, BlindDiscard, LookingOnly])
def test_a_store_with_a_defect_loses_what_a_run_uses(old: Path, store: type[Between]) -> None:
    with pytest.raises((AssertionError, PenstockError)):
        all(beside_a_run(old, store, act) for act in count(1))
    Between.happens.clear()


def test_whatever_happens_beside_cleanings_nothing_that_is_needed_goes() -> None:
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        Life,
        settings=settings(
            max_examples=6, stateful_step_count=20, deadline=None, derandomize=True, database=None
        ),
    )
