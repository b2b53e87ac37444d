"""Health: whether Kubeflow Pipelines answers, and whom it lets in. Nothing is changed there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from penstock.errors import StackError, StoreError
from penstock.model.component import Finding
from penstock_kubeflow import address, ways
from penstock_kubeflow.asking import Answer, Asking

if TYPE_CHECKING:
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator
    from penstock_kubeflow.ways import Way

PATIENCE: Final = 5.0
"""Seconds in which a server may say nothing to these small questions."""

_NEAR: Final = (
    "Write host: https://…, kube_context: …, or host: http://localhost:8888 while this goes on: "
    "kubectl port-forward -n kubeflow svc/ml-pipeline 8888:8888"
)
_PODS: Final = f"Try: kubectl get pods -n {address.HOME}"
_IMAGE: Final = (
    "Write image: …; penstock pipeline compile FILE:NAME --dockerfile prints what is to be in it"
)
_SPACE: Final = "Write one that is yours: namespace: …"
_PAGE: Final = "login|signin|sign_in|oauth|dex|auth"
"""What the address of a page has where one says who one is."""


def of_options(kubeflow: KubeflowOrchestrator) -> Iterator[Finding]:
    """Whether all is there that a run needs."""
    if kubeflow.image or kubeflow.defaults.get("image"):
        yield Finding("image", True)
    else:
        text = "none is given; each pipeline or step would have to name one."
        yield _configured("image", text, _IMAGE)


def seen(kubeflow: KubeflowOrchestrator) -> Iterator[Finding]:
    """How the host is, who is let in, and where."""
    if way := ways.known(kubeflow):
        yield from Health(kubeflow, way).seen()
    else:
        text = "none is given, so nothing was tried; pipelines can be compiled without one."
        yield Finding("host", True, text, _NEAR)


class Health:
    """What one server says."""

    def __init__(self, kubeflow: KubeflowOrchestrator, way: Way) -> None:
        self._kubeflow = kubeflow
        self._way = way
        self._asking = Asking(way, PATIENCE)
        self._host = way.called

    def seen(self) -> Iterator[Finding]:
        """Each thing that was tried. Raises `MissingReference`."""
        found = self._asked(self._way.base, "healthz")
        if not found.is_it:
            yield self._unhealthy(found)
            return
        yield Finding("host", True)
        query = {"page_size": "1"}
        if (found.data or {}).get("multi_user"):
            query["namespace"] = self._kubeflow.namespace
        runs = self._asked(self._way.base, f"runs?{urlencode(query)}")
        yield from self._let_in(runs, "namespace" in query)

    def behind(self, found: Answer) -> Finding | None:
        """What is wrong if somebody else was answered like this; None if it is what was asked for
        that the API does not do."""
        if not found.status:
            return self._unhealthy(found)
        if found.status >= 500:
            return None if _is_its_own(found) else _distant("host", self._says(found), _PODS)
        if wrong := next((each for each in self.seen() if not each.ok), None):
            return wrong
        if found.is_it or _is_its_own(found):
            return self._refused(found)
        return self._refused(found) or self._stranger(found)

    def _asked(self, base: str, path: str) -> Answer:
        return self._asking.get(f"{base}/{address.API}/{path}")

    def _let_in(self, runs: Answer, several: bool) -> Iterator[Finding]:
        if runs.is_it:
            yield Finding("login", True)
            if several:
                yield Finding("namespace", True)
            return
        if several and runs.status in (400, 403, 404):
            said = f"the host shows no runs of {self._kubeflow.namespace!r}: {runs.told}."
            yield _configured("namespace", said, _SPACE)
            return
        if refused := self._refused(runs):
            yield refused
        elif runs.status == 200:
            yield self._stranger(runs)
        else:
            yield _distant("host", self._says(runs), runs.cure)

    def _unhealthy(self, found: Answer) -> Finding:
        """Why there is no API, as exactly as that can be found out."""
        if not found.status:
            return _distant("host", f"{self._host} does not answer: {found.why}.", found.cure)
        if found.status >= 500:
            return _distant("host", self._says(found), _PODS)
        if refused := self._refused(found):
            return refused
        for other in self._way.others:
            if self._asked(other, "healthz").is_it:
                text = f"there is no Kubeflow Pipelines at {self._host}."
                return _configured("host", text, f"Write: host: {other}")
        older = f"{self._way.base}/{address.OLDER}/healthz"
        if self._asking.get(older).is_it:
            text = f"{self._host} has no API v2beta1, only an older one."
            return _configured("host", text, "Kubeflow Pipelines 2 is needed.")
        return self._stranger(found)

    def _refused(self, found: Answer) -> Finding | None:
        """Who is not let in, which servers say in many ways."""
        given = self._way.given
        if found.status == 401 or re.search(_PAGE, found.to):
            if given:
                text = f"{self._host} does not take the {given} ({found.told})."
                return _configured("login", text, self._way.renewal)
            return _configured(
                "login", f"{self._host} asks who one is ({found.told}).", self._way.login
            )
        if found.status == 403:
            text = f"{self._host} does not let one in ({found.told})."
            if not given:
                return _configured("login", text, self._way.login)
            ended = "" if _is_its_own(found) else f" {self._way.renewal}"
            return _configured("login", text, f"Ask for permission.{ended}")
        if found.to:
            text = f"{self._host} sends one on to {found.to}."
            return _configured("host", text, f"Write: host: {address.base(found.to)}")
        return None

    def _stranger(self, found: Answer) -> Finding:
        given = self._way.given
        if found.status == 200 and not given:
            text = f"{self._says(found)[:-1]}: it may ask who one is, or be something else."
            return _configured("host", text, self._way.login)
        if found.status == 200:
            text = f"{self._says(found)[:-1]}: the {given} may have ended, or it is something else."
            return _configured("host", text, self._way.renewal)
        if (found.data or {}).get("kind") == "Status":
            text = f"there is no Kubeflow Pipelines at {self._host}: {found.told}."
            return _configured("host", text, "Write the context of another cluster, or a host.")
        cure = "Write the address that its page has in a browser."
        return _configured("host", f"{self._says(found)[:-1]}: it is something else.", cure)

    def _says(self, found: Answer) -> str:
        said = found.told if found.status else f"nothing: {found.why}"
        return f"{self._host} answers {said}."


def _is_its_own(found: Answer) -> bool:
    """Whether the API itself has answered: neither a gateway before it nor Kubernetes."""
    return bool(found.said) and (found.data or {}).get("kind") != "Status"


def _configured(what: str, text: str, hint: str) -> Finding:
    return Finding(what, False, text, hint, StackError.exit_code)


def _distant(what: str, text: str, hint: str) -> Finding:
    return Finding(what, False, text, hint, StoreError.exit_code)
