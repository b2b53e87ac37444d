"""By which way Kubeflow is reached: a host, Kubernetes as kubectl reaches it, or as a pod does."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from certificates import certificate
from hosts import HEALTHZ, RUNS, Host, Said
from kubernetes.client import CoreV1Api

from penstock.errors import BadConfiguration, EngineError, PenstockError, StackError
from penstock_kubeflow import KubeflowOrchestrator, api, kube, ways
from penstock_kubeflow.api import Api

RUN = "submit run 7"
ALONE: Said = (200, {"multi_user": False})
SEVERAL: Said = (200, {"multi_user": True})
FINE = {"run_id": "1"}
KUBE = "/api/v1/namespaces/kubeflow/services/ml-pipeline:http/proxy"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long here."""
    monkeypatch.setattr(api, "PAUSES", (0.01, 0.01))


def test_without_anything_the_ways_are_told() -> None:
    with pytest.raises(StackError) as raised:
        Api(KubeflowOrchestrator())

    assert str(raised.value) == (
        "The orchestrator 'kubeflow' has no host, and there is neither a kubeconfig file nor is "
        "this a pod of a cluster.\n"
        "Write host: https://…, or kube_context: … of the kubeconfig file."
    )


def said(kubeflow: KubeflowOrchestrator) -> str:
    """What is told of it without asking anybody."""
    with pytest.raises(StackError) as raised:
        kubeflow.ready()
    return str(raised.value)


def test_what_can_be_told_without_asking_is_told_before_anything_is_asked(tmp_path: Path) -> None:
    nobody = "https://kfp.invalid"
    assert "has no host" in said(KubeflowOrchestrator())
    spoilt = KubeflowOrchestrator(host=nobody, cookies="a=\N{EM DASH}")
    assert "The cookies for Kubeflow cannot be sent" in said(spoilt)
    missing = KubeflowOrchestrator(host=nobody, ca_bundle=str(tmp_path / "ca.pem"))
    assert "cannot be read: No such file" in said(missing)
    kubeconfig("https://cluster.invalid", {"exec": {"command": "false"}})
    assert "leads to no cluster" in said(KubeflowOrchestrator(kube_context="other"))
    KubeflowOrchestrator(kube_context="prod").ready()  # the program is not run
    KubeflowOrchestrator(host=nobody, token="a").ready()


def kubeconfig(server: str, user: Any = None, **cluster: Any) -> None:
    """JSON is YAML as well."""
    folder = Path.home() / ".kube"
    folder.mkdir(exist_ok=True)
    content = {
        "current-context": "prod",
        "contexts": [{"name": "prod", "context": {"cluster": "one", "user": "me"}}],
        "clusters": [{"name": "one", "cluster": {"server": server, **cluster}}],
        "users": [{"name": "me", "user": user or {}}],
    }
    (folder / "config").write_text(json.dumps(content))


@pytest.mark.parametrize("context", [None, "prod"])
def test_kubernetes_is_a_way_to_it(context: str | None) -> None:
    with Host({f"{KUBE}{HEALTHZ}": SEVERAL, f"{KUBE}{RUNS}": (200, FINE)}) as host:
        kubeconfig(host.url, {"token": "abc"})
        kubeflow = Api(KubeflowOrchestrator(kube_context=context))

        assert kubeflow.post("runs", {"display_name": "a"}).is_it
        assert (kubeflow.multi_user, kubeflow.page("runs")) == (True, None)
    assert {headers["Authorization"] for _, headers in host.asked} == {"Bearer abc"}


def test_so_it_is_with_certificates_for_another_name(tmp_path: Path) -> None:
    file = str(certificate(tmp_path))
    with Host({f"{KUBE}{HEALTHZ}": ALONE}, Path(file), asks_for_one=True) as host:
        own = {"client-certificate": file, "client-key": file}
        named = {"certificate-authority": file, "tls-server-name": "127.0.0.1"}
        kubeconfig(f"https://localhost:{host.port}", own, **named)

        assert Api(KubeflowOrchestrator()).get("healthz").is_it


def test_it_is_checked_in_the_same_way() -> None:
    with Host({f"{KUBE}{HEALTHZ}": ALONE, f"{KUBE}{RUNS}": (200, {})}) as host:
        kubeconfig(host.url)
        found = [*KubeflowOrchestrator(image="a").check()]

    assert [(each.what, each.ok) for each in found] == [
        ("image", True), ("host", True), ("login", True),
    ]  # fmt: skip


def status(code: int, message: str) -> Said:
    """As Kubernetes says it."""
    return (code, {"kind": "Status", "code": code, "message": message})


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (status(401, "Unauthorized"), BadConfiguration, "does not take the credentials of the"),
        (status(403, "services is forbidden"), BadConfiguration, "does not let one in (403: serv"),
        (
            status(404, "services 'ml-pipeline' not found"),
            BadConfiguration,
            "there is no Kubeflow Pipelines at ",
        ),
        (status(503, "no endpoints available"), EngineError, "answers 503: no endpoints available"),
    ],
)
def test_what_kubernetes_itself_refuses_is_told(
    said: Said, kind: type[PenstockError], words: str
) -> None:
    with Host({f"{KUBE}{HEALTHZ}": said, f"{KUBE}{RUNS}": said}) as host:
        kubeconfig(host.url, {"token": "abc"})
        kubeflow = Api(KubeflowOrchestrator(kube_context="prod"))
        error = kubeflow.refused(kubeflow.post("runs", {}), RUN)

    assert type(error) is kind
    assert f"{host.url} (the context 'prod' of the kubeconfig file)" in error.message
    assert words in error.message
    assert error.hint


