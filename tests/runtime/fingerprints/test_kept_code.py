"""The code that a run keeps in its store."""

import json
from typing import Any

import pytest

from penstock import Client, pipeline, step
from penstock.artifacts.values import Values
from penstock.digest import of_buffers
from penstock.model.records import Part
from penstock.runtime.fingerprints import code
from penstock.runtime.fingerprints.fingerprints import Fingerprints

FACTOR = 3


def scaled(value: int) -> int:
    return value * FACTOR


@step
def work(value: int) -> int:
    return scaled(value)


@pipeline(progress=False)
def working(value: int) -> int:
    return work(value)


def fetch(digest: str) -> bytes:
    values = Values(Client().active_stack.artifact_store, Fingerprints().of_names)
    return bytes(values.fetch(digest, "The code"))


def test_a_run_keeps_what_its_steps_reach() -> None:
    kept = code.read(fetch(working.run(1).record.code))
    units = kept.units_of(work.reference)
    home = work.reference.partition(":")[0]
    assert [*units] == [f"{home}.FACTOR", f"{home}:scaled", f"{home}:work"]
    text = kept.text(units[f"{home}:scaled"], fetch)
    assert text == "def scaled(value: int) -> int:\n    return value * FACTOR\n"
    assert kept.text(units[f"{home}.FACTOR"], fetch) is None


def test_equal_code_is_one_object() -> None:
    assert working.run(1).record.code == working.run(2).record.code


def test_a_step_that_is_not_known_reaches_nothing() -> None:
    assert code.read(fetch(working.run(1).record.code)).units_of("other:step") == {}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"steps":{"a":[1]},"units":[],"files":[]}',
        b'{"steps":{},"units":[["a"]],"files":[]}',
        b'{"steps":{},"units":[["a","b","data",7,0,0,""]],"files":[]}',
        b'{"steps":{},"units":[["a","b","data","7",0,0,""]],"files":[]}',
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises((ValueError, LookupError, TypeError, AttributeError)):
        code.read(data)


def test_files_are_named_from_the_root_of_the_project(projects: Any) -> None:
    from pathlib import Path

    steps = projects.loaded(
        {"steps.py": "from penstock import step\n\n@step\ndef work() -> int:\n    return 1\n"}
    )
    objects: dict[str, bytes] = {}

    def keep(data: bytes) -> Part:
        objects[of_buffers([data])] = data
        return Part(of_buffers([data]), len(data))

    run = Fingerprints()
    run.of_step(steps.work)
    digest = code.write(run.surveyed, [], Path(steps.__file__).parent, keep)
    found = json.loads(objects[digest])
    assert [name for name, _ in found["files"]] == ["steps.py"]
    assert objects[found["files"][0][1]] == Path(steps.__file__).read_bytes()


def test_secrets_in_source_and_in_globals_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FACTOR_OF_ALL", "return value * FACTOR")
    kept = code.read(fetch(telling.run(1).record.code))
    units = kept.units_of(telling_step.reference)
    home = telling_step.reference.partition(":")[0]
    assert units[f"{home}.TOLD"].note == '"***"'
    assert kept.text(units[f"{home}:scaled"], fetch) == "def scaled(value: int) -> int:\n    ***\n"


TOLD = "return value * FACTOR"


@step(secrets=["FACTOR_OF_ALL"])
def telling_step(value: int) -> str:
    return TOLD * scaled(value)


@pipeline(progress=False)
def telling(value: int) -> str:
    return telling_step(value)
