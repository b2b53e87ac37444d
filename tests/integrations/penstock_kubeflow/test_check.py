"""What `stack check` finds out about a host: with a real server for each thing that one can say."""

import socket
import warnings
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from certificates import certificate
from hosts import HEALTHZ, PAGE, RUNS, Host, Said

from penstock.model.component import Finding
from penstock_kubeflow import KubeflowOrchestrator, asking, health, ways

SINGLE: Mapping[str, Said] = {HEALTHZ: (200, {"multi_user": False}), RUNS: (200, {})}
SEVERAL: Mapping[str, Said] = {HEALTHZ: (200, {"multi_user": True}), RUNS: (200, {})}

OLD: Mapping[str, Said] = {"/apis/v1beta1/healthz": (200, {})}
DENIED = {"error": "User 'a' is not authorized", "code": 7}


def findings(**options: Any) -> list[Finding]:
    options = {"image": "ghcr.io/acme/ml:3", **options}
    return list(KubeflowOrchestrator(**options).check())


def wrong(found: list[Finding]) -> Finding:
    (one,) = (each for each in found if not each.ok)
    return one


def told(found: list[Finding]) -> list[str]:
    return [f"{each.what}: {each.mark}" for each in found]


@pytest.mark.parametrize("tail", ["", "/", "//", "/apis", "/apis/v2beta1/", "/#/runs", "/?x=1"])
def test_the_host_is_found_however_its_address_was_copied(tail: str) -> None:
    with Host(SINGLE) as host:
        assert told(findings(host=host.url + tail)) == ["image: ok", "host: ok", "login: ok"]
        assert [path for path, _ in host.asked] == [HEALTHZ, f"{RUNS}?page_size=1"]


def test_where_several_work_the_namespace_is_tried_as_well() -> None:
    with Host(SEVERAL) as host:
        found = findings(host=host.url, namespace="ml")

        assert told(found) == ["image: ok", "host: ok", "login: ok", "namespace: ok"]
        assert host.asked[-1][0] == f"{RUNS}?page_size=1&namespace=ml"


def test_a_token_and_cookies_are_shown_to_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KFP_TOKEN", "abc")
    with Host(SINGLE) as host:
        found = findings(host=host.url, token="${env:KFP_TOKEN}", cookies="session=1")
        headers = [headers for _, headers in host.asked]

    assert all(each.ok for each in found)
    assert {each["Authorization"] for each in headers} == {"Bearer abc"}
    assert {each["Cookie"] for each in headers} == {"session=1"}


