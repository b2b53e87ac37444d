"""Submitting: a job as a run of Kubeflow Pipelines, once, whatever becomes of the answer."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import (
    BadConfiguration,
    CannotRun,
    EngineError,
    EngineUnsure,
    PenstockError,
    StackError,
)
from penstock.stack.orchestrator import Job, Observer, Submitted
from penstock_kubeflow import compiling, document, doubts, states, submissions
from penstock_kubeflow.api import Api
from penstock_kubeflow.experiments import experiment_id
from penstock_kubeflow.within import text

if TYPE_CHECKING:
    from penstock_kubeflow.asking import Answer
    from penstock_kubeflow.compiling import Compiled
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each look for what no answer has told. After all of them it is not there."""

LATER: Final = (8.0, 16.0, 32.0)
"""The same of what was silent for so long that it may still be at it."""

SLOW: Final = 5.0
"""Seconds for which it was, then."""

PATIENCE: Final = 60.0
"""Seconds in which a server may start again, while nobody can look."""


def submitted(kubeflow: KubeflowOrchestrator, job: Job, observer: Observer) -> Submitted:
    """Hand it over. Raises `EngineUnsure` if it is not known whether Kubeflow has it; any other
    error says that it has nothing."""
    api = Api(kubeflow)
    compiled = compiling.compile(job, kubeflow)
    document.checked(compiled)
    body = request(compiled, job, experiment_id(api, kubeflow))
    return Submitting(api, kubeflow, job.plan.run, body, observer).submitted()


def request(compiled: Compiled, job: Job, experiment: str | None) -> Mapping[str, Any]:
    """What is posted (a `V2beta1Run`)."""
    plan = job.plan
    spec = {"pipeline_spec": compiled.spec, "platform_spec": compiled.platform}
    body = {
        "display_name": submissions.title(plan.graph.name, plan.run),
        "description": f"penstock run show {plan.run}",
        "experiment_id": experiment,
        "pipeline_spec": {name: each for name, each in spec.items() if each},
        "runtime_config": {"parameters": {"run": plan.run}},
        "service_account": compiled.service_account,
    }
    return {name: each for name, each in body.items() if each is not None}


class Submitting:
    """One run on its way to Kubeflow."""

    def __init__(
        self,
        api: Api,
        kubeflow: KubeflowOrchestrator,
        run: str,
        body: Mapping[str, Any],
        observer: Observer,
    ) -> None:
        self._api = api
        self._kubeflow = kubeflow
        self._run = run
        self._pipeline = body["display_name"].partition(" ")[0]
        self._body = body
        self._observer = observer
        self._pauses: Sequence[float] = PAUSES

    def submitted(self) -> Submitted:
        """Hand it over."""
        job = self._taken()
        return Submitted(job, self._api.page(f"runs/details/{job}"))

    def _taken(self) -> str:
        """Its id there. Where the answer is lost, Kubeflow is asked whether it has it, before it is
        handed over once more, and after that, too."""
        first = self._posted()
        if job := _id(first):
            return job
        if not doubts.is_unsure(first):
            raise self._refused(first)
        name = self._kubeflow.name
        self._tell(f"{name} {doubts.said(first)}: looking whether it has run {self._run}")
        if found := self._found(first):
            return self._only(found)
        self._tell(f"{name} has no run {self._run}: submitting it once more")
        return self._taken_again(first)

    def _posted(self) -> Answer:
        began = time.monotonic()
        answer = self._api.post("runs", self._body)
        is_slow = time.monotonic() - began > SLOW
        self._pauses = (*PAUSES, *LATER) if is_slow else PAUSES
        return answer

    def _taken_again(self, first: Answer) -> str:
        second = self._posted()
        if job := _id(second):
            return self._only(self._beside(job))
        if found := self._found(second):
            return self._only(found)
        if all(map(doubts.is_known, (first, second))):
            raise self._refused(second)
        raise self._unsure(second)

    def _found(self, lost: Answer) -> Sequence[str]:
        """What Kubeflow has of the run, the oldest first, once it can be asked. Raises
        `EngineUnsure` if it cannot for long."""
        until, looks = time.monotonic() + PATIENCE, 0
        for pause in chain(self._pauses, repeat(self._pauses[-1])):
            time.sleep(pause)
            try:
                found = self._jobs()
            except (EngineError, StackError) as error:
                if isinstance(error, StackError) or time.monotonic() > until:
                    raise self._unsure(lost, f", and then: {error.message}") from error
                continue
            looks += 1
            if found or looks == len(self._pauses):
                return found
        raise AssertionError("looks go on until one of them ends this")

    def _beside(self, job: str) -> Sequence[str]:
        """The same, once one is known that may not be listed yet."""
        try:
            found = self._jobs()
        except (EngineError, StackError) as error:
            self._tell(f"it is not known whether run {self._run} was taken twice: {error.message}")
            return [job]
        return found if job in found else [*found, job]

    def _jobs(self) -> list[str]:
        found = submissions.named(self._api, self._body["display_name"])
        return [text(each, "run_id") for each in found]

    def _only(self, jobs: Sequence[str]) -> str:
        """The oldest. What was taken twice is ended, before it has done anything."""
        for job in jobs[1:]:
            how = "is ended"
            try:
                states.cancel(self._kubeflow, job)
            except PenstockError as error:
                how = f"has to be ended on its page. {error.message}"
            self._tell(f"{self._kubeflow.name} has taken run {self._run} twice: {job} {how}")
        return jobs[0]

    def _refused(self, answer: Answer) -> PenstockError:
        if doubts.has_no_space(answer):
            return BadConfiguration(
                f"Kubeflow has no namespace {self._kubeflow.namespace!r} "
                f"(the orchestrator {self._kubeflow.name!r}).",
                hint="Write one that is yours: namespace: …",
            )
        if doubts.is_too_large(answer):
            return CannotRun(
                f"Pipeline {self._pipeline!r} is too large for Kubeflow: it answers {answer.told}.",
                hint="Use .map() for what is many times the same: few pods share its items.",
            )
        return self._api.refused(answer, f"submit run {self._run}")

    def _unsure(self, lost: Answer, then: str = ".") -> EngineUnsure:
        return EngineUnsure(
            f"It is not known whether {self._kubeflow.name!r} has taken run {self._run}: "
            f"it {doubts.said(lost)}{then}",
            hint=f"Type: penstock run watch {self._run}",
        )

    def _tell(self, what: str) -> None:
        self._observer.note(what)


def _id(answer: Answer) -> str:
    return text(answer.data, "run_id") if answer.is_it else ""
