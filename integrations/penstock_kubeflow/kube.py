"""Kubernetes, as kubectl reaches it: by a context of the kubeconfig file, or from a pod."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import BadConfiguration, StackError
from penstock_kubeflow import address, ways

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

_PROXY: Final = f"/api/v1/namespaces/{address.HOME}/services/ml-pipeline:http/proxy"
"""Where Kubernetes hands requests on to Kubeflow Pipelines."""


def is_there(kubeflow: KubeflowOrchestrator) -> bool:
    """Whether anything says which cluster it is: the orchestrator, or a kubeconfig file."""
    return bool(kubeflow.kube_context) or any(Path(each).is_file() for each in _files())


def client(kubeflow: KubeflowOrchestrator) -> ApiClient:
    """For whoever asks Kubernetes itself. It is kept: a program that logs one in takes its time.

    Raises `BadConfiguration` for a context that is not there, and `StackError` where nothing says
    which cluster it is.
    """
    if is_there(kubeflow):
        context, own = kubeflow.kube_context or None, (kubeflow.ca_bundle, kubeflow.verify_ssl)
        return _by_file(os.pathsep.join(_files()), _stamps(), context, *own)
    if ways.is_pod():
        return _in_pod()
    raise StackError(
        f"The orchestrator {kubeflow.name!r} has no kube_context, and there is no kubeconfig file.",
        hint="Write kube_context: …, one of: kubectl config get-contexts",
    )


def context(kubeflow: KubeflowOrchestrator) -> str:
    """The name of the context that counts; empty if a file names none, and in a pod."""
    from kubernetes.config import list_kube_config_contexts

    if kubeflow.kube_context:
        return kubeflow.kube_context
    try:
        return str(list_kube_config_contexts(os.pathsep.join(_files()))[1]["name"])
    except Exception:  # of whichever library reads it; `client` says what is wrong with the file
        return ""


class ByKube:
    """By the proxy that Kubernetes is for its services: whoever may use kubectl there is let in."""

    pages = ""
    others = ()

    def __init__(self, kubeflow: KubeflowOrchestrator) -> None:
        self._kubeflow = kubeflow

    @property
    def base(self) -> str:
        return f"{self._configuration.host}{_PROXY}"

    @property
    def called(self) -> str:
        named = f"context {self._kubeflow.kube_context!r}"
        if not self._kubeflow.kube_context:
            named = "current context"
        return f"{self._configuration.host} (the {named} of the kubeconfig file)"

    @property
    def given(self) -> str:
        return "credentials of the kubeconfig file"

    @property
    def login(self) -> str:
        context = self._kubeflow.kube_context
        chosen = f" --context {context}" if context else ""
        return (
            f"Does this work: kubectl{chosen} get services -n {address.HOME}? Where several work, "
            "Kubeflow lets nobody in this way: write host: …"
        )

    @property
    def renewal(self) -> str:
        return self.login

    @property
    def tls_name(self) -> str:
        return self._configuration.tls_server_name or ""

    def check(self) -> None:
        """Whether the file has such a context. No program is run that logs one in, as `headers`
        would do: that may ask somebody."""
        from kubernetes.config.kube_config import KubeConfigLoader, KubeConfigMerger

        context = self._kubeflow.kube_context
        try:
            merged = KubeConfigMerger(os.pathsep.join(_files()))
            KubeConfigLoader(merged.config, context, config_base_path=None)
        except Exception as error:  # of whichever library reads it
            raise _leads_nowhere(error, context) from error

    def headers(self, *, anew: bool = False) -> Mapping[str, str]:
        if anew:
            _by_file.cache_clear()
        token = _token(self._configuration)
        return {"Authorization": ways.sendable("kubeconfig's token", token)} if token else {}

    def trusted(self) -> ssl.SSLContext:
        found = self._configuration
        own = (found.cert_file, found.key_file) if found.cert_file else None
        authorities = self._kubeflow.ca_bundle or found.ssl_ca_cert or ""
        return ways.context(authorities, self._kubeflow.verify_ssl and found.verify_ssl, own)

    @property
    def _configuration(self) -> Any:
        return client(self._kubeflow).configuration


def _files() -> list[str]:
    """The kubeconfig files, as kubectl finds them."""
    named = os.environ.get("KUBECONFIG") or "~/.kube/config"
    return [os.path.expanduser(each) for each in named.split(os.pathsep) if each]


def _stamps() -> tuple[int, ...]:
    """They change with the files: another context may be the current one from now on."""
    return tuple(Path(each).stat().st_mtime_ns for each in _files() if Path(each).is_file())


@lru_cache(maxsize=8)
def _by_file(
    files: str, stamps: tuple[int, ...], context: str | None, authorities: str, verified: bool
) -> ApiClient:
    """kubernetes is loaded here, which takes some tenths of a second. What the orchestrator says of
    certificates comes before what the file says."""
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import load_kube_config

    made = Configuration()
    try:
        load_kube_config(files, context, client_configuration=made)
    except Exception as error:  # it may have asked any library that logs one in
        raise _leads_nowhere(error, context) from error
    made.ssl_ca_cert = authorities or made.ssl_ca_cert
    made.verify_ssl = verified and made.verify_ssl
    return ApiClient(made)


def _token(configuration: Any) -> str | None:
    """As it is now: one that has ended is got anew."""
    try:
        found: str | None = configuration.get_api_key_with_prefix("authorization")
    except Exception as error:  # see above
        raise StackError(
            f"The credentials of the kubeconfig file cannot be got: {error}",
            hint=f"Does this work: kubectl get services -n {address.HOME}?",
        ) from error
    return found


def _leads_nowhere(why: object, context: str | None) -> BadConfiguration:
    files, text = os.pathsep.join(_files()), " ".join(str(why).split()).rstrip(".")
    return BadConfiguration(
        f"The kubeconfig file {files} leads to no cluster: {text}.", hint=_hint(context)
    )


def _hint(context: str | None) -> str:
    chosen = f"{context!r} is to be one of" if context else "Write kube_context: …, one of"
    return f"{chosen}: kubectl config get-contexts"


@lru_cache(maxsize=1)
def _in_pod() -> ApiClient:
    from kubernetes.client import ApiClient, Configuration
    from kubernetes.config import ConfigException, load_incluster_config

    made = Configuration()
    try:
        load_incluster_config(made)
    except (ConfigException, OSError) as error:
        raise StackError(
            f"This pod has no way to Kubernetes: {error}",
            hint="Its service account has to be mounted (automountServiceAccountToken).",
        ) from error
    return ApiClient(made)
