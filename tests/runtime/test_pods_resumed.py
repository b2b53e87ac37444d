"""Pods of a run that goes on with an earlier one, also with what is in no cache."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pods
import pytest
from pods import Cluster

from penstock import Status

SHAKY = """
import os
from penstock import pipeline, step

@step(cache=False)
def load(count: int) -> list[int]:
    print("loading", count)
    return list(range(count % 10))

@step(cache=False)
def double(x: int) -> int:
    if str(x) == os.environ.get("BROKEN"):
        raise ValueError(f"no {x}")
    return 2 * x

@step(cache=False)
def total(xs: list[int]) -> int:
    if "BROKEN" in os.environ:
        raise ValueError("no total")
    return sum(xs)

@step
def half(value: int) -> int:
    return value // 2

@pipeline(progress=False)
def summing(count: int = 4) -> int:
    return half(total(load(count)))

@pipeline(progress=False)
def mapped(count: int = 4) -> int:
    return total(double.map(load(count)))
"""

Compiled = Callable[..., Cluster]


@pytest.fixture
def compiled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Compiled]:
    pods.write_project(tmp_path)
    (tmp_path / "shaky.py").write_text(SHAKY)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    module: Any = __import__("shaky")

    def make(name: str, *args: Any, resume: str | None = None, **options: Any) -> Cluster:
        pipeline = getattr(module, name)
        if resume is not None:
            pipeline = pipeline.with_options(resume=resume)
        return pods.compiled(tmp_path, pipeline, *args, **options)

    yield make
    sys.modules.pop("shaky", None)
    pods.end_all()


def failed(cluster: Cluster, *calls: str, broken: str) -> str:
    """The id of a run whose last step has failed."""
    *done, last = calls
    for call in done:
        cluster.pod(call)
    cluster.pod(last, 1, environment={"BROKEN": broken})
    assert cluster.records.status is Status.FAILED
    return cluster.records.id


def sources(cluster: Cluster) -> dict[str, str]:
    """Step → its status, and the run that has computed it if that is another."""
    return {
        view.id: f"{view.status} {(view.record.source or ('',))[0]}".strip()
        for view in cluster.records
    }


def test_each_pod_looks_in_the_run_that_is_resumed(compiled: Compiled) -> None:
    first = failed(compiled("summing"), "load", "total", broken="-")
    cluster = compiled("summing", resume=first)
    assert "loading" in Cluster(cluster.folder, cluster.commands).pod("load", resumed=None).out
    assert "loading" not in cluster.pod("load").out
    cluster.pod("total")
    cluster.pod("half")
    assert cluster.records["half"].output.load() == 3
    assert cluster.records.record.resumed == first
    assert sources(cluster) == {
        "load": f"cached {first}", "total": "completed", "half": "completed",
    }  # fmt: skip


def test_what_it_has_is_left_out_of_what_is_compiled(compiled: Compiled) -> None:
    first = failed(compiled("summing"), "load", "total", broken="-")
    cluster = compiled("summing", resume=first, everything=False)
    assert "load" not in cluster.commands
    cluster.pod("total")
    cluster.pod("half")
    assert cluster.records["half"].output.load() == 3
    assert sources(cluster)["load"] == f"cached {first}"


def test_what_was_not_known_before_is_found_there_by_the_pod(compiled: Compiled) -> None:
    """The first step is another one, and gives the same: so the second one is what it was."""
    before = compiled("summing")
    for call in ("load", "total", "half"):
        before.pod(call)
    cluster = compiled("summing", 14, resume=before.records.id, everything=False)
    assert "loading 14" in cluster.pod("load").out
    cluster.pod("total")
    cluster.pod("half")
    first = before.records.id
    assert sources(cluster) == {
        "load": "completed", "total": f"cached {first}", "half": f"cached {first}",
    }  # fmt: skip


def test_items_of_a_map_are_taken_from_it(compiled: Compiled) -> None:
    before = compiled("mapped")
    first = failed(before, "load", "double:0/2", "double:1/2", broken="2")
    cluster = compiled("mapped", resume=first)
    for call in ("load", "double:0/2", "double:1/2", "total"):
        cluster.pod(call)
    assert cluster.records["total"].output.load() == 12
    found = sources(cluster)
    assert [found[f"double.{place}"] for place in range(4)] == [
        f"cached {first}", f"cached {first}", "completed", f"cached {first}",
    ]  # fmt: skip


def test_a_run_that_is_handed_over_takes_over_what_it_resumes(
    compiled: Compiled, tmp_path: Path
) -> None:
    first = failed(compiled("summing"), "load", "total", broken="-")
    pipeline = sys.modules["shaky"].summing.with_options(resume=first)
    run = pipeline.on(pods.stack_in(tmp_path)).run()
    assert run.result() == 3
    assert run["load"].status is Status.CACHED
    assert run["total"].status is Status.COMPLETED


@pytest.mark.parametrize("everything", [True, False])
def test_a_run_that_was_cleaned_meanwhile_is_done_without(
    everything: bool, compiled: Compiled, tmp_path: Path
) -> None:
    first = failed(compiled("summing"), "load", "total", broken="-")
    cluster = compiled("summing", resume=first, everything=everything)
    shutil.rmtree(tmp_path / "store" / "runs" / first)
    if everything:
        cluster.pod("load")
    cluster.pod("total")
    assert sources(cluster)["load"] == "completed"
