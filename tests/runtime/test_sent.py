"""What a run sends ahead for steps that run on other machines, and what it does not send."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import away
import pytest

from penstock.artifacts.values import Values
from penstock.errors import CannotRun
from penstock.model.plan import Plan
from penstock.runtime import bundle
from penstock.runtime.fingerprints.fingerprints import Fingerprints
from penstock.stack.orchestrator import Orchestrator

STEPS = """
    from penstock import pipeline, step
    from helper import scaled

    told = []

    @step
    def load(count: int) -> list[int]:
        return list(range(count))

    @step
    def train(rows: list[int]) -> int:
        return scaled(sum(rows))

    @step
    def spare(count: int) -> int:
        return count

    @pipeline(progress=False)
    def training(count: int = 3) -> int:
        spare(count)
        return train(load(count))

    def ended(run):
        told.append((run.id, run.status))

    @pipeline(progress=False, on_success=ended, on_failure=ended)
    def watched(count: int = 3) -> int:
        return train(load(count))
    """
HELPER = "def scaled(x):\n    return 2 * x\n"

Project = Callable[..., ModuleType]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    def made(text: str = STEPS, helper: str = HELPER) -> ModuleType:
        return away.module(monkeypatch, tmp_path / "project", text, helper=helper)

    return made


def flags(command: Any) -> dict[str, str]:
    """What a command line says, by name."""
    words = list(command)[3:]
    return {word[2:]: words[at + 1] for at, word in enumerate(words) if word.startswith("--")}


def sent(stack: Any) -> dict[str, str]:
    """What the last job says of one of its calls."""
    job = away.jobs(stack)[-1].job
    return flags(job.command(job.plan.graph.calls["train"].id, run="R", job="J"))


def fetched(stack: Any, digest: str) -> bytes:
    values = Values(stack.artifact_store, Fingerprints().of_names)
    return bytes(values.fetch(digest, "it"))


def test_a_command_names_objects_that_are_in_the_store(project: Project, tmp_path: Path) -> None:
    stack, steps = away.stack(tmp_path), project()
    run = steps.training.on(stack).run()
    said = sent(stack)

    assert {"run": "R", "job": "J", "call": "train"}.items() <= said.items()
    assert said["store"] == json.loads((tmp_path / "store/store.json").read_text())["id"]
    plan = Plan.from_bytes(fetched(stack, said["plan"]), "R", lambda name: steps.train)
    assert list(plan.graph.calls) == ["spare", "load", "train"]
    opened = bundle.opened(fetched(stack, said["code"]), tmp_path / "opened")
    assert (Path(opened.cwd) / "helper.py").read_text() == HELPER
    assert run.record.elsewhere
    assert json.loads((tmp_path / f"store/runs/{run.id}/run.json").read_text().split("\n")[0])[
        "elsewhere"
    ]


def test_the_record_that_is_sent_is_of_no_run_and_no_process(
    project: Project, tmp_path: Path
) -> None:
    stack = away.stack(tmp_path)
    run = project().training.on(stack).run()
    record = json.loads(fetched(stack, sent(stack)["record"]))

    assert [record[name] for name in ("run", "host", "process", "machine", "started")] == [
        "", "", 0, "", 0.0
    ]  # fmt: skip
    assert (record["plan"], record["calls"]) == (run.record.plan, list(run.record.calls))


def test_hits_are_in_the_record_that_is_sent_so_that_every_job_finds_them(
    project: Project, tmp_path: Path
) -> None:
    stack = away.stack(tmp_path)
    first = project().training.on(stack).run()
    project(helper="def scaled(x):\n    return 30 * x\n").training.on(stack).run()
    record = json.loads(fetched(stack, sent(stack)["record"]))

    assert away.jobs(stack)[-1].pending == ("train",)
    assert set(record["hits"]) == {"load", "spare"}
    assert record["sources"]["load"] == f"{first.id}/load"


def test_a_changed_file_uploads_one_archive_and_records(project: Project, tmp_path: Path) -> None:
    stack = away.stack(tmp_path)
    project().training.on(stack).run()
    before = away.objects(tmp_path)
    archive = before[sent(stack)["code"]]
    helper = "def scaled(x):\n    return 30 * x\n"
    project(helper=helper).training.on(stack).run()
    new = {name: size for name, size in away.objects(tmp_path).items() if name not in before}

    code = sent(stack)["code"]
    assert code in new
    assert sum(new.values()) - new[code] < archive / 10
    assert sum(size > 8000 for size in new.values()) == 1


def test_a_run_of_the_same_code_uploads_no_archive(project: Project, tmp_path: Path) -> None:
    stack, steps = away.stack(tmp_path), project()
    steps.training.on(stack).run()
    before = sent(stack)["code"]
    sizes = away.objects(tmp_path)
    steps.training.on(stack).run(count=4)

    assert sent(stack)["code"] == before
    assert max(size for name, size in away.objects(tmp_path).items() if name not in sizes) < 8000


def test_a_run_that_finds_all_writes_two_files_and_submits_nothing(
    project: Project, tmp_path: Path
) -> None:
    stack, steps = away.stack(tmp_path), project()
    steps.training.on(stack).run()
    before = {each for each in (tmp_path / "store").rglob("*") if each.is_file()}
    run = steps.training.on(stack).run()
    new = {each for each in (tmp_path / "store").rglob("*") if each.is_file()} - before

    assert sorted(each.name for each in new) == ["end.json", "run.json"]
    assert run.status == "completed"
    assert len(away.jobs(stack)) == 1


def test_code_that_is_in_the_image_is_not_sent(project: Project, tmp_path: Path) -> None:
    stack = away.stack(tmp_path, ships=False)
    project().training.on(stack).run()

    assert "code" not in sent(stack)
    assert max(away.objects(tmp_path).values()) < 8000


def test_hooks_of_a_pipeline_are_told_there_and_not_here(project: Project, tmp_path: Path) -> None:
    stack, steps = away.stack(tmp_path), project()
    run = steps.watched.on(stack).run()

    assert run.status == "completed"
    assert steps.told == []
    assert away.jobs(stack)[-1].job.plan.ends
    assert json.loads(fetched(stack, sent(stack)["plan"]))["ends"]
    again = steps.watched.on(stack).run()  # nothing runs there, so nobody there tells them
    assert steps.told == [(again.id, "completed")]


def test_a_plan_without_hooks_says_nothing_of_an_end(project: Project, tmp_path: Path) -> None:
    stack = away.stack(tmp_path)
    project().training.on(stack).run()

    assert "ends" not in json.loads(fetched(stack, sent(stack)["plan"]))


REFUSED = {
    "a hook of a step": (
        "training", "return train(load", "return train.with_options(on_success=print)(load",
        ["step train (", "the hook on_success=print with with_options()", "@step("],
    ),
    "a hook of the pipeline": (
        "training.with_options(on_failure=print)", "", "",
        ["pipeline training", "the hook on_failure=print", "@pipeline(on_failure=print)"],
    ),
    "a step in a function": (
        "inside()", "", "", ["step inner (", "cannot be found by another process"],
    ),
    "a step operator": (
        "operated", "", "", ["step train (", "asks for the step operator 'gpu'", "hands none on"],
    ),
}  # fmt: skip

MORE = """
    @pipeline(progress=False)
    def operated(count: int = 3) -> int:
        return train.with_options(step_operator="gpu")(load(count))

    def inside():
        @step
        def inner(count: int) -> int:
            return count

        @pipeline(progress=False)
        def nested(count: int = 3) -> int:
            return inner(count)

        return nested
    """


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_travel_is_refused_before_anything_is_sent(
    what: str, project: Project, tmp_path: Path
) -> None:
    expression, old, new, words = REFUSED[what]
    assert old in STEPS
    steps = project(STEPS.replace(old, new) + MORE if old else STEPS + MORE)
    pipeline = eval(expression, vars(steps))

    with pytest.raises(CannotRun) as caught:
        pipeline.on(away.stack(tmp_path)).run()
    for word in words:
        assert word in str(caught.value)
    assert not (tmp_path / "store").exists()


def test_a_hook_that_is_declared_travels(project: Project, tmp_path: Path) -> None:
    text = STEPS.replace("@step\n    def train", "@step(on_success=print)\n    def train")
    assert project(text).training.on(away.stack(tmp_path)).run().status == "completed"


PICKLES = """
    from penstock import pipeline, step
    from helper import Model, Sub

    class Own:
        def __init__(self, size):
            self.size = size

    @step
    def make(count: int) -> Own:
        return Own(count)

    @step
    def several(count: int) -> list[Own]:
        return [Own(count)]

    @step
    def vague(count: int) -> object:
        return count

    @step
    def size(model: object) -> int:
        return 1

    @pipeline(progress=False)
    def through(count: int = 3) -> int:
        return size(make(count))

    @pipeline(progress=False)
    def among(count: int = 3) -> int:
        return size([make(count), 1])

    @pipeline(progress=False)
    def unread(count: int = 3) -> Own:
        return make(count)

    @pipeline(progress=False)
    def unsure(count: int = 3) -> int:
        return size(vague(count))

    @pipeline(progress=False)
    def given(model: object) -> int:
        return size(model)
    """
MODEL = "class Model: ...\nclass Sub(Model): ...\n"


def test_a_pickle_that_nobody_there_could_load_is_refused(project: Project, tmp_path: Path) -> None:
    steps = project(PICKLES, MODEL)
    for pipeline in (steps.through, steps.among):
        with pytest.raises(CannotRun) as caught:
            pipeline.on(away.stack(tmp_path)).run()
        said = str(caught.value)
        assert "step size (" in said
        assert "needs 'model', which is the output 'output' of step make, a pickle" in said
        assert "penstock key new" in said
        assert not [each for each in away.objects(tmp_path).values() if each > 8000]


def test_a_value_that_is_given_as_a_pickle_is_refused(project: Project, tmp_path: Path) -> None:
    steps = project(PICKLES, MODEL)
    with pytest.raises(CannotRun, match="'model', a value that was given as a pickle"):
        steps.given.on(away.stack(tmp_path)).run(model=steps.Own(3))


@pytest.mark.parametrize("store", [{"signing_key": "k" * 32}, {"allow_pickle": "any"}])
def test_a_pickle_for_which_there_is_a_key_is_not(
    store: dict[str, str], project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", "k" * 32)
    if "signing_key" in store:
        store = {"signing_key": "${env:TEAM_KEY}"}
    stack = away.stack(tmp_path, store=store)
    assert project(PICKLES, MODEL).through.on(stack).run().result() == 1


@pytest.mark.parametrize("name", ["unread", "unsure"])
def test_what_may_well_be_loaded_is_not_refused(
    name: str, project: Project, tmp_path: Path
) -> None:
    steps = project(PICKLES, MODEL)
    assert getattr(steps, name).on(away.stack(tmp_path)).run().status == "completed"


def test_an_orchestrator_of_this_machine_is_sent_nothing(project: Project, tmp_path: Path) -> None:
    class Near(away.Away):
        elsewhere = False

    assert Orchestrator.ships_code.fget is not None  # type: ignore[attr-defined]
    stack = away.stack(tmp_path)
    near = type(stack)("near", orchestrator=Near(), artifact_store=stack.artifact_store)
    run = project().training.on(near).run()

    assert "record" not in sent(near)
    assert not run.record.elsewhere
    assert max(away.objects(tmp_path).values()) < 8000
