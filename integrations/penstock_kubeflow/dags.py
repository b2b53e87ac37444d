"""DAGs: tasks with what they are told and what they wait for, in as many levels as it takes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from penstock.errors import CannotRun
from penstock_kubeflow import waiting
from penstock_kubeflow.names import Names
from penstock_kubeflow.nesting import Node, in_order, nested
from penstock_kubeflow.pods import TEXT, Pods
from penstock_kubeflow.settings import Settings
from penstock_kubeflow.tasks import Task

JOB: Final = "{{$.pipeline_job_uuid}}"
"""Kubeflow's own id of a run. It is replaced only where it is the whole input of a task."""

LARGEST: Final = 1_500_000
"""Bytes of what Kubeflow makes of a pipeline: one object in etcd, which takes 1.5 MiB
(`--max-request-bytes`)."""

AROUND: Final = 400
"""Bytes that Kubeflow writes there for a task, at the very least, besides the task's own text: once
in the DAG that it is part of, once for its driver. What is refused here would be refused there;
what is not may still be."""

_text: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode

Data = dict[str, Any]


class Dags:
    """The DAGs of one pipeline."""

    def __init__(self, pods: Pods, made: Mapping[int, Settings], limit: int) -> None:
        self.components: Data = {}
        self._pods = pods
        self._made = made
        self._limit = limit
        self._specs: dict[str, Data] = {}
        self._names = Names("root", "end", "steps")

    def root(self, tasks: Sequence[Task], ends: Settings | None) -> Data:
        """The outermost DAG. `ends`: and a task that ends the run, whatever became of the others.

        That task may depend on one other only, which is the DAG of all steps.
        """
        nodes = nested(self._nodes(tasks), self._part, self._limit)
        self._refuse_too_many(tasks)
        run = {"run": {**TEXT, "defaultValue": "new", "isOptional": True}}
        inputs = {"inputDefinitions": {"parameters": run}}
        if ends is None:
            return {**self._dag(nodes), **inputs}
        self.components["comp-steps"] = {**self._dag(nodes), **_needs_run()}
        both = {"steps": _of_dag("steps"), "end": self._end(ends)}
        return {"dag": {"tasks": both}, **inputs}

    def _nodes(self, tasks: Iterable[Task]) -> list[Node]:
        keys = {task.name: self._names.new(task.name) for task in tasks}
        found = []
        for task in tasks:
            key = keys[task.name]
            self._specs[key] = spec = self._task(task)
            upstream = frozenset(keys[up] for up in task.upstream)
            found.append(Node(key, upstream, size(key, spec)))
        return found

    def _task(self, task: Task) -> Data:
        component = self._pods.component(task, self._made[id(task.call.step)])
        spec = _task(task.name, component, call=_constant(task.name))
        policy = waiting.retry_policy(task.call.step.options.retry)
        return {**spec, "retryPolicy": policy} if policy else spec

    def _end(self, made: Settings) -> Data:
        spec = _task("end", self._pods.ending(made))
        whatever = {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
        return {**spec, "dependentTasks": ["steps"], "triggerPolicy": whatever}

    def _part(self, nodes: Sequence[Node], upstream: frozenset[str]) -> Node:
        """A DAG in a DAG, named after the first of its tasks."""
        name = self._names.new(f"from-{nodes[0].key}".replace("from-from-", "from-"))
        self.components[f"comp-{name}"] = {**self._dag(nodes), **_needs_run()}
        self._specs[name] = spec = _of_dag(name)
        return Node(name, upstream, size(name, spec), tuple(nodes))

    def _dag(self, nodes: Sequence[Node]) -> Data:
        beside = {node.key for node in nodes}
        tasks = {}
        for node in in_order(nodes):
            spec = self._specs[node.key]
            needs = sorted(node.upstream & beside)
            tasks[node.key] = {**spec, "dependentTasks": needs} if needs else spec
        return {"dag": {"tasks": tasks}}

    def _refuse_too_many(self, tasks: Sequence[Task]) -> None:
        total = sum(2 * size(key, spec) + AROUND for key, spec in self._specs.items())
        if total > LARGEST:
            raise CannotRun(
                f"The pipeline would have {len(tasks):,} pods. Kubeflow makes one object of it, of "
                f"at least {total:,} bytes, where etcd takes {LARGEST:,} at most.",
                hint="Use .map() for what is many times the same: few pods share its items.",
            )


def size(key: str, spec: Data) -> int:
    """Bytes of the text of a task, as it stands in the text of another."""
    return len(_text(_text({key: spec})).encode())


def _constant(text: str) -> Data:
    return {"runtimeValue": {"constant": text}}


def _task(name: str, component: str, **inputs: Data) -> Data:
    told = {**inputs, "run": {"componentInputParameter": "run"}, "job": _constant(JOB)}
    return {
        "cachingOptions": {},
        "componentRef": {"name": component},
        "inputs": {"parameters": told},
        "taskInfo": {"name": name},
    }


def _of_dag(name: str) -> Data:
    return {
        "cachingOptions": {},
        "componentRef": {"name": f"comp-{name}"},
        "inputs": {"parameters": {"run": {"componentInputParameter": "run"}}},
        "taskInfo": {"name": name},
    }


def _needs_run() -> Data:
    return {"inputDefinitions": {"parameters": {"run": TEXT}}}
