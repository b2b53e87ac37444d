"""The cluster: Secrets of one namespace of Kubernetes, as its API has them.

Whose work a key is, Kubernetes keeps itself: the `managedFields` of an object name the program that
has written each field last. So nothing about it is written down beside, and a key that somebody has
changed since is not ours any more.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from penstock.errors import BadConfiguration, EngineError, PenstockError, StackError
from penstock_kubeflow import kube

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

PATIENCE: Final = (5, 30)
"""Seconds until there is a connection, and until something is answered."""

_GONE, _TAKEN = 404, 409
_MERGE: Final = "application/merge-patch+json"


class Secret:
    """A Secret as it was when somebody looked."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self.name: str = data["metadata"]["name"]
        self.meta: Mapping[str, Any] = data["metadata"]
        self.values: dict[str, bytes] = {
            key: b64decode(value) for key, value in (data.get("data") or {}).items()
        }

    @property
    def ours(self) -> Collection[str]:
        """The keys whose values this user has written from this machine, and nobody since."""
        written = [each.get("f:data") or {} for each in self._fields]
        return [key for key in self.values if any(f"f:{key}" in each for each in written)]

    @property
    def is_ours(self) -> bool:
        """Whether it was made by this user from this machine: nobody changes a type later."""
        return any("f:type" in each for each in self._fields)

    @property
    def _fields(self) -> list[Mapping[str, Any]]:
        entries = self.meta.get("managedFields") or ()
        ours = (each for each in entries if each.get("manager") == manager())
        return [each.get("fieldsV1") or {} for each in ours]


class Cluster:
    """Asks the API of Kubernetes. No message has a value of a Secret in it."""

    def __init__(self, kubeflow: KubeflowOrchestrator) -> None:
        """Raises `StackError` if no cluster is known."""
        self._client: ApiClient = kube.client(kubeflow)
        self._namespace = kubeflow.namespace
        self._path = f"/api/v1/namespaces/{kubeflow.namespace}/secrets"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.rest_client.pool_manager.clear()  # the client itself may be used again

    def secret(self, name: str) -> Secret | None:
        """None if there is none."""
        status, data = self._ask("GET", f"/{name}", "read")
        return None if status == _GONE else Secret(data)

    def make(self, name: str, values: Mapping[str, bytes]) -> bool:
        """Whether it was made; somebody else may have been faster."""
        body = {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "Opaque",
            "metadata": {"name": name},
            "data": _sent(values),
        }
        status, data = self._ask("POST", "", "make", body)
        if status == _GONE:  # it is the namespace that is not there
            raise BadConfiguration(
                f"{self._at} has no namespace {self._namespace!r}: {_told(data)}.",
                hint="Write another one, or type: kubectl create namespace " + self._namespace,
            )
        return status != _TAKEN

    def change(self, secret: Secret, values: Mapping[str, bytes | None]) -> bool:
        """Write keys, or take them away (None). Whether that was done: not if somebody has changed
        the Secret since it was looked at."""
        body = {"metadata": _same(secret), "data": _sent(values)}
        status, _ = self._ask("PATCH", f"/{secret.name}", "change", body)
        return status not in (_GONE, _TAKEN)

    def remove(self, secret: Secret) -> bool:
        """Whether it was removed; as `change`."""
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": _same(secret)}
        status, _ = self._ask("DELETE", f"/{secret.name}", "delete", body)
        return status not in (_GONE, _TAKEN)

    def _ask(
        self, method: str, path: str, verb: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, Mapping[str, Any]]:
        """What is answered, if that is an answer of Kubernetes. Raises `EngineError`, and
        `StackError` if it does not let one in."""
        from kubernetes.client import ApiException  # heavy, and only where there is a cluster
        from urllib3.exceptions import HTTPError

        kind = _MERGE if method == "PATCH" else "application/json"
        try:
            found = self._client.call_api(
                self._path + path,
                method,
                query_params=[("fieldManager", manager())] if method in ("POST", "PATCH") else [],
                header_params={"Accept": "application/json", "Content-Type": kind},
                body=body,
                auth_settings=["BearerToken"],
                _return_http_data_only=True,
                _preload_content=False,
                _request_timeout=PATIENCE,
            )
            status, data = found.status, _read(found.data)
        except ApiException as error:
            status, data = error.status or 0, _read(error.body)
        except (HTTPError, OSError) as error:
            raise EngineError(
                f"{self._at} does not answer: {_reason(error)}.",
                hint="Is it running, and can this machine reach it? Try: kubectl get namespaces",
            ) from error
        if data is None or (status >= 400 and status not in (_GONE, _TAKEN)):
            raise self._refused(status, data, verb)
        return status, data

    def _refused(self, status: int, data: Mapping[str, Any] | None, verb: str) -> PenstockError:
        if status == 401:
            return StackError(
                f"{self._at} does not know who asks ({_told(data)}).",
                hint="Log in to it anew. Try: kubectl auth whoami",
            )
        if status == 403:
            return StackError(
                f"{self._at} does not let one {verb} Secrets in the namespace "
                f"{self._namespace!r}: {_told(data)}.",
                hint="Ask for permission, or somebody who has it. Try: "
                f"kubectl auth can-i create secrets -n {self._namespace}",
            )
        said = "something else than JSON" if data is None else _told(data)
        return EngineError(f"{self._at} answers {status}: {said}.")

    @property
    def _at(self) -> str:
        return f"The Kubernetes at {self._client.configuration.host}"


def manager() -> str:
    """Who writes, as Kubernetes keeps it: this user on this machine."""
    return f"penstock-{os.getuid()}@{os.uname().nodename}"[:128]


def _same(secret: Secret) -> Mapping[str, Any]:
    """Only this very one, as it was seen."""
    return {name: secret.meta[name] for name in ("uid", "resourceVersion") if name in secret.meta}


def _sent(values: Mapping[str, bytes | None]) -> dict[str, str | None]:
    return {
        key: None if value is None else b64encode(value).decode() for key, value in values.items()
    }


def _read(body: bytes | str | None) -> Mapping[str, Any] | None:
    try:
        data = json.loads(body or b"")
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _told(data: Mapping[str, Any] | None) -> str:
    return " ".join(str((data or {}).get("message") or "no reason given").split()).rstrip(".")


def _reason(error: BaseException) -> str:
    """The innermost, without addresses of objects."""
    inner = getattr(error, "reason", None)
    if isinstance(inner, BaseException):
        return _reason(inner)
    text = (isinstance(error, OSError) and error.strerror) or str(inner or error)
    return text.rpartition(">: ")[2].rstrip(".")
