"""Options: what can be told wrong of the orchestrator before anybody is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from penstock.errors import BadConfiguration
from penstock.model.component import Secret
from penstock_kubeflow import address
from penstock_kubeflow import settings as pods
from penstock_kubeflow.open_secrets import open_secrets
from penstock_kubeflow.shapes import is_image, is_name, is_requirement

if TYPE_CHECKING:
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

FOREIGN: Final[Mapping[str, str]] = {
    "kubeflow_hostname": "host",
    "hostname": "host",
    "endpoint": "host",
    "url": "host",
    "api_url": "host",
    "kubeflow_namespace": "namespace",
    "kubernetes_namespace": "namespace",
    "user_namespace": "namespace",
    "kubernetes_context": "kube_context",
    "context": "kube_context",
    "existing_token": "token",
    "client_password": "token",
    "client_username": "cookies",
    "cookie": "cookies",
    "ssl_ca_cert": "ca_bundle",
    "ssl_verify": "verify_ssl",
    "verify": "verify_ssl",
    "client_args": "host, token, cookies, ca_bundle and verify_ssl",
    "experiment_name": "experiment",
    "service_account_name": "service_account",
    "kubernetes_service_account": "service_account",
    "base_image": "image",
    "container_image": "image",
    "default_image": "image",
    "target_image": "image",
    "docker_image": "image",
    "packages_to_install": "requirements",
    "pip_packages": "requirements",
    "settings": "defaults",
    "pod_settings": "defaults",
    "user_settings": "defaults",
    "skip_local_validations": "nothing: leave it out",
    "synchronous": "nothing: with_options(wait=False) of a run",
    "skip_ui_daemon_provisioning": "nothing: no port is forwarded",
    "kubeflow_pipelines_ui_port": "nothing: no port is forwarded",
    "incluster": "nothing: without a host it is the cluster's own",
}
"""Options of other tools, and what the same is called here."""

_TEXTS: Final = ("image", "namespace", "ca_bundle", "python")
_PERHAPS: Final = ("host", "experiment", "service_account", "kube_context")
_SECRETS: Final = ("token", "cookies")
_FLAGS: Final = ("verify_ssl",)
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
"""What Kubernetes takes for the name of a namespace."""


def check(kubeflow: KubeflowOrchestrator) -> None:
    """Raises `BadConfiguration` with all that is wrong."""
    found = [*_types(kubeflow)] or [*_values(kubeflow)]
    if not found:
        return
    said = [(f"The orchestrator {kubeflow.name!r} {_ended(what)}", hint) for what, hint in found]
    if len(said) == 1:
        raise BadConfiguration(said[0][0], hint=said[0][1])
    lines = [f"{text} {hint}".rstrip() for text, hint in said]
    raise BadConfiguration("\n  ".join([f"{len(lines)} options are wrong:", *lines]))


def _types(kubeflow: KubeflowOrchestrator) -> Iterator[tuple[str, str]]:
    """Code may give anything; what a file gives has its type."""
    value: object
    for option in (*_TEXTS, *_PERHAPS):
        value = getattr(kubeflow, option)
        if not isinstance(value, str) and not (value is None and option in _PERHAPS):
            yield f"has {option}={value!r}, and that is no text", "Write it in quotes."
    for option in _SECRETS:
        if not isinstance(value := getattr(kubeflow, option), Secret | None):
            yield f"has {option} of the class {type(value).__name__}", "Write it as text."
    for option in _FLAGS:
        if not isinstance(value := getattr(kubeflow, option), bool):
            yield f"has {option}={value!r}", "Write true or false."
    if not _are_texts(kubeflow.requirements):
        several = kubeflow.requirements
        yield f"has requirements={several!r}", "Write a list: requirements: [scikit-learn==1.5.2]"
    given: object = kubeflow.defaults
    if not isinstance(given, Mapping):
        yield (
            f"has defaults of the class {type(given).__name__}",
            "Write names: defaults: {pods: 8}",
        )


def _values(kubeflow: KubeflowOrchestrator) -> Iterator[tuple[str, str]]:
    host, namespace = kubeflow.host, kubeflow.namespace
    if host == "":  # a variable that is empty must not lead to another cluster
        yield "has an empty host", "Write host: https://…, or leave the option out."
    if host and not _later(host) and (wrong := address.wrong(host)):
        yield wrong
    if not _later(namespace) and not re.fullmatch(_LABEL, namespace):
        yield (
            f"has namespace={namespace!r}, which is no name of a namespace",
            "Small letters, digits and '-' are taken.",
        )
    image = kubeflow.image
    if image and not _later(image) and "{{" not in image and not is_image(image):
        why = "with a blank in it" if re.search(r"\s", image) else "which is no name of an image"
        yield f"has image={image!r}, {why}", "Write for example image: ghcr.io/acme/ml:3"
    account = kubeflow.service_account
    if account and not _later(account) and not is_name(account):
        yield (
            f"has service_account={account!r}, which is no name that Kubernetes has",
            "Small letters, digits, '-' and '.' are taken.",
        )
    if kubeflow.code not in ("archive", "image"):
        yield f"has code={kubeflow.code!r}", "Write 'archive' or 'image'."
    if not kubeflow.python or re.search(r"[\n\0]", kubeflow.python):
        yield f"has python={kubeflow.python!r}", "Write python or /opt/venv/bin/python."
    for each in kubeflow.requirements:
        if not _later(each) and not is_requirement(each):
            yield (
                f"has {each!r} among its requirements, and that is none",
                "Write distributions, for example scikit-learn==1.5.2; an index in PIP_INDEX_URL.",
            )
    said = [*pods.problems("", kubeflow.defaults, of_step=False)]
    for text in said or open_secrets("", kubeflow.defaults.get("env") or {}):
        yield f"has wrong defaults: {text.removeprefix(': ').strip()}", ""


def _ended(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."


def _are_texts(given: object) -> bool:
    return isinstance(given, list | tuple) and all(isinstance(each, str) for each in given)


def _later(text: str) -> bool:
    """Whether it is known only when a reference in it is resolved."""
    return "${" in text
