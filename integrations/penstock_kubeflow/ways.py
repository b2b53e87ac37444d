"""Ways: by which the API of Kubeflow Pipelines is reached, and what one is let in with.

By a `host`; else by Kubernetes, as kubectl reaches it; else as a pod of the same cluster does.
Nothing is asked, and no port is forwarded.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from penstock.errors import BadConfiguration, MissingReference, StackError
from penstock.lazy import lazy
from penstock_kubeflow import address

if TYPE_CHECKING:
    from penstock.model.component import Secret
    from penstock_kubeflow import kube
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator
else:
    kube = lazy("penstock_kubeflow.kube")  # only for who gives no host

INSIDE: Final = f"http://ml-pipeline.{address.HOME}.svc.cluster.local:8888"
"""Where the pods of a cluster reach it."""

IDENTITY: Final = "KF_PIPELINES_SA_TOKEN_PATH"
"""The variable with the file of a pod's token, which Kubeflow's own client reads as well."""

_IDENTITY: Final = "/var/run/secrets/kubeflow/pipelines/token"
_POD: Final = (
    f"Give the pod a token for the audience pipelines.kubeflow.org at {_IDENTITY}, or write a token"
)


class Way(Protocol):
    """One way to reach it."""

    @property
    def base(self) -> str:
        """The URL that paths are put behind, with a '/' between."""

    @property
    def called(self) -> str:
        """What it is called in messages."""

    @property
    def pages(self) -> str:
        """The URL that the paths of pages for people are put behind; empty if there are none."""

    @property
    def given(self) -> str:
        """What is shown to be let in, in words; empty for nothing."""

    @property
    def login(self) -> str:
        """What to do if nothing was shown, and should have been."""

    @property
    def renewal(self) -> str:
        """What to do if it was not taken."""

    @property
    def others(self) -> Sequence[str]:
        """Further URLs where it may be."""

    @property
    def tls_name(self) -> str:
        """The name in its certificate, if that is not the one that it is reached by."""

    def check(self) -> None:
        """Raise `StackError` for what can be told to be wrong before anything is asked."""

    def headers(self, *, anew: bool = False) -> Mapping[str, str]:
        """What lets one in, as it is now; `anew` if that was refused. Raises `StackError`."""

    def trusted(self) -> ssl.SSLContext:
        """Whose certificates are believed. Raises `MissingReference`."""


def way(kubeflow: KubeflowOrchestrator) -> Way:
    """Raises `StackError` if there is none."""
    if found := known(kubeflow):
        return found
    raise StackError(
        f"The orchestrator {kubeflow.name!r} has no host, and there is neither a kubeconfig file "
        "nor is this a pod of a cluster.",
        hint="Write host: https://…, or kube_context: … of the kubeconfig file.",
    )


def known(kubeflow: KubeflowOrchestrator) -> Way | None:
    """None if nothing says where it is."""
    if kubeflow.host:
        return ByHost(kubeflow)
    if kube.is_there(kubeflow):
        return kube.ByKube(kubeflow)
    return InPod(kubeflow) if is_pod() else None


def is_pod() -> bool:
    """Whether this process runs in a cluster."""
    return "KUBERNETES_SERVICE_HOST" in os.environ


class ByHost:
    """By its URL."""

    tls_name = ""
    login = "Write a token or cookies, as a reference: token: ${env:KFP_TOKEN}"
    renewal = "That may have ended: get it anew."

    def __init__(self, kubeflow: KubeflowOrchestrator) -> None:
        self._kubeflow = kubeflow
        host = kubeflow.host or ""
        self.called = host
        self.base = address.base(host)
        self.pages = address.pages(host)
        self.others: Sequence[str] = address.others(host)

    @property
    def given(self) -> str:
        names = ("token", "cookies")
        return " and the ".join(name for name in names if getattr(self._kubeflow, name))

    def check(self) -> None:
        self.headers()
        if self.base.startswith("https:"):
            self.trusted()

    def headers(self, *, anew: bool = False) -> Mapping[str, str]:
        found = {}
        if self._kubeflow.token:
            found["Authorization"] = f"Bearer {_sent('token', self._kubeflow.token)}"
        if self._kubeflow.cookies:
            found["Cookie"] = _sent("cookies", self._kubeflow.cookies)
        return found

    def trusted(self) -> ssl.SSLContext:
        return context(self._kubeflow.ca_bundle, self._kubeflow.verify_ssl)


class InPod(ByHost):
    """From a pod of the cluster, with the token that Kubernetes gives it for Kubeflow."""

    login = renewal = _POD

    def __init__(self, kubeflow: KubeflowOrchestrator) -> None:
        super().__init__(kubeflow)
        self.called = self.base = INSIDE
        self.pages, self.others = "", ()

    @property
    def given(self) -> str:
        return super().given or ("token of the pod" if self._file.is_file() else "")

    def headers(self, *, anew: bool = False) -> Mapping[str, str]:
        """The file is written anew while the pod runs."""
        found = dict(super().headers(anew=anew))
        if self._kubeflow.token is None and self._file.is_file():
            try:
                token = self._file.read_text("utf-8", "replace").strip()
            except OSError as error:
                raise _unread("token of the pod", self._file, error) from error
            found["Authorization"] = f"Bearer {sendable('token of the pod', token)}"
        return found

    @property
    def _file(self) -> Path:
        return Path(os.environ.get(IDENTITY) or _IDENTITY)


def context(authorities: str, verified: bool, own: tuple[str, str] | None = None) -> ssl.SSLContext:
    """Whose certificates are believed, and the files of one's own and of its key, if that lets one
    in. Raises `MissingReference` for a file that is not there."""
    try:
        return _context(authorities, verified, own)
    except OSError as error:
        names = ", ".join(filter(None, (authorities, *(own or ()))))
        raise _unread("certificates", names, error) from error


@lru_cache(maxsize=8)
def _context(authorities: str, verified: bool, own: tuple[str, str] | None) -> ssl.SSLContext:
    """Kept, for the usual authorities are a large file."""
    made = ssl.create_default_context(cafile=authorities or None)
    if own:
        made.load_cert_chain(*own)
    if not verified:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def sendable(what: str, text: str) -> str:
    """Raises `BadConfiguration` for what no header takes; it is not shown."""
    if not text.isascii() or not text.isprintable():
        raise BadConfiguration(
            f"The {what} for Kubeflow cannot be sent: a character in it is no letter, digit or "
            "sign of ASCII.",
            hint="It has to be one line, with nothing else in it.",
        )
    return text


def _sent(option: str, secret: Secret) -> str:
    if not (text := secret.reveal().strip()):
        raise BadConfiguration(
            f"The {option} for Kubeflow is empty.",
            hint=f"Set the variable that it refers to, or leave the option out: {option}",
        )
    return sendable(option, text)


def _unread(what: str, file: object, error: OSError) -> MissingReference:
    return MissingReference(f"The {what} {str(file)!r} cannot be read: {error.strerror or error}.")
