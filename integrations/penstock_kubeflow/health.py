"""Health: whether Kubeflow Pipelines answers, and whom it lets in. Nothing is changed there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from penstock.errors import StackError, StoreError
from penstock.model.component import Finding
from penstock_kubeflow import address
from penstock_kubeflow.asking import Answer, Asking

if TYPE_CHECKING:
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

_NEAR: Final = (
    "Write host: https://…, or http://localhost:8888 while this goes on: "
    "kubectl port-forward -n kubeflow svc/ml-pipeline 8888:8888"
)
_LOGIN: Final = "Write a token or cookies, as a reference: token: ${env:KFP_TOKEN}"
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
    if not kubeflow.host:
        text = "none is given, so nothing was tried; pipelines can be compiled without one."
        near = "kubectl port-forward -n kubeflow svc/ml-pipeline 8888:8888"
        yield Finding(
            "host", True, text, f"Write host: https://… or http://localhost:8888 ({near})"
        )
        return
    health = Health(kubeflow)
    yield from health.seen()


class Health:
    """What one host says."""

    def __init__(self, kubeflow: KubeflowOrchestrator) -> None:
        self._kubeflow = kubeflow
        self._asking = Asking(kubeflow)
        self._host = kubeflow.host

    def seen(self) -> Iterator[Finding]:
        """Each thing that was tried. Raises `MissingReference`."""
        found = self._asked(address.base(self._host), "healthz")
        if not found.is_it:
            yield self._unhealthy(found)
            return
        yield Finding("host", True)
        query = {"page_size": "1"}
        if (found.data or {}).get("multi_user"):
            query["namespace"] = self._kubeflow.namespace
        runs = self._asked(address.base(self._host), f"runs?{urlencode(query)}")
        yield from self._let_in(runs, "namespace" in query)

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
        yield self._refused(runs) or _distant("host", self._says(runs), runs.cure)

    def _unhealthy(self, found: Answer) -> Finding:
        """Why there is no API, as exactly as that can be found out."""
        if not found.status:
            return _distant("host", f"{self._host} does not answer: {found.why}.", found.cure)
        if found.status >= 500:
            return _distant("host", self._says(found), "Try: kubectl get pods -n kubeflow")
        if refused := self._refused(found):
            return refused
        for other in address.others(self._host):
            if self._asked(other, "healthz").is_it:
                text = f"there is no Kubeflow Pipelines at {self._host}."
                return _configured("host", text, f"Write: host: {other}")
        older = f"{address.base(self._host)}/{address.OLDER}/healthz"
        if self._asking.get(older).is_it:
            text = f"{self._host} has no API v2beta1, only an older one."
            return _configured("host", text, "Kubeflow Pipelines 2 is needed.")
        return self._stranger(found)

    def _refused(self, found: Answer) -> Finding | None:
        """Who is not let in, which servers say in many ways."""
        if found.status == 401 or re.search(_PAGE, found.to):
            if given := self._given:
                text = f"{self._host} does not take the {given} ({found.told})."
                return _configured("login", text, "That may have ended: get it anew.")
            return _configured("login", f"{self._host} asks who one is ({found.told}).", _LOGIN)
        if found.status == 403:
            text = f"{self._host} does not let one in ({found.told})."
            return _configured("login", text, "Ask for permission." if self._given else _LOGIN)
        if found.to:
            text = f"{self._host} sends one on to {found.to}."
            return _configured("host", text, f"Write: host: {address.base(found.to)}")
        return None

    def _stranger(self, found: Answer) -> Finding:
        if found.status == 200 and not self._given:
            text = f"{self._says(found)[:-1]}: it may ask who one is, or be something else."
            return _configured("host", text, _LOGIN)
        cure = "Write the address that its page has in a browser."
        return _configured("host", f"{self._says(found)[:-1]}: it is something else.", cure)

    def _says(self, found: Answer) -> str:
        said = found.told if found.status else f"nothing: {found.why}"
        return f"{self._host} answers {said}."

    @property
    def _given(self) -> str:
        """What it was shown."""
        names = ("token", "cookies")
        return " and the ".join(name for name in names if getattr(self._kubeflow, name))


def _configured(what: str, text: str, hint: str) -> Finding:
    return Finding(what, False, text, hint, StackError.exit_code)


def _distant(what: str, text: str, hint: str) -> Finding:
    return Finding(what, False, text, hint, StoreError.exit_code)
