"""The API of Kubeflow Pipelines, by paths: `get("runs/ID")`. Nothing is asked when it is made."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import BadConfiguration, EngineError, PenstockError, StackError
from penstock_kubeflow import address, asking, health, ways
from penstock_kubeflow.asking import Answer, Asking

if TYPE_CHECKING:
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

PAUSES: Final = (0.5, 1.0)
"""Seconds between the attempts to read something."""

SHORT: Final = 5.0
"""Seconds. What took longer is not tried again: a server that hangs is not asked thrice."""


class Api:
    """What a Kubeflow orchestrator asks; made anew for each thing that is done, for it costs
    nothing. Raises `StackError` if nothing says where Kubeflow is.

    An answer comes back whatever it is, as long as there is anybody to ask: `answer.is_it` says
    whether it is one of the API, `answer.unsure` whether it may have been done nevertheless. What
    to raise otherwise says `refused`.
    """

    def __init__(self, kubeflow: KubeflowOrchestrator) -> None:
        self._kubeflow = kubeflow
        self._way = ways.way(kubeflow)
        self._asking = Asking(self._way, asking.PATIENCE)

    def get(self, path: str, **query: str) -> Answer:
        """Read something below `apis/v2beta1`. What a moment may change is tried thrice."""
        return self._read(f"{address.API}/{path}", query)

    def older(self, path: str, **query: str) -> Answer:
        """The same below `apis/v1beta1`."""
        return self._read(f"{address.OLDER}/{path}", query)

    def post(self, path: str, body: Any = None) -> Answer:
        """Have something made or done. Once: who repeats it has to know that it was not done."""
        return self._asking.post(self._url(f"{address.API}/{path}"), body)

    def delete(self, path: str) -> Answer:
        """Have something deleted. Once."""
        return self._asking.delete(self._url(f"{address.API}/{path}"))

    @cached_property
    def multi_user(self) -> bool:
        """Whether several work there, each in a namespace. Asks, the first time."""
        found = self.get("healthz")
        if not found.is_it:
            raise self.refused(found, "ask Kubeflow how it is set up")
        return bool((found.data or {}).get("multi_user"))

    @property
    def namespace(self) -> str:
        """What is to be said for a namespace: nothing where there is only one."""
        return self._kubeflow.namespace if self.multi_user else ""

    def page(self, path: str) -> str | None:
        """The page of something for people, for example `runs/details/ID`, if there is one."""
        return f"{self._way.pages}/#/{path}" if self._way.pages else None

    def refused(self, answer: Answer, what: str) -> PenstockError:
        """What to raise for an answer that is none, or is no success. `what` was to be done:
        "submit run 20260101-…"."""
        found = health.Health(self._kubeflow, self._way).behind(answer)
        if found is None:
            return EngineError(f"Cannot {what}: {self._way.called} answers {answer.told}.")
        kind = BadConfiguration if found.exit_code == StackError.exit_code else EngineError
        return kind(f"Cannot {what}: {found.message}", hint=found.hint)

    def _read(self, path: str, query: dict[str, str]) -> Answer:
        began = time.monotonic()
        found = self._asking.get(self._url(path), query)
        for pause in PAUSES:
            if not found.unsure or time.monotonic() - began > SHORT:
                return found
            time.sleep(pause)
            found = self._asking.get(self._url(path), query)
        return found

    def _url(self, path: str) -> str:
        return f"{self._way.base}/{path}"
