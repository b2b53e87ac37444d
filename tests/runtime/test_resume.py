"""Runs that go on with an earlier one: what they take, what they run, what they refuse."""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    Run,
    RunFailed,
    Stack,
    Status,
    pipeline,
    step,
)
from penstock.api.pipeline import Pipeline
from penstock.errors import BadArguments, NotFound, RunError
from penstock.runtime.ledger import Ledger
from penstock.runtime.resuming import changed
from penstock.runtime.runid import new_run_id


def ran() -> list[str]:
    """The steps that have run so far, in their order."""
    log = Path("ran.txt")
    return log.read_text().split() if log.exists() else []


def note(name: str) -> None:
    with open("ran.txt", "a") as log:
        log.write(f"{name}\n")


@step
def load(count: int) -> list[int]:
    note("load")
    return list(range(count))


@step(cache=False)
def draw(rows: list[int]) -> float:
    note("draw")
    return 0.5 + len(ran())


@step
def train(rows: list[int], seed: float, rate: float) -> float:
    note("train")
    if Path("broken").exists():
        raise ValueError("not yet")
    return rate * sum(rows) + seed


@step
def report(score: float) -> str:
    note("report")
    return f"{score:.2f}"


def night(**options: Any) -> Pipeline[..., str]:
    """The pipeline of these tests, with other options for the step `train`."""
    trained = train.with_options(**options)

    @pipeline(progress=False)
    def nightly(count: int = 5, rate: float = 0.1) -> str:
        rows = load(count)
        return report(trained(rows, draw(rows), rate))

    return nightly


def failed(**given: Any) -> Run[Any]:
    """A run whose step `train` has failed."""
    Path("broken").touch()
    with pytest.raises(RunFailed) as caught:
        night().run(**given)
    Path("broken").unlink()
    Path("ran.txt").unlink()
    found: Run[Any] = caught.value.run
    return found


def test_a_resumed_run_takes_also_what_a_step_without_cache_gave() -> None:
    failed()
    night().with_options(resume="last").run()
    assert ran() == ["train", "report"]


def test_running_again_without_resume_runs_such_a_step_again() -> None:
    failed()
    night().run()
    assert ran() == ["draw", "train", "report"]


def test_what_is_taken_names_the_run_that_computed_it() -> None:
    before = failed()
    run = night().with_options(resume=before).run()
    assert [run[each].record.source for each in ("load", "draw")] == [
        (before.id, "load"),
        (before.id, "draw"),
    ]


@pytest.mark.parametrize("spelt", [lambda run: run.id, lambda run: run.id[-4:], lambda run: run])
def test_a_run_is_named_by_its_id_its_tail_or_itself(spelt: Callable[[Run[Any]], Any]) -> None:
    before = failed()
    run = night().with_options(resume=spelt(before)).run()
    assert run.record.resumed == before.id


def test_a_run_that_resumes_none_says_so() -> None:
    assert night().run().record.resumed == ""


def test_its_records_are_whole_without_the_run_that_was_resumed() -> None:
    before = failed()
    run = night().with_options(resume=before).run()
    again = Client().run(run.id)
    assert again["draw"].output.load() == before["draw"].output.load()


def test_it_is_complete_as_its_records_say() -> None:
    failed()
    run = night().with_options(resume="last").run()
    assert (run.status, Client().run(run.id).status) == (Status.COMPLETED, Status.COMPLETED)


def test_parameters_are_those_of_the_resumed_run() -> None:
    failed(count=3, rate=2.0)
    assert night().with_options(resume="last").run().record.parameters == {
        "count": "3",
        "rate": "2.0",
    }


def test_a_parameter_that_is_given_wins() -> None:
    failed(count=3, rate=2.0)
    run = night().with_options(resume="last").run(rate=0.0)
    assert (run.record.parameters["rate"], run.record.parameters["count"]) == ("0.0", "3")


def test_the_graph_of_a_resumed_pipeline_has_its_parameters() -> None:
    failed(count=3)
    graph = night().with_options(resume="last").graph()
    assert "'3'" in repr(graph.calls["load"].bindings) or "value=3" in repr(
        graph.calls["load"].bindings
    )


def test_a_changed_step_runs_again_and_equal_bytes_are_a_hit() -> None:
    before = night().run()
    Path("ran.txt").unlink()
    night(version="2").with_options(resume=before).run()
    assert ran() == ["train"]


def test_what_depends_on_another_result_runs_again() -> None:
    before = night().run()
    Path("ran.txt").unlink()
    night().with_options(resume=before).run(rate=3.0)
    assert ran() == ["train", "report"]


