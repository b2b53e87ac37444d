"""What is read out of the answers of Kubeflow: nothing in them is certain to be there."""

import copy
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_plus

import pytest
from drawn_jobs import job, pods
from hypothesis import example, given
from hypothesis import strategies as st
from large_graphs import apart, chain, hello, known_later, spread, wide

from penstock_kubeflow import KubeflowOrchestrator, compiling, details
from penstock_kubeflow.experiments import equals
from penstock_kubeflow.workflow import Workflow

KUBEFLOW = KubeflowOrchestrator(image="a")
ANSWER = {
    "run_id": "a", "state": "FAILED", "created_at": "2026-01-01T00:00:00Z",
    "pipeline_spec": {
        "pipeline_spec": compiling.compile(job(hello.graph(), ends=True), KUBEFLOW).spec,
    },
    "run_details": {
        "task_details": [
            {"display_name": "load", "state": "FAILED", "start_time": "1970-01-01T00:00:00Z"},
            {"display_name": "double", "state": "PENDING", "create_time": "2026-01-01T00:00:00Z"},
        ]
    },
}  # fmt: skip
MANIFEST = {
    "spec": {"activeDeadlineSeconds": 0},
    "status": {
        "phase": "Failed", "message": "child failed",
        "nodes": {
            "a": {"name": "x.root.load.executor(0)", "type": "Pod", "phase": "Failed",
                  "message": "OOMKilled", "startedAt": "2026-01-01T00:00:00Z"},
            "b": {"name": "x.root.double-driver", "type": "Pod", "phase": "Pending"},
        },
    },
}  # fmt: skip


@given(st.text(max_size=30), st.sampled_from(["EQUALS", "IS_SUBSTRING"]))
@example("50% + more é", "EQUALS")
@example("%2B %25 +", "EQUALS")
def test_a_filter_says_the_same_decoded_once_or_twice(value: str, how: str) -> None:
    text = equals("display_name", value, how)
    for said in (text, unquote_plus(text)):
        assert json.loads(said)["predicates"] == [
            {"operation": how, "key": "display_name", "stringValue": value}
        ]


@pytest.mark.parametrize(
    ("graph", "limit"),
    [
        (chain.graph(length=60), 6000), (wide.graph(width=40), 6000), (spread.graph(), 4000),
        (apart.graph(), 3000), (known_later.graph(), 112 * 1024), (hello.graph(), 112 * 1024),
    ],
)  # fmt: skip
def test_each_task_is_the_step_that_its_pod_is_told(graph: Any, limit: int) -> None:
    """However deep it is nested."""
    made = compiling.compile(job(graph), KUBEFLOW, limit=limit)
    steps = details.steps({"pipeline_spec": {"pipeline_spec": made.spec}})
    assert sorted(filter(None, steps.values())) == sorted(pods(made))
    assert steps == details.steps({"pipeline_spec": made.spec})  # as it is without a second part


def places(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all that is in it."""
    found = data.items() if isinstance(data, dict) else enumerate(data)
    for key, value in found:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def without(data: Any, path: tuple[Any, ...], *, null: bool) -> Any:
    """The same, but for what stands there."""
    changed = inner = copy.deepcopy(data)
    for key in path[:-1]:
        inner = inner[key]
    if null or isinstance(inner, list):
        inner[path[-1]] = None
    else:
        del inner[path[-1]]
    return changed


@given(st.sampled_from([*places(ANSWER)]), st.booleans())
def test_whatever_is_missing_in_an_answer_the_rest_is_read(path: Any, null: bool) -> None:
    answer = without(ANSWER, path, null=null)
    assert set(details.steps(answer).values()) <= {"load", "double", ""}
    assert set(details.failed(answer)) <= {"load", ""}
    assert isinstance(details.waits(answer, 1e10), bool)


@given(st.sampled_from([*places(MANIFEST)]), st.booleans())
def test_whatever_is_missing_in_a_workflow_the_rest_is_read(path: Any, null: bool) -> None:
    found = Workflow(without(MANIFEST, path, null=null))
    assert {pod.task for pod in found.pods} <= {"load", "double", ""}
    assert (found.is_over, found.was_ended, found.message) is not None
