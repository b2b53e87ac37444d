"""What is installed where steps run, and what that decides."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import away
import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import LocalArtifactStore, LocalOrchestrator, Stack
from penstock.api.pipeline import wanted
from penstock.runtime import environments
from penstock.runtime.cache import Cache
from penstock.runtime.compiling import compiled
from penstock.runtime.fingerprints import libraries
from penstock.runtime.fingerprints.fingerprints import Fingerprints

IMAGE = "ghcr.io/acme/ml:3"

STEPS = """
    from penstock import pipeline, step

    @step
    def load(count: int) -> list[int]:
        return list(range(count))

    @step
    def parsed(rows: list[int]) -> str:
        from dateutil.parser import parse
        return str(parse(f"2026-01-0{len(rows)}"))

    @pipeline(progress=False)
    def reading(count: int = 3) -> str:
        return parsed(load(count))
    """


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return away.module(monkeypatch, tmp_path / "project", STEPS)


@pytest.fixture
def ran(steps: ModuleType, tmp_path: Path) -> Callable[..., list[str]]:
    """Runs it, and gives the steps that were not in the cache when it was planned."""

    def run(**options: Any) -> list[str]:
        stack = away.stack(tmp_path, image=IMAGE)
        steps.reading.with_options(stack=stack, **options).run()
        jobs = away.jobs(stack)
        return list(jobs[-1].pending) if jobs else []

    return run


def local(tmp_path: Path) -> Stack:
    store = LocalArtifactStore(path=str(tmp_path / "store"))
    return Stack("laptop", orchestrator=LocalOrchestrator(), artifact_store=store)


def note(tmp_path: Path, text: str = IMAGE, **versions: str) -> Path:
    """What the first pod of an image does; with other versions than are installed here."""
    store = away.stack(tmp_path).artifact_store
    environments.noted(store, text)
    path = tmp_path / "store" / environments.key(text)
    said = json.loads(path.read_text())
    said["packages"] |= versions
    path.write_text(json.dumps(said))
    return path


def test_what_is_noted_is_what_a_key_has_of_every_library(tmp_path: Path) -> None:
    note(tmp_path)
    found = environments.known(away.stack(tmp_path).artifact_store, IMAGE)

    assert found is not None
    tops = found.packages.keys() - {"python"}
    assert {"numpy", "sklearn", "dateutil", "yaml", "_cffi_backend", "google"} <= tops
    assert found.packages == libraries.environment(tops)


def test_a_known_environment_is_read_once_and_written_once(tmp_path: Path) -> None:
    store = away.store_of(away.stack(tmp_path))
    environments.noted(store, IMAGE)
    path = tmp_path / "store" / environments.key(IMAGE)
    written = path.stat()
    store.asked.clear()
    environments.noted(store, IMAGE)

    assert store.asked == [environments.key(IMAGE)]
    assert path.stat() == written


def test_an_image_that_is_another_one_under_the_same_name_is_noted_again(tmp_path: Path) -> None:
    path = note(tmp_path)
    said = json.loads(path.read_text())
    path.write_text(json.dumps({**said, "stamp": "another", "packages": {"numpy": "1.0"}}))
    environments.noted(away.stack(tmp_path).artifact_store, IMAGE)

    assert json.loads(path.read_text()) == said


def test_a_distribution_that_comes_changes_the_stamp(tmp_path: Path) -> None:
    folder = tmp_path / "site-packages"
    (folder / "extra-1.0.dist-info").mkdir(parents=True)
    (folder / "extra_module.py").touch()
    (folder / "extra-1.0.dist-info/METADATA").write_text("Name: extra\nVersion: 1.0\n")
    (folder / "extra-1.0.dist-info/RECORD").write_text("extra_module.py,,\n")
    code = (
        "from penstock.runtime.fingerprints import libraries as found\n"
        "name = 'extra_module'\n"
        "print(found.stamp(), found.versions().get(name), found.environment([name])[name],\n"
        "      found.is_project(name))"
    )
    outs = [
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONPATH": path}, capture_output=True, text=True,
            check=True,
        ).stdout.split()
        for path in ("", str(folder))
    ]  # fmt: skip

    assert outs[0][0] == libraries.stamp()
    assert outs[0][0] != outs[1][0]
    assert outs[1][1:] == ["extra-1.0", "extra-1.0", "False"]


@given(st.one_of(st.binary(max_size=60), st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["text", "stamp", "python", "packages"]), inner),
).map(lambda data: json.dumps(data).encode())))  # fmt: skip
def test_whatever_lies_there_is_an_environment_or_nothing(data: bytes) -> None:
    class One(away.SharedStore):
        def get(self, key: str) -> bytearray:
            return bytearray(data)

    found = environments.known(One(path="/nowhere"), IMAGE)
    assert found is None or found.text == IMAGE


def test_what_is_noted_of_another_environment_does_not_count(tmp_path: Path) -> None:
    path = note(tmp_path)
    other = tmp_path / "store" / environments.key("other")
    other.write_bytes(path.read_bytes())

    assert environments.known(away.stack(tmp_path).artifact_store, "other") is None


def test_of_an_unknown_image_nothing_is_left_out_and_a_note_says_so(
    steps: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps.reading.on(local(tmp_path)).run()
    stack = away.stack(tmp_path, image=IMAGE)
    steps.reading.with_options(stack=stack, progress=True).run()

    assert away.jobs(stack)[-1].pending == ("load", "parsed")
    assert f"what is installed in {IMAGE!r} is not known yet" in capsys.readouterr().err


def test_an_image_with_equal_versions_has_one_cache_with_this_machine(
    steps: ModuleType, ran: Callable[..., list[str]], tmp_path: Path
) -> None:
    steps.reading.on(local(tmp_path)).run()
    note(tmp_path)

    assert ran() == []


def test_a_step_that_reaches_another_version_there_is_not_left_out(
    steps: ModuleType, ran: Callable[..., list[str]], tmp_path: Path
) -> None:
    steps.reading.on(local(tmp_path)).run()
    note(tmp_path, dateutil="python_dateutil-1.0")

    assert ran() == ["parsed"]


def test_a_key_has_the_versions_that_are_there(steps: ModuleType, tmp_path: Path) -> None:
    note(tmp_path, dateutil="python_dateutil-1.0")
    stack = away.stack(tmp_path, image=IMAGE)
    call = steps.reading.graph().calls["parsed"]
    parts = [
        json.loads(cache._step_parts(call) + "}")["environment"]
        for cache in (
            Cache(None, None, Fingerprints(), environments.of(stack, {})),  # type: ignore[arg-type]
            Cache(None, None, Fingerprints()),  # type: ignore[arg-type]
        )
    ]

    assert parts[0] == {**parts[1], "dateutil": "python_dateutil-1.0"}
    assert parts[1]["dateutil"] == libraries.environment(["dateutil"])["dateutil"]


def test_a_library_that_is_not_there_makes_the_key_unknown(
    steps: ModuleType, ran: Callable[..., list[str]], tmp_path: Path
) -> None:
    steps.reading.on(local(tmp_path)).run()
    path = note(tmp_path)
    said = json.loads(path.read_text())
    del said["packages"]["dateutil"]
    path.write_text(json.dumps(said))

    assert ran() == ["parsed"]


SEVERAL = """
    from penstock import pipeline, step

    @step
    def load(count: int) -> int:
        return count

    @step(settings={"away": {"image": "big"}})
    def big(count: int) -> int:
        return count

    @pipeline(progress=False)
    def reading() -> None:
        for count in range(6):
            big(big(load(count)))
    """


def test_each_environment_costs_one_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = away.module(monkeypatch, tmp_path / "project", SEVERAL).reading
    stack = away.stack(tmp_path, image=IMAGE)

    def looked() -> list[str]:
        asked = away.store_of(stack).asked
        asked.clear()
        compiled(wanted(pipeline.on(stack), (), {}))
        return [key for key in asked if key.startswith("environments/")]

    pipeline.on(stack).run()
    note(tmp_path, IMAGE)
    note(tmp_path, "big")
    assert looked() == [environments.key(name) for name in (IMAGE, "big")]
    (tmp_path / "store" / environments.key(IMAGE)).unlink()
    assert looked() == [environments.key(IMAGE)]  # nobody asks for what is behind a miss


def test_a_setting_of_the_pipeline_chooses_the_image(
    steps: ModuleType, ran: Callable[..., list[str]], tmp_path: Path
) -> None:
    steps.reading.on(local(tmp_path)).run()
    note(tmp_path)

    assert ran(settings={"away": {"image": "other:1"}}) == ["load", "parsed"]


def test_what_a_part_needs_is_taken_of_a_run_if_no_key_can_be_told(
    steps: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = steps.reading.on(local(tmp_path)).run()
    stack = away.stack(tmp_path, image=IMAGE)
    only = steps.reading.with_options(stack=stack, only="parsed", progress=True)
    only.run()
    assert f"load is taken from run {first.id}" in capsys.readouterr().err
    note(tmp_path)
    only.run()
    assert "is taken from run" not in capsys.readouterr().err  # but from the cache


def test_a_run_of_this_machine_looks_for_no_environment(steps: ModuleType, tmp_path: Path) -> None:
    store = away.store_of(away.stack(tmp_path))
    stack = Stack("laptop", orchestrator=LocalOrchestrator(), artifact_store=store)
    steps.reading.on(stack).run()

    assert store.asked
    assert not any(key.startswith("environments/") for key in store.asked)
    assert environments.of(stack, {}) is environments.HERE
