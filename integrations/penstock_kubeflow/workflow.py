"""The workflow: what Argo, which carries out the pipelines of Kubeflow, says of each pod.

The API v2beta1 keeps no word of it. The older API beside it has it as text, as long as there is
one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from penstock_kubeflow.within import Data, at, text, there

if TYPE_CHECKING:
    from penstock_kubeflow.api import Api

_FINAL: Final = ("Succeeded", "Failed", "Error")
_ATTEMPT: Final = re.compile(r"\(\d+\)")
_DRIVER: Final = "-driver"


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod of the engine's."""

    path: tuple[str, ...]
    """The tasks that it is in, outermost first: `root`, `train`, `executor`."""
    phase: str
    message: str
    started: str

    @property
    def has_failed(self) -> bool:
        return self.phase in ("Failed", "Error")

    @property
    def name(self) -> str:
        """That of the task, or of the driver that prepares one."""
        is_inside = self.path[-1] == "executor" and len(self.path) > 1
        return self.path[-2] if is_inside else self.path[-1]

    @property
    def task(self) -> str:
        """The task that it is of."""
        return self.name.removesuffix(_DRIVER) if self.is_driver else self.name

    @property
    def is_driver(self) -> bool:
        return self.path[-1].endswith(_DRIVER)


class Workflow:
    """What Argo says of one run."""

    def __init__(self, manifest: Data) -> None:
        self._spec = there(manifest, "spec")
        self._status = there(manifest, "status")

    @property
    def was_ended(self) -> bool:
        """Whether somebody had it ended: that is written into it so."""
        return self._spec.get("activeDeadlineSeconds") == 0

    @property
    def is_over(self) -> bool:
        return self._status.get("phase") in _FINAL

    @property
    def message(self) -> str:
        """What is said of all of it."""
        return text(self._status, "message")

    @cached_property
    def pods(self) -> list[Pod]:
        """Of each task and each driver the pod that was started last."""
        newest: dict[tuple[str, bool], Pod] = {}
        for pod in sorted(self._all(), key=lambda pod: pod.started):
            newest[pod.task, pod.is_driver] = pod
        return list(newest.values())

    def _all(self) -> Iterator[Pod]:
        for node in there(self._status, "nodes").values():
            if at(node, "type") != "Pod":
                continue
            path = tuple(_ATTEMPT.sub("", text(node, "name")).split(".")[1:])
            said = (text(node, each) for each in ("phase", "message", "startedAt"))
            yield Pod(path or ("",), *said)


def workflow(api: Api, remote_id: str) -> Workflow | None:
    """That of a run; None where no older API tells."""
    answer = api.older(f"runs/{remote_id}")
    try:
        manifest = json.loads(at(answer.data, "pipeline_runtime", "workflow_manifest") or "")
    except (TypeError, ValueError):
        return None
    return Workflow(manifest) if isinstance(manifest, dict) else None
