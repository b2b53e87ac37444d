"""Jobs to compile: real plans of real pipelines, without a run and a store behind them; and what is
read back from what was compiled, by kfp's own definitions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from penstock.model.graph import Graph
from penstock.model.plan import Plan
from penstock_kubeflow import KubeflowOrchestrator
from penstock_kubeflow.compiling import Compiled, compile

STACK = {"name": "prod", "note": "{{workflow.name}} and $(HOME)"}
"""With what Argo and Kubernetes would replace, if it stood there as it is."""


@dataclass
class Drawn:
    """A job (`penstock.stack.orchestrator.Job`), as far as a compiler asks for it."""

    plan: Plan
    done: frozenset[str] = frozenset()
    asked: list[str] = field(default_factory=list)
    """What it was asked for a command line of."""

    @property
    def pending(self) -> Sequence[str]:
        return [id for id in self.plan.graph.calls if id not in self.done]

    def command(self, call_id: str, *, run: str = "", job: str = "") -> Sequence[str]:
        self.asked.append(call_id)
        return [*self._entrypoint(run, job), "--call", call_id]

    def ending(self, *, run: str, job: str) -> Sequence[str]:
        return [*self._entrypoint(run, job), "--end"]

    def _entrypoint(self, run: str, job: str) -> Sequence[str]:
        stack = json.JSONEncoder().encode(STACK)
        said = ["--run", run, "--plan", "a" * 64, "--job", job, "--stack", stack]
        return ["/home/of/the/laptop/python", "-m", "penstock.runtime.entrypoint", *said]


def job(
    graph: Graph,
    done: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    ends: bool = False,
) -> Drawn:
    """`settings` are those of the pipeline; `ends`: its hooks are told."""
    said = {"kubeflow": settings} if settings else {}
    return Drawn(Plan("", graph, "module:name", {}, settings=said, ends=ends), frozenset(done))


def compiled(drawn: Drawn | Graph, **options: Any) -> Compiled:
    drawn = job(drawn) if isinstance(drawn, Graph) else drawn
    options = {"image": "registry.example/team/python:3", **options}
    return compile(drawn, KubeflowOrchestrator(**options))  # type: ignore[arg-type]


@dataclass(frozen=True)
class Pod:
    """One task, as Kubeflow would start it."""

    name: str
    container: Any
    """kfp's `PipelineContainerSpec`."""
    config: Any
    """kfp's `KubernetesExecutorConfig`."""
    task: Any
    """kfp's `PipelineTaskSpec`."""
    before: frozenset[str]
    """The pods that have ended when it starts."""


def pods(made: Compiled) -> dict[str, Pod]:
    """All of a pipeline by what their entry points are told, parsed by kfp's own definitions."""
    from google.protobuf import json_format
    from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes
    from kfp.pipeline_spec import pipeline_spec_pb2 as proto

    spec = json_format.ParseDict(made.spec, proto.PipelineSpec())
    containers = json_format.Parse(
        json_format.MessageToJson(spec.deployment_spec), proto.PipelineDeploymentConfig()
    )
    platform = json_format.ParseDict(made.platform, proto.PlatformSpec())
    found: dict[str, Pod] = {}
    for task, before in _tasks(spec, spec.root.dag, frozenset()):
        label = spec.components[task.component_ref.name].executor_label
        beside = platform.platforms["kubernetes"].deployment_spec.executors[label]
        config = json_format.Parse(
            json_format.MessageToJson(beside), kubernetes.KubernetesExecutorConfig()
        )
        name = _told(task)
        assert name not in found
        found[name] = Pod(name, containers.executors[label].container, config, task, before)
    return found


def _told(task: Any) -> str:
    inputs = task.inputs.parameters
    assert inputs["job"].runtime_value.constant.string_value == "{{$.pipeline_job_uuid}}"
    assert inputs["run"].component_input_parameter == "run"
    return str(inputs["call"].runtime_value.constant.string_value or "--end")


def _tasks(spec: Any, dag: Any, before: frozenset[str]) -> Iterator[tuple[Any, frozenset[str]]]:
    """Each with what has ended before it, which is all of a DAG where that is waited for."""
    ended: dict[str, frozenset[str]] = {}
    for key in _order(dag):
        task = dag.tasks[key]
        earlier = before.union(*(ended[up] for up in task.dependent_tasks))
        component = spec.components[task.component_ref.name]
        if component.HasField("dag"):
            assert task.inputs.parameters["run"].component_input_parameter == "run"
            inside = list(_tasks(spec, component.dag, earlier))
            yield from inside
            ended[key] = earlier.union(*(more for _, more in inside), (_told(t) for t, _ in inside))
        else:
            yield task, earlier
            ended[key] = earlier | {_told(task)}


def _order(dag: Any) -> list[str]:
    """Each task after those that it depends on; fails where that cannot be."""
    left, order = set(dag.tasks), list[str]()
    while left:
        ready = sorted(key for key in left if not left & set(dag.tasks[key].dependent_tasks))
        assert ready, f"they wait for each other: {left}"
        assert all(set(dag.tasks[key].dependent_tasks) <= set(dag.tasks) for key in ready)
        order += ready
        left -= set(ready)
    return order


def dags(made: Compiled) -> Iterator[Mapping[str, Any]]:
    """Every DAG of a pipeline, the outermost first."""
    yield made.spec["root"]
    yield from (each for each in made.spec["components"].values() if "dag" in each)