def test_a_changed_step_is_named_with_what_is_another(capsys: pytest.CaptureFixture[str]) -> None:
    before = night().run()
    night(version="2").with_options(resume=before, progress=True).run()
    said = f"goes on with run {before.id} (completed); changed since: train (its version)"
    assert said in capsys.readouterr().err


def test_a_step_that_only_gets_other_inputs_is_not_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = night().run()
    night().with_options(resume=before, progress=True).run(count=4)
    assert "changed since: load (parameter count)\n" in capsys.readouterr().err


def test_last_is_the_newest_run_of_this_pipeline() -> None:
    before = failed()

    @pipeline(progress=False)
    def other() -> list[int]:
        return load(1)

    other.run()
    assert night().with_options(resume="last").run().record.resumed == before.id


def test_last_is_a_run_of_this_user() -> None:
    before = failed()
    theirs = replace(before.record, run=new_run_id(), user="somebody-else")
    Ledger(Client().active_stack.artifact_store).begin(theirs)
    assert night().with_options(resume="last").run().record.resumed == before.id


def test_a_run_that_has_resumed_another_hands_on_what_that_has() -> None:
    """The second may have been killed before it had taken anything over."""
    before = failed()
    second = night().with_options(resume=before).run()
    store = Path(Client().active_stack.artifact_store.path)
    for record in (store / "runs" / second.id / "steps").iterdir():
        record.unlink()
    Path("ran.txt").unlink()
    night().with_options(resume=second, cache=False).run()
    assert "draw" not in ran()


def test_only_what_the_cache_does_not_have_gets_records_of_its_own() -> None:
    before = night().run()
    run = night().with_options(resume=before).run()
    own = (Path(Client().active_stack.artifact_store.path) / "runs" / run.id / "steps").iterdir()
    assert [record.stem for record in own] == ["draw"]


def test_its_result_counts_though_the_cache_has_another_by_now() -> None:
    @step
    def guess() -> bytes:
        return os.urandom(8)

    @pipeline(progress=False)
    def guessing() -> bytes:
        return guess()

    before = guessing.run()
    guessing.with_options(refresh=True).run()
    assert guessing.with_options(resume=before).run().result() == before.result()


def test_resuming_wins_over_a_cache_that_is_off() -> None:
    before = night().run()
    Path("ran.txt").unlink()
    night().with_options(resume=before, cache=False).run()
    assert ran() == []


def test_resuming_wins_over_a_refresh_and_over_an_age() -> None:
    before = night().run()
    Path("ran.txt").unlink()
    short = timedelta(microseconds=1)
    night().with_options(resume=before, refresh=True, cache_for=short).run()
    assert ran() == []


def test_a_result_whose_object_is_gone_is_computed_again() -> None:
    @step(cache=False)
    def large() -> bytes:
        note("large")
        return bytes(10_000)

    @pipeline(progress=False)
    def keeping() -> bytes:
        return large()

    before = keeping.run()
    digest = before["large"].output.artifact.digest
    (Path(Client().active_stack.artifact_store.path) / "objects" / digest[:2] / digest).unlink()
    keeping.with_options(resume=before).run()
    assert ran() == ["large", "large"]


def test_a_damaged_record_of_the_resumed_run_is_as_none() -> None:
    before = failed()
    store = Path(Client().active_stack.artifact_store.path)
    (store / "runs" / before.id / "steps" / "draw.json").write_bytes(b"{")
    night().with_options(resume=before).run()
    assert ran() == ["draw", "train", "report"]


def test_a_pickle_that_nobody_here_has_signed_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    @step(cache=False)
    def strange() -> object:
        note("strange")
        return {"a": object}

    @pipeline(progress=False)
    def pickling() -> object:
        return strange()

    before = pickling.run()
    home = Path("another-home").absolute()
    for name, folder in (("HOME", home), ("XDG_CONFIG_HOME", home / ".config")):
        monkeypatch.setenv(name, str(folder))
    pickling.with_options(resume=before.id).run()
    assert ran() == ["strange", "strange"]


