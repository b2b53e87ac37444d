"""Pods: steps on other machines, which find all that they need in the store."""

import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pods
import pytest
from pods import Cluster

import penstock
from penstock import Status
from penstock.errors import NotFound
from penstock.runtime.elsewhere import jobs
from penstock.stack.orchestrator import ENVIRONMENT

Compiled = Callable[..., Cluster]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    pods.write_project(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield __import__("project")
    for name in ("project", "told", "big", "small"):
        sys.modules.pop(name, None)
    pods.end_all()


@pytest.fixture
def compiled(project: Any, tmp_path: Path) -> Compiled:
    def make(name: str, *args: Any, **options: Any) -> Cluster:
        return pods.compiled(tmp_path, getattr(project, name), *args, **options)

    return make


def told(tmp_path: Path) -> dict[str, str]:
    return {"TOLD": str(tmp_path / "told.txt")}


def heard(tmp_path: Path) -> list[str]:
    file = tmp_path / "told.txt"
    return file.read_text().splitlines() if file.exists() else []


# The whole way.


def test_a_run_is_carried_out_by_pods_from_an_empty_folder(project: Any, tmp_path: Path) -> None:
    run = project.summing.on(pods.stack_in(tmp_path)).run(4)
    assert run.result() == 12
    assert run.status is Status.COMPLETED
    assert run["load"].logs() == "loading 4\n"
    assert jobs.job_of(pods.store_in(tmp_path), run.id) == f"job-{run.id}"
    again = project.summing.on(pods.stack_in(tmp_path)).run(4)
    assert {view.status for view in again} == {Status.CACHED}


def test_each_job_of_what_was_compiled_is_a_run_of_its_own(compiled: Compiled) -> None:
    first = compiled("waiting")
    first.pod("wait")
    second = Cluster(first.folder, first.commands)
    second.pod("wait")
    runs = [each.records for each in (first, second)]
    assert runs[0].id != runs[1].id
    assert [run["wait"].status for run in runs] == [Status.COMPLETED, Status.CACHED]
    assert {run.status for run in runs} == {Status.COMPLETED}
    assert [run.record.job for run in runs] == [first.job, second.job]
    assert all(run.record.elsewhere for run in runs)


@pytest.mark.parametrize("plan", ["the same", "another"])
def test_a_job_that_somebody_leads_to_another_run_writes_nothing_there(
    compiled: Compiled, plan: str
) -> None:
    """Whoever can write to the store can write which run a job is; a pod has a key, and signs."""
    theirs = compiled("summing", 5)
    theirs.pod("load")
    run = theirs.records
    mine = replace(theirs, job="mine") if plan == "the same" else compiled("summing", 1000)
    store = theirs.store
    store.put(jobs.job_key(mine.job), [json.dumps({"run": run.id}).encode()])
    before = {entry.key for entry in store.tree(f"runs/{run.id}/")}

    assert f"{jobs.job_key(mine.job)} in" in mine.pod("total", code=3).err
    assert {entry.key for entry in store.tree(f"runs/{run.id}/")} == before


def test_pods_that_start_at_once_agree_on_the_run(compiled: Compiled) -> None:
    cluster = compiled("fixed", 8)
    started = [cluster.start(f"double.{place}") for place in range(4)]
    assert [each.wait(60) for each in started] == [0] * 4
    for each in started:
        each.communicate()
    assert len(os.listdir(cluster.folder / "store" / "runs")) == 1
    assert sum(view.status is Status.COMPLETED for view in cluster.records) == 4


# Maps in a few pods.


def test_a_share_of_a_map_is_a_stretch_of_its_items(compiled: Compiled) -> None:
    cluster = compiled("fixed", 5)
    cluster.pod("double:0/2")
    done = os.listdir(cluster.ledger.store.path + f"/runs/{cluster.records.id}/steps")
    assert sorted(done) == ["double.0.json", "double.1.json"]
    cluster.pod("double:1/2")
    cluster.pod("total")
    assert cluster.records["total"].output.load() == 20


def test_of_a_list_known_at_run_time_whoever_does_the_last_item_gathers(
    compiled: Compiled,
) -> None:
    cluster = compiled("summing", 5)
    cluster.pod("load")
    cluster.pod("double:1/2")
    assert cluster.ledger.step(cluster.records.id, "double") is None
    cluster.pod("double:0/2")
    assert cluster.ledger.step(cluster.records.id, "double") is not None
    cluster.pod("total")
    assert cluster.records["total"].output.load() == 20


def test_a_share_that_is_tried_again_does_only_what_is_missing(
    compiled: Compiled, tmp_path: Path
) -> None:
    cluster = compiled("summing", 4)
    cluster.pod("load")
    cluster.pod("double:0/2")
    broken = cluster.pod("double:1/2", 1, environment={"BROKEN": "2", **told(tmp_path)})
    assert "ValueError: no 2" in broken.err
    assert heard(tmp_path)[-1] == "success double.3 completed"  # it went on
    cluster.pod("double:1/2", environment=told(tmp_path))
    assert heard(tmp_path)[4:] == ["success double.2 completed"]
    run = cluster.records
    assert run["double.2"].record.attempt == 2
    cluster.pod("total")
    assert cluster.records.status is Status.COMPLETED


@pytest.mark.parametrize("what", ["plan", "record", "code"])
def test_what_is_gone_that_no_step_makes_is_compiled_again(compiled: Compiled, what: str) -> None:
    cluster = compiled("waiting")
    digest = cluster.argv("wait")[cluster.argv("wait").index(f"--{what}") + 1]
    (cluster.folder / "store" / "objects" / digest[:2] / digest).unlink()
    said = cluster.pod("wait", 5).err
    assert said.startswith(f"Error: The {what} of the compiled pipeline is gone from the store")
    assert "Compile the pipeline again" in said
    assert "penstock pipeline compile FILE:NAME -o FILE" in said
    assert "the step that made it" not in said


def test_each_job_says_once_that_what_was_compiled_is_in_use(compiled: Compiled) -> None:
    cluster = compiled("summing")
    (file,) = (cluster.folder / "store" / "compiled").iterdir()
    said = json.loads(file.read_text())
    code = cluster.argv("load")[cluster.argv("load").index("--code") + 1]
    assert (said["record"], said["code"], said["pipeline"]) == (file.name, code, "summing")
    assert said["plan"] in cluster.argv("load")
    os.utime(file, (0, 0))
    cluster.pod("load")
    assert {**json.loads(file.read_text()), "time": said["time"]} == said
    assert file.stat().st_mtime > time.time() - 600
    os.utime(file, (0, 0))
    cluster.pod("load")
    assert file.stat().st_mtime == 0  # the job is known by now


# Attempts: each in a pod of its own.


def test_a_pod_makes_one_attempt_and_the_next_one_has_the_next_number(compiled: Compiled) -> None:
    cluster = compiled("picking", "os")
    for _ in range(2):
        cluster.pod("picky", 1)
    attempts = cluster.ledger.attempts(cluster.records.id, "picky")
    assert [each.attempt for each in attempts] == [1, 2]
    assert cluster.records.status is Status.FAILED


def test_what_retries_are_not_for_is_refused_until_somebody_asks_for_it(
    compiled: Compiled,
) -> None:
    cluster = compiled("picking", "value")
    assert "not tried again" not in cluster.pod("picky", 1).err
    for _ in range(2):
        said = cluster.pod("picky", 1, environment={"KIND": "os"}).err
        assert (
            "picky is not tried again: attempt 1 failed (ValueError: value), and retries are for "
            "OSError only. A pod that somebody starts once its retries are used up does try it."
        ) in said
        assert "ValueError: value" in said.partition("The error was:")[2]
    shown = cluster.records["picky"].record
    assert shown.attempt == 1
    assert shown.cpu > 0
    attempts = cluster.ledger.attempts(cluster.records.id, "picky")
    assert [each.attempt for each in attempts] == [1, 1, 1]
    assert [each.failure and each.failure.kind for each in attempts] == ["ValueError"] * 3
    assert attempts[0].final == "retries are for OSError only"
    assert attempts[0].cpu > 0 == attempts[1].cpu  # which was not carried out
    assert "not tried again" not in cluster.pod("picky", 1, environment={"KIND": "os"}).err
    last = cluster.records["picky"].record
    assert (last.attempt, last.failure and last.failure.kind) == (2, "OSError")


def test_a_step_that_is_done_is_not_done_again(compiled: Compiled) -> None:
    cluster = compiled("waiting")
    cluster.pod("wait")
    before = cluster.records["wait"].record
    assert "waiting" not in cluster.pod("wait").out
    assert cluster.records["wait"].record == before


# Hooks: nobody else tells them.


def test_hooks_of_a_step_are_told_in_its_pod(compiled: Compiled, tmp_path: Path) -> None:
    cluster = compiled("fixed", 2)
    cluster.pod("double.0", environment=told(tmp_path))
    cluster.pod("double.1", 1, environment={"BROKEN": "1", **told(tmp_path)})
    assert heard(tmp_path) == [
        "start double.0 running", "success double.0 completed",
        "start double.1 running", "failure double.1 failed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("second", "last"), [(0, "success shaky completed"), (1, "failure shaky failed")]
)
def test_hooks_of_a_step_that_is_tried_again_are_told_once(
    compiled: Compiled, tmp_path: Path, second: int, last: str
) -> None:
    cluster = compiled("shaking")
    broken = {"BROKEN": "1", **told(tmp_path)}
    cluster.pod("shaky", 1, environment=broken)
    assert heard(tmp_path) == ["start shaky running"]
    cluster.pod("shaky", second, environment=broken if second else told(tmp_path))
    assert heard(tmp_path) == ["start shaky running", last]


def test_hooks_of_the_pipeline_are_told_by_the_first_pod_and_at_the_end(
    compiled: Compiled, tmp_path: Path
) -> None:
    cluster = compiled("waiting")
    cluster.pod("wait", environment=told(tmp_path))
    cluster.pod("--end", environment=told(tmp_path))
    assert heard(tmp_path) == ["begin waiting running", "good waiting completed"]
    sealed = cluster.ledger.sealed(cluster.records.id)
    assert sealed is not None
    assert sealed.status is Status.COMPLETED
    assert sealed.steps == {"wait": cluster.ledger.step_digest(cluster.records.id, "wait")}


def test_what_hooks_of_the_pipeline_say_is_masked_and_in_the_log_of_the_run(
    compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_URL", "postgres://canary")
    cluster = compiled("asking")
    given = {"DB_URL": "postgres://canary"}
    assert cluster.pod("secretive", environment=given).out == "begin ***\n"
    assert cluster.pod("--end", environment=given).out == "good ***\n"
    said = cluster.records.logs()
    assert sorted(said.splitlines()) == ["begin ***", "good ***"]


def test_a_run_of_which_no_step_has_begun_can_be_ended(compiled: Compiled, tmp_path: Path) -> None:
    cluster = compiled("waiting")
    cluster.pod("--end", environment=told(tmp_path))
    assert heard(tmp_path) == ["bad waiting lost"]
    assert cluster.records.status is Status.LOST


# What is wrong is said once, and can be found in the run.


def failure(cluster: Cluster, call: str) -> str:
    found = cluster.records[call].record.failure
    assert found is not None
    return f"{found.kind}: {found.message}"


def test_another_python_is_refused(compiled: Compiled) -> None:
    cluster = compiled("waiting")
    ended = cluster.pod("wait", 3, python="3.9")
    assert ended.err.startswith(f"Error: The image has Python {pods.PYTHON}, and the run was made ")
    assert "Take an image with Python 3.9" in ended.err
    assert "Traceback" not in ended.err
    assert failure(cluster, "wait").startswith("CannotRun: The image has Python")
    assert cluster.records.status is Status.FAILED
    assert "The image has Python" in cluster.records["wait"].logs()


def test_another_store_is_refused(compiled: Compiled) -> None:
    cluster = compiled("waiting")
    ended = cluster.pod("wait", 3, store="0" * 16)
    assert "is another one here than the one that the run was made for" in ended.err
    assert not (cluster.folder / "store" / "jobs").exists()


def test_a_store_that_is_not_there_is_not_made(compiled: Compiled, tmp_path: Path) -> None:
    cluster = compiled("waiting")
    words = cluster.argv("wait")
    stack = words[words.index("--stack") + 1].replace(f"{tmp_path}/store", f"{tmp_path}/none")
    ended = cluster.pod("wait", 3, stack=stack)
    assert "there is no artifact store" in ended.err
    assert not (tmp_path / "none").exists()


def test_a_reference_that_the_pod_lacks_is_said_to_be_missing_there(
    compiled: Compiled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACE", str(tmp_path / "store"))
    cluster = compiled("waiting")
    words = cluster.argv("wait")
    stack = words[words.index("--stack") + 1].replace(f"{tmp_path}/store", "${env:PLACE}")
    ended = cluster.pod("wait", 3, stack=stack)
    assert ended.err.startswith("Error: It is missing in the pod, where the step is to run: ")
    assert "'PLACE'" in ended.err
    cluster.pod("wait", stack=stack, environment={"PLACE": str(tmp_path / "store")})


def test_code_that_is_not_what_its_digest_says_is_refused(compiled: Compiled) -> None:
    cluster = compiled("waiting")
    digest = cluster.argv("wait")[cluster.argv("wait").index("--code") + 1]
    file = cluster.folder / "store" / "objects" / digest[:2] / digest
    file.chmod(0o600)
    file.write_bytes(file.read_bytes() + b"!")
    ended = cluster.pod("wait", 5)
    assert "is not what its digest says" in ended.err
    assert failure(cluster, "wait").startswith("CorruptArtifact: The code")


def test_a_job_that_the_engine_has_not_named_is_refused(compiled: Compiled) -> None:
    cluster = compiled("waiting")
    ended = cluster.pod("wait", 3, job="{{$.pipeline_job_uuid}}")
    assert "is no id of a job: the engine has not filled it in" in ended.err


def test_a_module_that_cannot_be_imported_is_an_attempt_that_failed(compiled: Compiled) -> None:
    cluster = compiled("parting")
    cluster.pod("fitted", 1)
    assert failure(cluster, "fitted").startswith("ModuleNotFoundError: No module named 'elsewhere'")


def test_a_pod_does_without_what_only_other_steps_can_import(compiled: Compiled) -> None:
    cluster = compiled("reporting")
    small = {"SMALL": "1"}
    assert "libcuda.so.1" in cluster.pod("fit", 1, environment=small).err
    assert failure(cluster, "fit").startswith("OSError: libcuda.so.1")
    cluster.pod("fit")
    cluster.pod("report", environment=small)
    assert cluster.records["report"].output.load() == 4


def test_a_missing_secret_is_told_before_the_step_begins(
    compiled: Compiled, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_URL", "postgres://canary")
    cluster = compiled("asking")
    ended = cluster.pod("secretive", 3)
    assert "In the pod, step secretive" in ended.err
    assert "'DB_URL'" in ended.err
    cluster.pod("secretive", environment={"DB_URL": "postgres://canary"})
    assert cluster.records["secretive"].output.load() == len("postgres://canary")


def test_what_a_step_needs_and_is_not_done_is_named(compiled: Compiled) -> None:
    cluster = compiled("fixed", 2)
    cluster.pod("double.0")
    assert "Step total needs step double.1, which is not done yet." in cluster.pod("total", 3).err


# The end before its time.


def test_a_signal_is_recorded_and_told_by_the_exit_code(compiled: Compiled) -> None:
    cluster = compiled("waiting", 30.0)
    process = cluster.start("wait")
    wait_for(lambda: "waiting" in logged(cluster, "wait"))  # also while it runs
    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM, err
    assert time.monotonic() - begun < 10
    assert cluster.records["wait"].status is Status.STOPPED
    assert cluster.records.status is Status.STOPPED
    assert not os.listdir(cluster.folder / "store" / "runs" / cluster.records.id / "beats")


def test_a_signal_before_the_step_begins_is_recorded_as_well(compiled: Compiled) -> None:
    cluster = compiled("waiting", 30.0)
    slow = cluster.folder / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(
        "import sys\n"
        "class Slow:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'project':\n"
        "            print('importing', flush=True)\n"
        "            import time; time.sleep(30)\n"
        "sys.meta_path.insert(0, Slow())\n"
    )
    process = cluster.start("wait", environment={"PYTHONPATH": str(slow)})
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert cluster.records["wait"].status is Status.STOPPED


def test_a_run_that_was_cancelled_stops_and_begins_no_more_and_tells_no_hook(
    compiled: Compiled, tmp_path: Path
) -> None:
    """An engine may start the last pod all the same."""
    cluster = compiled("waiting", 30.0)
    process = cluster.start("wait", environment=told(tmp_path))
    wait_for(lambda: "waiting" in logged(cluster, "wait"))
    assert cluster.records.status is Status.RUNNING
    cluster.records.cancel()
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "was cancelled by" in err
    assert cluster.records["wait"].status is Status.STOPPED
    assert "was cancelled by" in cluster.pod("wait", 130).err
    assert len(cluster.ledger.attempts(cluster.records.id, "wait")) == 1
    cluster.pod("--end", environment=told(tmp_path))
    assert heard(tmp_path) == ["begin waiting running"]
    assert cluster.records.status is Status.STOPPED


def logged(cluster: Cluster, call: str) -> str:
    try:
        return cluster.records[call].logs()
    except (FileNotFoundError, NotFound):  # no pod has begun yet
        return ""


def wait_for(fact: Callable[[], bool]) -> None:
    until = time.monotonic() + 20
    while not fact():
        assert time.monotonic() < until
        time.sleep(0.05)


# As a container: an unknown user, without capabilities, on a read-only root.


@pytest.fixture
def confined(tmp_path: Path) -> list[str]:
    if why := pods.why_not_confined(tmp_path):
        pytest.skip(f"no process can be confined here: {why}")
    return pods.confined(tmp_path)


@pytest.mark.parametrize("home", [{}, {"HOME": "/"}, {"HOME": "/home/nobody"}])
def test_a_confined_pod_needs_nothing_but_a_place_for_temporary_files(
    home: dict[str, str], compiled: Compiled, confined: list[str]
) -> None:
    cluster = compiled("placing")
    ended = cluster.pod("placed", before=confined, only=home)
    run = cluster.records
    folder, seen, *path = run["placed"].output.load()
    assert folder.startswith("/tmp/penstock-12345/")
    assert folder in path
    assert str(cluster.folder) not in path
    assert seen == home.get("HOME", "")
    assert run.record.user == Path(cluster.folder).owner()  # who has compiled it
    assert "can be loaded by this process only" in ended.err


def test_the_first_process_of_a_container_hears_signals(
    compiled: Compiled, confined: list[str]
) -> None:
    cluster = compiled("waiting", 30.0)
    process = cluster.start("wait", before=confined, only={})
    wait_for(lambda: "waiting" in logged(cluster, "wait"))
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
    begun = time.monotonic()
    os.kill(int(children), signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 128 + signal.SIGTERM
    assert time.monotonic() - begun < 10
    assert cluster.records["wait"].status is Status.STOPPED


# Signatures: a pod makes no key of its own that anybody would find later.


def test_without_a_key_pickles_are_kept_and_not_loaded(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", "a long random text")
    with_key = pods.stack_in(tmp_path, signing_key="${env:TEAM_KEY}")
    cluster = pods.compiled(tmp_path, project.training, stack=with_key)
    stack = json.JSONEncoder().encode(pods.stack_in(tmp_path).to_data())
    assert "has no signing_key here" in cluster.pod("train", stack=stack).err
    ended = cluster.pod("use", 1, stack=stack)
    assert "UntrustedArtifact" in ended.err
    assert not (cluster.folder / "home").exists()


def test_with_the_key_of_the_store_they_are(
    project: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_KEY", "a long random text")
    stack = pods.stack_in(tmp_path, signing_key="${env:TEAM_KEY}")
    cluster = pods.compiled(tmp_path, project.training, stack=stack)
    key = {"TEAM_KEY": "a long random text"}
    assert cluster.pod("train", environment=key).err.startswith("  train")
    cluster.pod("use", environment=key)
    assert cluster.records["use"].output.load() == 3
    assert {view.status for view in project.training.on(stack).run()} == {Status.CACHED}


# What was known when it was compiled.


def test_what_was_left_out_is_found_in_every_run(project: Any, tmp_path: Path) -> None:
    stack = pods.stack_in(tmp_path)
    project.summing.with_options(to_step="load").on(stack).run(5)
    cluster = pods.compiled(tmp_path, project.summing, 5, stack=stack, everything=False)
    assert "load" not in cluster.commands
    for call in ("double:0/2", "double:1/2", "total"):
        cluster.pod(call)
    assert cluster.records["total"].output.load() == 20
    assert cluster.records["load"].status is Status.CACHED


def test_what_was_left_out_and_is_gone_is_computed_again(project: Any, tmp_path: Path) -> None:
    stack = pods.stack_in(tmp_path)
    project.summing.with_options(to_step="load").on(stack).run(5)
    cluster = pods.compiled(tmp_path, project.summing, 5, stack=stack, everything=False)
    for folder in ("cache", "runs"):
        shutil.rmtree(tmp_path / "store" / folder)
    ended = cluster.pod("double:0/2")
    assert "load is computed again: it was cached, and it is gone" in ended.err
    assert cluster.records["load"].status is Status.COMPLETED


# The code, and penstock itself.


def test_another_penstock_than_the_pods_comes_with_the_code(
    compiled: Compiled, tmp_path: Path
) -> None:
    cluster = compiled("placing")
    other = tmp_path / "image"
    shutil.copytree(Path(penstock.__file__).parent, other / "penstock",
                    ignore=shutil.ignore_patterns("__pycache__"))  # fmt: skip
    (other / "penstock" / "py.typed").write_text("another one\n")
    cluster.pod("placed", environment={"PYTHONPATH": str(other)})
    path = cluster.records["placed"].output.load()
    shipped = [entry for entry in path if (Path(entry) / "penstock" / "__init__.py").exists()]
    assert shipped[0].startswith(str(tmp_path / "tmp"))
    assert path.index(shipped[0]) < path.index(str(other))


def test_a_folder_of_somebody_else_is_not_used(compiled: Compiled, tmp_path: Path) -> None:
    cluster = compiled("placing")
    taken = tmp_path / "tmp" / f"penstock-{os.geteuid()}"
    taken.mkdir(parents=True)
    taken.chmod(0o777)
    cluster.pod("placed")
    folder = cluster.records["placed"].output.load()[0]
    assert not folder.startswith(str(taken))
    assert not os.listdir(taken)


def test_the_code_is_unpacked_once(compiled: Compiled, tmp_path: Path) -> None:
    cluster = compiled("fixed", 2)
    cluster.pod("double.0")
    private = tmp_path / "tmp" / f"penstock-{os.geteuid()}"
    before = os.stat(private / os.listdir(private)[0])
    cluster.pod("double.1")
    assert [os.stat(private / name).st_ino for name in os.listdir(private)] == [before.st_ino]
    assert private.stat().st_mode & 0o777 == 0o700
    next(private.rglob("manifest.json")).unlink()  # as whoever tidies up /tmp may do
    cluster.pod("total")


# What it costs.

HEAVY = ("networkx", "kfp", "numpy", "pandas", "click", "rich", "fsspec", "cloudpickle")


def test_a_pod_loads_little_before_the_users_modules(compiled: Compiled) -> None:
    cluster = compiled("costing")
    cluster.pod("costs")
    loaded, seconds = (made.load() for made in cluster.records["costs"].outputs.values())
    assert not set(HEAVY) & set(loaded)
    assert seconds < 1.5  # 0.25 on a machine that has nothing else to do


def test_what_is_installed_is_noted_by_the_first_pod(compiled: Compiled) -> None:
    cluster = compiled("waiting")
    cluster.pod("wait")
    (noted,) = (cluster.folder / "store" / "environments").iterdir()
    assert json.loads(noted.read_text())["text"] == "image"


def test_a_pod_that_is_told_what_it_runs_in_believes_that(compiled: Compiled) -> None:
    """Its orchestrator may refer to what only the machine has that submits."""
    cluster = compiled("waiting")
    cluster.pod("wait", environment={ENVIRONMENT: "another image"})
    (noted,) = (cluster.folder / "store" / "environments").iterdir()
    assert json.loads(noted.read_text())["text"] == "another image"