def test_another_current_context_counts_at_once() -> None:
    with Host({f"{KUBE}{HEALTHZ}": ALONE}) as one, Host({f"{KUBE}{HEALTHZ}": SEVERAL}) as other:
        found = []
        for host in (one, other):
            kubeconfig(host.url)
            found.append(Api(KubeflowOrchestrator()).multi_user)

    assert found == [False, True]


def test_what_the_orchestrator_says_of_certificates_comes_before_the_file(tmp_path: Path) -> None:
    file = certificate(tmp_path)
    with Host({f"{KUBE}{HEALTHZ}": ALONE}, file) as host:
        kubeconfig(host.url)
        ways_to_trust: list[dict[str, Any]] = [{}, {"ca_bundle": str(file)}, {"verify_ssl": False}]
        found = [Api(KubeflowOrchestrator(**each)).get("healthz").is_it for each in ways_to_trust]

    assert found == [False, True, True]


def test_kubernetes_itself_is_asked_by_the_same_file() -> None:
    namespace = "/api/v1/namespaces/ml/secrets/s3"
    with Host({namespace: (200, {"kind": "Secret", "metadata": {"name": "s3"}})}) as host:
        kubeconfig(host.url, {"token": "abc"})
        client = kube.client(KubeflowOrchestrator(host="https://kfp.example"))
        found = CoreV1Api(client).read_namespaced_secret("s3", "ml")

    assert found.metadata.name == "s3"
    assert host.asked[0][1]["authorization"] == "Bearer abc"


def test_without_a_cluster_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    kubeflow = KubeflowOrchestrator(host="https://kfp.example")
    with pytest.raises(StackError, match="there is no kubeconfig file") as raised:
        kube.client(kubeflow)
    assert "kubectl config get-contexts" in str(raised.value.hint)

    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(StackError, match="This pod has no way to Kubernetes"):
        kube.client(kubeflow)


def test_credentials_that_have_ended_are_got_anew(tmp_path: Path) -> None:
    """By a program that logs one in, as clouds have one."""
    count = tmp_path / "count"
    script = f"""echo >> {count}; printf '{{"apiVersion": "client.authentication.k8s.io/v1",
    "kind": "ExecCredential", "status": {{"token": "%s"}}}}' $(wc -l < {count})"""
    program = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "sh", "args": ["-c", script], "interactiveMode": "Never",
    }  # fmt: skip

    def second(headers: Any) -> Said:
        return ALONE if headers["Authorization"] == "Bearer 2" else status(401, "Unauthorized")

    with Host({f"{KUBE}{HEALTHZ}": second}) as host:
        kubeconfig(host.url, {"exec": program})
        answers = [Api(KubeflowOrchestrator()).get("healthz").is_it for _ in range(2)]

    assert answers == [True, True]
    assert [headers["Authorization"] for _, headers in host.asked] == [
        "Bearer 1", "Bearer 2", "Bearer 2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("context", "text", "words"),
    [
        ("dev", None, "Expected object with name dev in"),
        (None, "{}", "leads to no cluster"),
        (None, "a: [", "leads to no cluster"),
        (None, "", "is empty"),
        ("dev", "gone", "No configuration found"),
    ],
)
def test_a_kubeconfig_that_leads_nowhere_is_told(
    context: str | None, text: str | None, words: str
) -> None:
    kubeconfig("https://127.0.0.1:1")
    if text == "gone":
        (Path.home() / ".kube/config").unlink()
    elif text is not None:
        (Path.home() / ".kube/config").write_text(text)
    with pytest.raises(BadConfiguration, match=words) as raised:
        Api(KubeflowOrchestrator(kube_context=context)).get("healthz")

    assert "kubectl config get-contexts" in str(raised.value.hint)


def test_a_pod_has_a_way_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    token = tmp_path / "token"
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv(ways.IDENTITY, os.fspath(token))
    with Host({HEALTHZ: SEVERAL}) as host:
        monkeypatch.setattr(ways, "INSIDE", host.url)
        kubeflow = Api(KubeflowOrchestrator())
        assert kubeflow.get("healthz").is_it
        token.write_text("abc\n")
        assert kubeflow.get("healthz").is_it
        assert Api(KubeflowOrchestrator(token="own")).get("healthz").is_it

    shown = [headers.get("Authorization") for _, headers in host.asked]
    assert shown == [None, "Bearer abc", "Bearer own"]
    assert kubeflow.page("runs") is None


def test_a_pod_that_is_not_known_is_told_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with Host({HEALTHZ: SEVERAL, RUNS: (401, {"message": "no identity"})}) as host:
        monkeypatch.setattr(ways, "INSIDE", host.url)
        kubeflow = Api(KubeflowOrchestrator())
        error = kubeflow.refused(kubeflow.get("runs"), RUN)

    assert "asks who one is (401: no identity)" in error.message
    assert "audience pipelines.kubeflow.org" in str(error.hint)


def test_a_host_comes_before_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    kubeconfig("https://127.0.0.1:1")
    with Host({HEALTHZ: ALONE}) as host:
        assert Api(KubeflowOrchestrator(host=host.url)).get("healthz").is_it