BY_COMMAND = """
import os
import subprocess
from dataclasses import dataclass
from typing import Any, ClassVar

from penstock import LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step
from penstock.stack import Orchestrator

def note(name):
    with open("ran.txt", "a") as log:
        log.write(name + "\\n")

@step
def first() -> int:
    note("first")
    return 1

@step(cache=False)
def sample(number: int) -> bytes:
    note("sample")
    return os.urandom(8)

@pipeline(progress=False)
def sampling() -> bytes:
    return sample(first())

@dataclass(frozen=True, kw_only=True)
class ByCommand(Orchestrator):
    flavor: ClassVar[str] = "by-command"

    def submit(self, job: Any, observer: Any) -> None:
        for call in job.pending:
            subprocess.run(job.command(call), check=True)

STORE = LocalArtifactStore(path="store")
HERE = Stack("here", orchestrator=LocalOrchestrator(), artifact_store=STORE)
THERE = Stack("there", orchestrator=ByCommand(), artifact_store=STORE)
"""


@pytest.mark.parametrize("where", ["HERE", "THERE"])
def test_steps_behind_one_that_runs_again_are_taken_too(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sample` is not known when the run is planned: what it needs was not there. Whoever runs it,
    also another process, looks into the run that is resumed."""
    Path("sampled.py").write_text(BY_COMMAND)
    Path("penstock.yaml").write_text("flavors: {orchestrator: {by-command: 'sampled:ByCommand'}}")
    monkeypatch.syspath_prepend(str(Path.cwd()))
    project = __import__("sampled")
    monkeypatch.delitem(sys.modules, "sampled")
    monkeypatch.setitem(sys.modules, "sampled", project)
    on = project.sampling.on(getattr(project, where))
    before = project.sampling.on(project.HERE).run()
    (Path("store/runs") / before.id / "steps/first.json").unlink()
    run = on.with_options(resume=before, cache=False).run()
    assert (ran(), run.result()) == (["first", "sample", "first"], before.result())


def test_map_items_are_taken_one_by_one() -> None:
    @step(cache=False)
    def square(number: int) -> int:
        note(f"square-{number}")
        if Path("broken").exists() and number == 2:
            raise ValueError("two")
        return number * number

    @pipeline(progress=False)
    def squaring() -> list[int]:
        return square.map([1, 2, 3])

    Path("broken").touch()
    stack = Stack(
        "one",
        orchestrator=LocalOrchestrator(max_workers=1, failure="finish"),
        artifact_store=LocalArtifactStore(path="store"),
    )
    with pytest.raises(RunFailed):
        squaring.on(stack).run()
    Path("broken").unlink()
    Path("ran.txt").unlink()
    assert squaring.on(stack).with_options(resume="last").run().result() == [1, 4, 9]
    assert ran() == ["square-2"]


# What is refused, before anything is written.


def runs() -> int:
    return len(Client().runs(limit=None))


def test_an_unknown_run_is_not_found() -> None:
    failed()
    with pytest.raises(NotFound, match=r"There is no run 'zzzz' in .*store|penstock"):
        night().with_options(resume="zzzz").run()
    assert runs() == 1


def test_of_a_whole_id_it_is_said_that_the_run_may_have_been_cleaned() -> None:
    with pytest.raises(NotFound, match="It was cleaned, or lies in another store"):
        night().with_options(resume="20260101-000000-0000-0000").run()


def test_a_run_object_of_another_store_is_not_found() -> None:
    elsewhere = Stack(
        "elsewhere",
        orchestrator=LocalOrchestrator(),
        artifact_store=LocalArtifactStore(path="elsewhere"),
    )
    before = night().on(elsewhere).run()
    with pytest.raises(NotFound, match=f"There is no run '{before.id}'"):
        night().with_options(resume=before).run()


def test_a_run_of_another_pipeline_is_refused() -> None:
    @pipeline(progress=False)
    def other() -> list[int]:
        return load(1)

    before = other.run()
    said = f"Run {before.id} cannot be resumed by pipeline 'nightly': it is a run of 'other'"
    with pytest.raises(BadArguments, match=re.escape(said)):
        night().with_options(resume=before).run()
    assert runs() == 1


def test_a_running_run_is_refused() -> None:
    going, go_on = threading.Event(), threading.Event()

    @step(cache=False)
    def waiting() -> int:
        going.set()
        go_on.wait(60)
        return 1

    @pipeline(progress=False)
    def long() -> int:
        return waiting()

    before = long.with_options(wait=False).run()
    going.wait(60)
    try:
        with pytest.raises(RunError, match=f"Run {before.id} cannot be resumed: it is still runn"):
            long.with_options(resume="last").run()
    finally:
        go_on.set()
        before.wait(60)


def test_without_any_run_there_is_nothing_to_resume() -> None:
    with pytest.raises(NotFound, match=r"nothing to resume: .* has started no run of 'nightly'"):
        night().with_options(resume="last").run()
    assert not Path(".penstock/runs").exists()


def test_a_parameter_that_is_only_described_must_be_given_again() -> None:
    @step
    def count(table: object) -> int:
        return 1

    @pipeline(progress=False)
    def counting(table: object, much: int = 1) -> int:
        return count(table)

    table = {1, complex(2)}
    before = counting.run(table)
    said = f"Run {before.id} of 'counting' was given a 'table' of which its record only says: a set"
    with pytest.raises(BadArguments, match=said):
        counting.with_options(resume=before).run()
    assert counting.with_options(resume=before).run(table).result() == 1


@dataclass(repr=False)
class Three:
    """Says that it is something else."""

    number: int

    def __repr__(self) -> str:
        return "3"


def test_a_description_that_looks_like_a_value_is_none() -> None:
    @step
    def count(three: Any) -> int:
        return 1

    @pipeline(progress=False)
    def counting(three: Any) -> int:
        return count(three)

    before = counting.run(Three(1))
    with pytest.raises(BadArguments, match="of which its record only says: 3"):
        counting.with_options(resume=before).run()


def test_a_parameter_that_was_masked_must_be_given_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOKEN", "very-secret")

    @step(secrets=["TOKEN"])
    def ask() -> int:
        return 1

    @pipeline(progress=False)
    def asking(token: str) -> int:
        return ask()

    before = asking.run("very-secret")
    with pytest.raises(BadArguments, match="'token' of which its record only says"):
        asking.with_options(resume=before).run()


def test_a_default_that_is_only_described_is_the_default_again() -> None:
    @step
    def name(kind: object) -> str:
        return "a"

    @pipeline(progress=False)
    def naming(kind: object = complex(1)) -> str:
        return name(kind)

    before = naming.run()
    assert naming.with_options(resume=before).run().result() == "a"


def test_a_parameter_that_the_pipeline_has_lost_is_left_out() -> None:
    @pipeline(progress=False)
    def changing(count: int, seed: int = 1) -> list[int]:
        return load(count)

    before = changing.run(4)

    @pipeline(name="changing", progress=False)
    def changed_since(count: int) -> list[int]:
        return load(count)

    assert changed_since.with_options(resume=before).run().result() == [0, 1, 2, 3]


# In words.


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ('{"code":"a"}', '{"code":"b"}', "its code"),
        ('{"code":"a","version":"1"}', '{"code":"b","version":"2"}', "its code, its version"),
        ('{"parameters":{"lr":"1"}}', '{"parameters":{"lr":"2"}}', "parameter lr"),
        ('{"parameters":{}}', '{"parameters":{"lr":"2"}}', "parameter lr"),
        ('{"inputs":{"rows":1}}', '{"inputs":{"rows":2}}', "its inputs"),
        ('{"code":"a","inputs":{"x":1}}', '{"code":"b","inputs":{"x":2}}', "its code, input x"),
        ('{"other":1}', '{"other":2}', "its key"),
        ("{", '{"code":"b"}', "its key"),
        ("[]", '{"code":"b"}', "its key"),
        ('{"parameters":[]}', '{"parameters":{"lr":"2"}}', "parameter lr"),
        ('{"parameters":"x"}', '{"parameters":{"lr":"2"}}', "its key"),
    ],
)
def test_what_differs_between_two_keys_is_said_in_words(before: str, now: str, said: str) -> None:
    assert changed(before, now) == said


# As a user sees it.

PROJECT = """
import os
import sys
import time

from penstock import pipeline, step

def note(name):
    with open("ran.txt", "a") as log:
        log.write(name + "\\n")

@step(cache=False)
def draw() -> bytes:
    note("draw")
    return os.urandom(8)

@step
def slow(seed: bytes) -> bytes:
    note("slow")
    if os.path.exists("stuck"):
        print("stuck", flush=True)
        time.sleep(60)
    return seed

@pipeline(progress=False)
def nightly() -> bytes:
    return slow(draw())

if __name__ == "__main__":
    nightly.cli()
"""


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    Path("project.py").write_text(PROJECT)
    Path("stuck").touch()
    with subprocess.Popen(
        [sys.executable, "project.py"], stdout=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "stuck\n"
        running.send_signal(signal.SIGKILL)
    Path("stuck").unlink()
    before = Client().runs()[0]["draw"].output.load()
    subprocess.run([sys.executable, "project.py", "--resume", "last"], check=True, timeout=60)
    assert ran() == ["draw", "slow", "slow"]
    assert Client().runs()[0]["slow"].output.load() == before
