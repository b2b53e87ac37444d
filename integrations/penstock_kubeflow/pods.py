"""Pods: the executors of a pipeline. One for each kind of pod, however many steps run in it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from penstock_kubeflow import container, platform, sizes, waiting
from penstock_kubeflow.container import INPUTS, placeholder
from penstock_kubeflow.settings import Settings
from penstock_kubeflow.tasks import Task

if TYPE_CHECKING:
    from penstock.model.resources import Resources
    from penstock.stack.orchestrator import Job
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

_text: Final = json.JSONEncoder(sort_keys=True).encode

TEXT: Final = {"parameterType": "STRING"}


class Pods:
    """What has been asked for so far."""

    def __init__(self, job: Job, orchestrator: KubeflowOrchestrator) -> None:
        self.components: dict[str, Any] = {}
        self.executors: dict[str, Any] = {}
        self._platform: dict[str, Any] = {}
        self._job = job
        self._orchestrator = orchestrator
        self._by_text: dict[str, str] = {}
        self._by_kind: dict[tuple[int, Resources | None, int | None], str] = {}

    @property
    def platform(self) -> Mapping[str, Any]:
        """What is of Kubernetes; empty if nothing is."""
        if not self._platform:
            return {}
        return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": self._platform}}}}

    def component(self, task: Task, made: Settings) -> str:
        """The name of the component whose pods a task runs in."""
        options = task.call.step.options
        deadline = waiting.deadline(made, options, task.items)
        kind = (id(made), options.resources, deadline)
        if kind not in self._by_kind:
            self._by_kind[kind] = self._kept("step", self._argv, INPUTS, made, *kind[1:])
        return self._by_kind[kind]

    def ending(self, made: Settings) -> str:
        """The component that ends a run."""
        said = self._job.ending(run=placeholder("run"), job=placeholder("job"))
        return self._kept("end", said, ("run", "job"), made, None, waiting.deadline_of_end(made))

    @cached_property
    def _argv(self) -> Sequence[str]:
        """One command line for all: what differs are the inputs of the tasks."""
        call, run, job = map(placeholder, INPUTS)
        return self._job.command(call, run=run, job=job)

    def _kept(
        self,
        name: str,
        said: Sequence[str],
        inputs: Sequence[str],
        made: Settings,
        asked: Resources | None,
        deadline: int | None,
    ) -> str:
        argv = container.command(said, made, self._orchestrator)
        spec = container.container(argv, made, asked, self._orchestrator)
        beside = platform.config(made, deadline)
        text = _text([name, spec, beside])
        if text not in self._by_text:
            self._by_text[text] = self._added(name, spec, beside, inputs)
        return self._by_text[text]

    def _added(
        self, name: str, spec: Mapping[str, Any], beside: Mapping[str, Any], inputs: Sequence[str]
    ) -> str:
        sizes.check(spec, beside)
        number = sum(key.startswith(f"comp-{name}") for key in self.components) + 1
        name = f"{name}-{number}" if number > 1 else name
        component, executor = f"comp-{name}", f"exec-{name}"
        self.components[component] = {
            "executorLabel": executor,
            "inputDefinitions": {"parameters": dict.fromkeys(inputs, TEXT)},
        }
        self.executors[executor] = {"container": spec}
        if beside:
            self._platform[executor] = beside
        return component
