"""States: how a run of Kubeflow Pipelines is doing there, and having it ended."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from penstock.model.records import Status
from penstock.stack.engine import Seen
from penstock_kubeflow import details, submissions
from penstock_kubeflow.api import Api
from penstock_kubeflow.reasons import Reasons, reasons
from penstock_kubeflow.within import Data, at, several, text

if TYPE_CHECKING:
    from penstock_kubeflow.asking import Answer
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

STATUSES: Final = {
    "PENDING": Status.PENDING,
    "PAUSED": Status.PENDING,
    "RUNTIME_STATE_UNSPECIFIED": Status.PENDING,
    "RUNNING": Status.RUNNING,
    "CANCELING": Status.RUNNING,
    "SUCCEEDED": Status.COMPLETED,
    "SKIPPED": Status.COMPLETED,
    "FAILED": Status.FAILED,
    "CANCELED": Status.STOPPED,
}
"""Kubeflow's words. A word that is not among them is of something that goes on."""

_ENDED: Final = ("CANCELING", "CANCELED")

_NOT_FOUND: Final = 5
"""The API's own code for that."""

PAUSES: Final = (0.5, 1.0, 2.0)
"""Seconds between the attempts to have something ended."""


def seen(kubeflow: KubeflowOrchestrator, run: str, remote_id: str | None) -> Seen | None:
    """How the job of a run is doing; None if Kubeflow has none."""
    api = Api(kubeflow)
    if remote_id is not None:
        found = _found(api, remote_id)
        return None if found is None else _seen(api, found)
    named = submissions.of_run(api, run)
    return _seen(api, named[0]) if named else None


def cancel(kubeflow: KubeflowOrchestrator, remote_id: str) -> None:
    """Have it ended. What has ended, or is being ended, or is gone, stays as it is."""
    api = Api(kubeflow)
    answer = _ended(api, remote_id)
    if answer.is_it:
        return
    # A server says of what has ended that there is no row, and has marked what it fails to end.
    found = _found(api, remote_id)
    if found is not None and _word(found) not in _ENDED and not _is_over(found):
        raise api.refused(answer, f"end the run {remote_id} of Kubeflow")


def _ended(api: Api, remote_id: str) -> Answer:
    """The last answer: it does no harm to ask again."""
    answer = api.post(f"{_path(remote_id)}:terminate")
    for pause in PAUSES:
        if not answer.unsure:
            break
        time.sleep(pause)
        answer = api.post(f"{_path(remote_id)}:terminate")
    return answer


def _found(api: Api, remote_id: str) -> Data | None:
    """The run as the API has it; None if it has no such run."""
    answer = api.get(_path(remote_id))
    if answer.is_it and text(answer.data, "run_id"):
        return answer.data
    if answer.status == 404 and _is_gone(api, answer, remote_id):
        return None
    raise api.refused(answer, f"look up the run {remote_id} of Kubeflow")


def _is_gone(api: Api, answer: Answer, remote_id: str) -> bool:
    """Whether the run is not there. It may also be that there is no API, which is not the same."""
    if at(answer.data, "code") == _NOT_FOUND and remote_id in answer.said:
        return True
    space = {"namespace": api.namespace} if api.namespace else {}
    return api.get("runs", page_size="1", **space).is_it


def _seen(api: Api, data: Data) -> Seen:
    id, word = text(data, "run_id"), _word(data)
    said = reasons(api, data) if _is_worth_asking(data, time.time()) else Reasons()
    status = STATUSES.get(word, Status.RUNNING)
    if status is Status.FAILED and (said.was_ended or _was_ended(data)):
        status = Status.STOPPED
    if word == "CANCELING" and said.is_over:  # what carried it out is gone, and nobody has told
        status = Status.STOPPED
    why = said.why or text(data, "error", "message")
    page = api.page(f"runs/details/{id}")
    return Seen(id, submissions.run_of(data), status, word, why, said.calls, page)


def _is_worth_asking(data: Data, now: float) -> bool:
    """Whether there may be more to say of it than its state: that is no small request."""
    if _word(data) in ("FAILED", "CANCELING"):
        return True
    return not _is_over(data) and (any(details.failed(data)) or details.waits(data, now))


def _was_ended(data: Data) -> bool:
    """Whether somebody had it ended there, as far as its history tells."""
    return any(each.get("state") in _ENDED for each in several(data, "state_history"))


def _is_over(data: Data) -> bool:
    return STATUSES.get(_word(data)) not in (None, Status.PENDING, Status.RUNNING)


def _word(data: Data) -> str:
    return text(data, "state").upper() or "RUNTIME_STATE_UNSPECIFIED"


def _path(remote_id: str) -> str:
    return f"runs/{quote(remote_id, safe='')}"
