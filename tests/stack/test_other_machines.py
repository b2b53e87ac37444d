"""Stacks whose steps run on other machines: what those cannot reach, and must not be sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from penstock import LocalArtifactStore, Stack, pipeline, step
from penstock.artifacts.remote import RemoteArtifactStore
from penstock.artifacts.store import ArtifactStore
from penstock.errors import CannotRun
from penstock.model.component import Secret
from penstock.stack.checked import check
from penstock.stack.project import Project
from penstock.stack.registry import Registered, Registry
from penstock.testing import MemoryArtifactStore, RecordingOrchestrator


@dataclass(frozen=True, kw_only=True)
class Far(RecordingOrchestrator):
    flavor: ClassVar[str] = "far"
    elsewhere: ClassVar[bool] = True

    @property
    def ships_code(self) -> bool:
        return False


@dataclass(frozen=True, kw_only=True)
class Shared(MemoryArtifactStore):
    """As if other machines could reach it, too."""

    flavor: ClassVar[str] = "shared"

    token: Secret | None = None

    @property
    def only_here(self) -> bool:
        return False


@step
def one() -> int:
    return 1


@pipeline
def counting() -> int:
    return one()


def far(store: ArtifactStore, secrets: Mapping[str, str] | None = None) -> Stack:
    return Stack("far", orchestrator=Far(name="kf"), artifact_store=store, secrets=secrets or {})


def refusal(stack: Stack) -> str:
    with pytest.raises(CannotRun) as caught:
        counting.on(stack).run()
    assert not isinstance(stack.orchestrator, Far) or not stack.orchestrator.jobs
    return str(caught.value)


def wrong(stack: Stack) -> list[str]:
    return [line for line in str(stack.check()).splitlines() if line.startswith("WRONG")]


def test_a_store_on_this_machine_is_refused(tmp_path: Path) -> None:
    stack = far(LocalArtifactStore(name="a", path=tmp_path / "a"))

    said = (
        f"path: {tmp_path}/a is on this machine, and the orchestrator 'kf' runs steps on other "
        "machines, which cannot reach it. Take a store that both can reach: penstock "
        "artifact-store flavor list"
    )
    assert refusal(stack).endswith(f"  artifact store 'a', {said}")
    assert wrong(stack) == [f"WRONG  artifact store a: {said}"]
    assert stack.check().exit_code == 3


def test_a_store_of_a_flavor_that_only_the_project_has_is_refused(tmp_path: Path) -> None:
    """Where the steps run there is no project yet when the store is needed."""
    flavors = "flavors: {artifact-store: {shared: 'ours:Shared'}}\n"
    (tmp_path / "penstock.yaml").write_text(flavors)
    said = refusal(far(Shared(name="bucket")))
    assert "artifact store 'bucket', flavor: 'shared' is a flavor of this project" in said


def test_a_bucket_can_be_reached_and_memory_cannot() -> None:
    assert not RemoteArtifactStore(path="gs://bucket/a").only_here
    assert RemoteArtifactStore(path="memory://a").only_here


def test_a_secret_that_is_written_out_is_refused_wherever_it_stands() -> None:
    stack = far(Shared(name="a", token=Secret("sesame")), {"KEY": "sesame"})

    said = refusal(stack)

    assert "artifact store 'a', token: a secret is written out, and" in said
    assert "stack 'far', secret KEY: a secret is written out, and" in said
    assert "sesame" not in said


def test_a_check_says_so_once() -> None:
    stack = far(Shared(name="a", token=Secret("sesame")), {"KEY": "sesame"})

    said = str(stack.check())

    assert [line[:36] for line in said.splitlines() if "written out" in line] == [
        "WRONG  artifact store a: token: a se", "WRONG  stack far: secret KEY: a secr",
    ]  # fmt: skip
    assert "sesame" not in said


def test_a_file_is_told_where_the_secret_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "far_away.py").write_text(
        "from penstock.testing import RecordingOrchestrator\n\n\n"
        "class Away(RecordingOrchestrator):\n    flavor = 'away'\n    elsewhere = True\n"
    )
    project = Project(tmp_path)
    project.file.write_text(
        "flavors: {orchestrator: {away: 'far_away:Away'}}\n"
        "orchestrators: {far: {flavor: away}}\n"
        "artifact_stores: {a: {flavor: fsspec, path: 'memory://a', signing_key: sesame}}\n"
        "stacks: {far: {orchestrator: far, artifact_store: a}}\n"
    )

    said = str(check(Registry(project, Registered()), "far"))

    assert f"signing_key: a secret is written out ({project.file}:3:" in said
    assert "sesame" not in said


def test_references_may_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY", "sesame")
    stack = far(Shared(name="a", token=Secret("${env:KEY}")), {"KEY": "${env:KEY}"})

    assert counting.on(stack).run().result() == 1
    assert wrong(stack) == []


def test_whoever_runs_steps_here_may_have_both(tmp_path: Path) -> None:
    stack = Stack(
        "near",
        orchestrator=RecordingOrchestrator(),
        artifact_store=LocalArtifactStore(path=tmp_path / "a", signing_key="sesame"),
    )

    assert counting.on(stack).run().result() == 1
