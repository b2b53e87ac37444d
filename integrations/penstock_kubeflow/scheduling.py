"""Scheduling: a job as a recurring run of Kubeflow Pipelines, once, whatever becomes of the answer.

Each firing is a job that Kubeflow gives an id of its own, and the first pod of that makes a run of
it: the parameter `run` is `new`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from penstock.errors import BadConfiguration, EngineUnsure, NameTaken, NotFound, PenstockError
from penstock.stack.engine import Schedule, Timing
from penstock.stack.orchestrator import NEW, Job
from penstock_kubeflow import compiling, document, doubts, recurring
from penstock_kubeflow.api import Api
from penstock_kubeflow.experiments import experiment_id

if TYPE_CHECKING:
    from penstock_kubeflow.asking import Answer
    from penstock_kubeflow.compiling import Compiled
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

MOST: Final = 10
"""Runs of a schedule that Kubeflow starts at a time."""

PAUSES: Final = (0.5, 1.0, 2.0, 4.0)
"""Seconds before each look for what no answer has told."""


def schedule(
    kubeflow: KubeflowOrchestrator, job: Job, name: str, timing: Timing, at_once: int, mark: str
) -> Schedule:
    """Have a job started by the clock. Raises `EngineUnsure` if it is not known whether Kubeflow
    has it; any other error says that it has nothing."""
    _check(kubeflow, name, at_once)
    api = Api(kubeflow)
    compiled = compiling.compile(job, kubeflow)
    document.checked(compiled)
    body = request(compiled, name, timing, at_once, mark) | _place(api, kubeflow)
    return _Scheduling(api, kubeflow, body, mark).made()


def request(
    compiled: Compiled, name: str, timing: Timing, at_once: int, mark: str
) -> dict[str, Any]:
    """What is posted (a `V2beta1RecurringRun`), but for where it belongs. No namespace: that of the
    experiment counts, and a server that has but one refuses to hear of any."""
    spec = {"pipeline_spec": compiled.spec, "platform_spec": compiled.platform}
    body = {
        "display_name": name,
        "description": recurring.description(mark),
        "pipeline_spec": {key: each for key, each in spec.items() if each},
        "runtime_config": {"parameters": {"run": NEW}},
        "service_account": compiled.service_account,
        "max_concurrency": str(at_once),
        "trigger": recurring.trigger(timing),
        "mode": "ENABLE",
        # What was missed while it was paused, or Kubeflow was down, is not made up for.
        "no_catchup": True,
    }
    return {key: each for key, each in body.items() if each is not None}


def schedules(kubeflow: KubeflowOrchestrator) -> Sequence[Schedule]:
    """All that penstock has made in the namespace."""
    api = Api(kubeflow)
    return [recurring.schedule(api, each) for each in recurring.ours(api)]


def pause(kubeflow: KubeflowOrchestrator, remote_id: str) -> None:
    _turn(kubeflow, remote_id, "disable", "pause")


def resume(kubeflow: KubeflowOrchestrator, remote_id: str) -> None:
    _turn(kubeflow, remote_id, "enable", "resume")


def delete(kubeflow: KubeflowOrchestrator, remote_id: str) -> None:
    """Take it away. Nothing if it is gone."""
    api = Api(kubeflow)
    for pause_ in (*PAUSES[:2], None):
        answer = api.delete(_path(remote_id))
        if answer.is_it or _is_gone(api, answer, remote_id):
            return
        if pause_ is None or not answer.unsure:
            raise api.refused(answer, f"delete schedule {remote_id}")
        time.sleep(pause_)


class _Scheduling:
    """One schedule on its way to Kubeflow."""

    def __init__(
        self, api: Api, kubeflow: KubeflowOrchestrator, body: Mapping[str, Any], mark: str
    ) -> None:
        self._api, self._kubeflow = api, kubeflow
        self._body, self._mark = body, mark
        self._name = str(body["display_name"])

    def made(self) -> Schedule:
        if found := self._marked():
            return self._only(found)
        first = self._post()
        if isinstance(first, Schedule):
            return first
        if not doubts.is_unsure(first):
            raise self._refused(first)
        if found := self._looked(first):
            return self._only(found)
        return self._made_again(first)

    def _made_again(self, first: Answer) -> Schedule:
        """The first one is not there. It may still come, and then both are."""
        second = self._post()
        if isinstance(second, Schedule):
            found = self._both()
            return self._only(found) if found else second
        if found := self._looked(second):
            return self._only(found)
        if all(map(doubts.is_known, (first, second))):
            raise self._refused(second)
        raise self._unsure(second)

    def _both(self) -> Sequence[recurring.Data]:
        """All of it that there is; nothing if nobody can look. It is there, whatever that says."""
        with suppress(PenstockError):
            return self._marked()
        return ()

    def _post(self) -> Schedule | Answer:
        answer = self._api.post("recurringruns", self._body)
        if answer.is_it and answer.data and recurring.id_of(answer.data):
            return recurring.schedule(self._api, {**self._body, **answer.data})
        return answer

    def _looked(self, lost: Answer) -> Sequence[recurring.Data]:
        """What Kubeflow has of it, after a while. Raises `EngineUnsure` if nobody can look."""
        for pause_ in PAUSES:
            time.sleep(pause_)
            try:
                found = self._marked()
            except PenstockError as error:
                if pause_ == PAUSES[-1]:
                    raise self._unsure(lost) from error
                continue
            if found:
                return found
        return ()

    def _marked(self) -> Sequence[recurring.Data]:
        """Those of this name and mark, the oldest first. Raises `NameTaken` for somebody else's in
        the same experiment."""
        experiment = self._body.get("experiment_id")
        found = []
        for each in recurring.named(self._api, self._name):
            if recurring.mark(each) == self._mark:
                found.append(each)
            elif experiment in (None, each.get("experiment_id")):
                page = self._api.page(f"recurringrun/details/{recurring.id_of(each)}")
                raise NameTaken(
                    f"{self._kubeflow.name!r} has another schedule {self._name!r} already, which "
                    f"is not of this artifact store ({page or recurring.id_of(each)}).",
                    hint="Choose another name: --name NAME",
                )
        return found

    def _only(self, found: Sequence[recurring.Data]) -> Schedule:
        """The oldest. What was taken twice is deleted, before it fires."""
        for each in found[1:]:
            try:
                delete(self._kubeflow, recurring.id_of(each))
            except PenstockError as error:
                raise EngineUnsure(
                    f"{self._kubeflow.name!r} has the schedule {self._name!r} twice, and did not "
                    f"let one of them be deleted: {error.message}"
                ) from error
        return recurring.schedule(self._api, found[0])

    def _refused(self, answer: Answer) -> PenstockError:
        return self._api.refused(answer, f"make the schedule {self._name!r}")

    def _unsure(self, lost: Answer) -> EngineUnsure:
        return EngineUnsure(
            f"It is not known whether {self._kubeflow.name!r} has made the schedule "
            f"{self._name!r}: it {doubts.said(lost)}."
        )


def _check(kubeflow: KubeflowOrchestrator, name: str, at_once: int) -> None:
    """Raise `BadConfiguration` for what Kubeflow would refuse, or stumble over."""
    if at_once > MOST:
        raise BadConfiguration(
            f"Kubeflow starts at most {MOST} runs of a schedule at a time, not {at_once} "
            f"(the orchestrator {kubeflow.name!r}).",
            hint=f"Write --at-once {MOST}",
        )
    if re.sub(r"[^a-z0-9-]+", "", name.lower()).startswith("-"):
        raise BadConfiguration(
            f"Kubeflow cannot name a schedule {name!r}: it has to begin with a letter or a digit.",
            hint=f"Write --name {name.lstrip('_-.')}",
        )


def _place(api: Api, kubeflow: KubeflowOrchestrator) -> dict[str, str]:
    experiment = experiment_id(api, kubeflow)
    return {"experiment_id": experiment} if experiment else {}


def _turn(kubeflow: KubeflowOrchestrator, remote_id: str, verb: str, what: str) -> None:
    """Switch one on or off, which can be done twice."""
    api = Api(kubeflow)
    for pause_ in (*PAUSES[:2], None):
        answer = api.post(f"{_path(remote_id)}:{verb}")
        if answer.is_it:
            return
        if _is_gone(api, answer, remote_id):
            raise NotFound(f"{kubeflow.name!r} has no schedule {remote_id} any more.")
        if pause_ is None or not answer.unsure:
            raise api.refused(answer, f"{what} schedule {remote_id}")
        time.sleep(pause_)


def _is_gone(api: Api, answer: Answer, remote_id: str) -> bool:
    """Whether there is none. Raises what `Api.refused` says if there is no API at all."""
    if answer.status != 404:
        return False
    if remote_id not in answer.said:
        next(recurring.ours(api), None)  # raises if there is no API
    return True


def _path(remote_id: str) -> str:
    return f"recurringruns/{quote(remote_id, safe='')}"