BAD: Mapping[str, tuple[Mapping[str, Said], str, int, str]] = {
    "no one is let in without a token": (
        {HEALTHZ: (401, "")},
        "login",
        3,
        (
            "{url} asks who one is (401). Write a token or cookies, as a reference: "
            "token: ${{env:KFP_TOKEN}}"
        ),
    ),
    "a page where one says who one is": (
        {HEALTHZ: (302, "", {"Location": "/dex/auth?client_id=kubeflow"})},
        "login",
        3,
        (
            "{url} asks who one is (302, and sends one on to {url}/dex/auth?client_id=kubeflow). "
            "Write a token or cookies, as a reference: token: ${{env:KFP_TOKEN}}"
        ),
    ),
    "not let in": (
        {HEALTHZ: (403, DENIED)},
        "login",
        3,
        (
            "{url} does not let one in (403: User 'a' is not authorized). "
            "Write a token or cookies, as a reference: token: ${{env:KFP_TOKEN}}"
        ),
    ),
    "runs are shown to nobody unknown": (
        {**SEVERAL, RUNS: (401, {"error": "no identity"})},
        "login",
        3,
        (
            "{url} asks who one is (401: no identity). "
            "Write a token or cookies, as a reference: token: ${{env:KFP_TOKEN}}"
        ),
    ),
    "another's namespace": (
        {**SEVERAL, RUNS: (403, DENIED)},
        "namespace",
        3,
        (
            "the host shows no runs of 'kubeflow': 403: User 'a' is not authorized. "
            "Write one that is yours: namespace: …"
        ),
    ),
    "a page for people": (
        {HEALTHZ: (200, PAGE)},
        "host",
        3,
        (
            "{url} answers with a page for people, not with JSON: it may ask who one is, or be "
            "something else. Write a token or cookies, as a reference: token: ${{env:KFP_TOKEN}}"
        ),
    ),
    "a whole Kubeflow": (
        {HEALTHZ: (200, PAGE), f"/pipeline{HEALTHZ}": (200, {})},
        "host",
        3,
        "there is no Kubeflow Pipelines at {url}. Write: host: {url}/pipeline",
    ),
    "another address of the same": (
        {HEALTHZ: (301, "", {"Location": "https://kfp.example/apis/v2beta1/healthz"})},
        "host",
        3,
        (
            "{url} sends one on to https://kfp.example/apis/v2beta1/healthz. "
            "Write: host: https://kfp.example"
        ),
    ),
    "too old": (
        OLD,
        "host",
        3,
        "{url} has no API v2beta1, only an older one. Kubeflow Pipelines 2 is needed.",
    ),
    "something else": (
        {},
        "host",
        3,
        (
            "{url} answers 404: it is something else. "
            "Write the address that its page has in a browser."
        ),
    ),
    "broken": (
        {HEALTHZ: (503, "upstream connect error")},
        "host",
        5,
        "{url} answers 503. Try: kubectl get pods -n kubeflow",
    ),
    "broken for runs": (
        {**SINGLE, RUNS: (500, {"error": "database is locked"})},
        "host",
        5,
        "{url} answers 500: database is locked. Is it running, and can this machine reach it?",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_a_host_says_is_told_with_a_cure(case: str) -> None:
    answers, what, code, message = BAD[case]
    with Host(answers) as host:
        found = wrong(findings(host=host.url))

        assert (found.what, found.exit_code) == (what, code)
        assert f"{found.message} {found.hint}" == message.format(url=host.url)


def test_a_check_that_believes_every_answer_is_noticed() -> None:
    """The planted defect: without it the servers above could say what they like."""

    class Believing(KubeflowOrchestrator):
        def check(self) -> Iterator[Finding]:
            yield Finding(
                "host", asking.Asking(ways.way(self), 5).get(f"{self.host}{HEALTHZ}").status > 0
            )

    noticed = []
    for answers, *_ in BAD.values():
        with Host(answers) as host:
            noticed.append(all(each.ok for each in Believing(host=host.url).check()))
    assert all(noticed)


@pytest.mark.parametrize("given", ["token", "cookies"])
def test_what_was_shown_and_is_not_taken_is_named(given: str) -> None:
    with Host({HEALTHZ: (401, "")}) as host:
        found = wrong(findings(host=host.url, **{given: "old"}))

    assert found.message == f"{host.url} does not take the {given} (401)."
    assert found.hint == "That may have ended: get it anew."


def test_a_wrong_path_is_told_with_the_right_one() -> None:
    with Host(SINGLE) as host:
        found = wrong(findings(host=f"{host.url}/ui"))

    assert found.hint == f"Write: host: {host.url}"


def test_a_token_goes_to_no_other_host() -> None:
    with Host(SINGLE) as other:
        away = {"Location": f"{other.url}{HEALTHZ}"}
        with Host({HEALTHZ: (302, "", away)}) as host:
            found = wrong(findings(host=host.url, token="abc"))

        assert (found.what, other.asked) == ("host", [])


def test_a_reference_that_leads_nowhere_is_told_before_anybody_is_asked() -> None:
    with Host(SINGLE) as host:
        kubeflow = KubeflowOrchestrator(host=host.url, token="${env:NO_SUCH_TOKEN}")
        with pytest.raises(Exception, match="NO_SUCH_TOKEN"):
            list(kubeflow.check())

        assert host.asked == []


def test_a_host_that_is_not_there_does_not_answer() -> None:
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    found = wrong(findings(host=url))

    assert (found.what, found.exit_code) == ("host", 5)
    assert found.message == f"{url} does not answer: Connection refused."


def test_neither_does_one_without_an_address() -> None:
    found = wrong(findings(host="http://kfp.invalid"))

    assert found.message.startswith("http://kfp.invalid does not answer: ")


def test_nobody_waits_long_for_a_silent_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE", 0.2)
    with Host({HEALTHZ: (0, 0.5)}) as host:
        found = wrong(findings(host=host.url))

    assert found.message == f"{host.url} does not answer: nothing came for 0.2 seconds."


def test_a_certificate_that_is_not_trusted_is_told_with_the_option_for_it(tmp_path: Path) -> None:
    file = certificate(tmp_path)
    with Host(SINGLE, file) as host:
        refused = wrong(findings(host=host.url))
        trusted = findings(host=host.url, ca_bundle=str(file))
        unchecked = findings(host=host.url, verify_ssl=False)

    assert "its certificate is not trusted here" in refused.message
    assert refused.hint == "Write the file of its authority: ca_bundle: ca.pem"
    assert all(each.ok for each in (*trusted, *unchecked))


def test_certificates_that_are_not_there_are_named(tmp_path: Path) -> None:
    kubeflow = KubeflowOrchestrator(host="https://127.0.0.1:1", ca_bundle=str(tmp_path / "no.pem"))
    with pytest.raises(Exception, match=r"no\.pem"):
        list(kubeflow.check())


def test_without_a_host_nothing_is_asked_and_that_is_said() -> None:
    _, host = findings()

    assert (host.what, host.mark) == ("host", "note")
    assert "kubectl port-forward -n kubeflow svc/ml-pipeline 8888:8888" in host.hint


def test_an_image_is_asked_for() -> None:
    assert told(findings(image="")) == ["image: WRONG", "host: note"]
    assert told(findings(image="", defaults={"image": "a"})) == ["image: ok", "host: note"]


def test_no_warning_is_given() -> None:
    with Host(SEVERAL) as host, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        findings(host=host.url)

    assert [str(each.message) for each in caught] == []
