"""What is asked of a server and what its answers mean: with a real one for each."""

import socket
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from certificates import certificate
from hosts import HEALTHZ, LARGE, PAGE, RUNS, Host, Said, Saying

from penstock.errors import BadConfiguration, EngineError, PenstockError
from penstock_kubeflow import KubeflowOrchestrator, api, asking, health
from penstock_kubeflow.api import Api
from penstock_kubeflow.asking import Answer

RUN = "submit run 7"
ALONE: Said = (200, {"multi_user": False})
SEVERAL: Said = (200, {"multi_user": True})
FINE = {"run_id": "1"}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long here."""
    monkeypatch.setattr(api, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(asking, "PATIENCE", 0.3)
    monkeypatch.setattr(health, "PATIENCE", 0.3)


def of(host: Host, **options: Any) -> Api:
    return Api(KubeflowOrchestrator(host=host.url, **options))


@pytest.fixture
def nowhere() -> str:
    """The URL of a server that is not there."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}"


def test_what_is_asked_arrives() -> None:
    paths = (RUNS, f"{RUNS}/1", f"{RUNS}/1:terminate", "/apis/v1beta1/runs/1")
    with Host(dict.fromkeys(paths, (200, FINE))) as host:
        kubeflow = of(host)
        answers = [
            kubeflow.get("runs", page_size="1", filter='{"a": "b c+d"}'),
            kubeflow.post("runs", {"display_name": "Größe"}),
            kubeflow.post("runs/1:terminate"),
            kubeflow.delete("runs/1"),
            kubeflow.older("runs/1"),
        ]

    assert [(each.is_it, each.data) for each in answers] == [(True, FINE)] * 5
    assert host.sent == [
        ("GET", f"{RUNS}?page_size=1&filter=%7B%22a%22%3A+%22b+c%2Bd%22%7D", ""),
        ("POST", RUNS, '{"display_name":"Größe"}'),
        ("POST", f"{RUNS}/1:terminate", ""),
        ("DELETE", f"{RUNS}/1", ""),
        ("GET", "/apis/v1beta1/runs/1", ""),
    ]


def test_nothing_is_asked_before_it_has_to_be() -> None:
    with Host({}) as host:
        of(host).page("runs/details/1")

    assert host.asked == []


@pytest.mark.parametrize(("healthz", "namespace"), [(ALONE, ""), (SEVERAL, "ml")])
def test_a_namespace_is_said_where_several_work(healthz: Said, namespace: str) -> None:
    with Host({HEALTHZ: healthz}) as host:
        kubeflow = of(host, namespace="ml")

        assert (kubeflow.multi_user, kubeflow.namespace) == (bool(namespace), namespace)
        assert len(host.asked) == 1


@pytest.mark.parametrize("tail", ["", "/", "/apis/v2beta1/", "/#/runs"])
def test_a_page_is_behind_the_host_as_its_api_is(tail: str) -> None:
    kubeflow = Api(KubeflowOrchestrator(host=f"https://kf.example/pipeline{tail}"))

    assert kubeflow.page("runs/details/1") == "https://kf.example/pipeline/#/runs/details/1"


def test_the_api_alone_has_no_pages() -> None:
    """What `kubectl port-forward svc/ml-pipeline 8888:8888` leads to."""
    assert Api(KubeflowOrchestrator(host="http://localhost:8888")).page("runs") is None


def test_a_path_of_any_letters_is_sent() -> None:
    with Host({f"/k%C3%BCche{HEALTHZ}": ALONE}) as host:
        assert Api(KubeflowOrchestrator(host=f"{host.url}/küche")).get("healthz").is_it


def test_a_large_answer_comes_whole() -> None:
    with Host({f"{RUNS}/1": (200, {"spec": "x" * 3_000_000})}) as host:
        assert len((of(host).get("runs/1").data or {})["spec"]) == 3_000_000


LOST: dict[str, tuple[Said, bool]] = {
    "broken": ((500, {"message": "database is locked"}), True),
    "not up yet": ((503, "upstream connect error"), True),
    "cut before the answer": ((0, 0), True),
    "silent": ((0, 0.6), True),
    "half an answer": ((200, '{"run_id"', {"Content-Length": "1000"}), True),
    "half an answer of unknown length": (
        (200, '{"run_id"', {"Content-Type": "application/json"}),
        True,
    ),
    "wrong": ((400, {"message": "The run name is empty."}), False),
    "not let in": ((401, ""), False),
    "denied": ((403, "RBAC: access denied"), False),
    "a page for people": ((200, PAGE, {"Content-Type": "text/html"}), False),
    "sent on": ((302, "", {"Location": "/dex/auth"}), False),
    "done": ((200, FINE), False),
}


@pytest.mark.parametrize("case", LOST)
def test_what_is_posted_is_sent_once_and_it_is_known_whether_it_may_have_been_done(
    case: str,
) -> None:
    said, unsure = LOST[case]
    with Host({RUNS: said}) as host:
        found = of(host).post("runs", {})

    assert (found.unsure, found.is_it, len(host.asked)) == (unsure, case == "done", 1)


def test_a_post_that_is_repeated_is_noticed() -> None:
    """The planted defect."""

    class Repeating(Api):
        def post(self, path: str, body: Any = None) -> Answer:
            found = super().post(path, body)
            return super().post(path, body) if found.unsure else found

    noticed = []
    for said, _ in LOST.values():
        with Host({RUNS: said}) as host:
            Repeating(KubeflowOrchestrator(host=host.url)).post("runs", {})
        noticed.append(len(host.asked) > 1)
    assert noticed == [unsure for _, unsure in LOST.values()]


@pytest.mark.parametrize("url", ["", "http://kfp.invalid"])
def test_what_has_not_left_was_surely_not_done(url: str, nowhere: str) -> None:
    found = Api(KubeflowOrchestrator(host=url or nowhere)).post("runs", {})

    assert (found.status, found.unsure) == (0, False)


def test_neither_was_what_only_one_side_took_for_tls(tmp_path: Path) -> None:
    with Host({}) as plain, Host({}, certificate(tmp_path)) as secured:
        wrong = KubeflowOrchestrator(host=plain.url.replace("http", "https"))
        untrusted = KubeflowOrchestrator(host=secured.url)
        answers = [Api(each).post("runs", {}) for each in (wrong, untrusted)]

    assert [(each.status, each.unsure) for each in answers] == [(0, False)] * 2
    assert [each.why.split(" (")[0] for each in answers] == [
        "it speaks no TLS",
        "its certificate is not trusted here",
    ]


def test_an_answer_that_comes_before_all_was_sent_is_heard_or_all_is_open() -> None:
    with Host({RUNS: (413, {"message": "too large"})}) as host:
        found = of(host).post("runs", {"spec": "x" * (4 * LARGE)})

    assert (found.status, found.unsure) in {(413, False), (0, True)}  # as the kernel has it


@pytest.mark.parametrize(
    ("answers", "asked"),
    [
        ([(503, ""), (0, 0), (200, FINE)], 3),
        ([(503, "")], 3),
        ([(200, FINE)], 1),
        ([(404, {"message": "Run 1 not found"})], 1),
    ],
)
def test_what_is_read_is_read_thrice_if_a_moment_may_change_it(
    answers: list[Said], asked: int
) -> None:
    last = answers[-1][0]
    with Host({f"{RUNS}/1": [*answers]}) as host:
        assert of(host).get("runs/1").status == last

    assert len(host.asked) == asked


def test_who_hangs_is_not_asked_thrice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "SHORT", 0.2)
    with Host({f"{RUNS}/1": (0, 0.6)}) as host:
        assert of(host).get("runs/1").why == "nothing came for 0.3 seconds"

    assert len(host.asked) == 1


def test_who_drips_is_not_heard_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "LONGEST", 0.0)
    with Host({f"{RUNS}/1": (200, "x" * 200_000)}) as host:
        found = of(host).get("runs/1")

    assert (found.status, found.why) == (0, "its answer did not come to an end")


def test_a_token_is_read_for_each_request(tmp_path: Path) -> None:
    file = tmp_path / "token"
    with Host({f"{RUNS}/1": (200, FINE)}) as host:
        kubeflow = of(host, token=f"${{file:{file}}}")
        for token in ("one", "two"):
            file.write_text(token + "\n")
            kubeflow.get("runs/1")

    assert [headers["Authorization"] for _, headers in host.asked] == ["Bearer one", "Bearer two"]


def test_one_that_has_changed_at_that_moment_is_read_once_more(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old")

    def renewing(headers: Any) -> Said:
        file.write_text("new")
        return (200, FINE) if headers["Authorization"] == "Bearer new" else (401, "")

    with Host({RUNS: renewing}) as host:
        assert of(host, token=f"${{file:{file}}}").post("runs", {}).is_it

    assert len(host.asked) == 2


def test_one_that_is_the_same_is_shown_once() -> None:
    with Host({RUNS: (401, "")}) as host:
        assert of(host, token="old").post("runs", {}).status == 401

    assert len(host.asked) == 1


def test_what_lets_one_in_is_not_shown_where_a_server_repeats_it() -> None:
    shown = "bad auth Bearer sesame-open-7 with session=pumpkin-at-12; a=b"
    said: Said = (400, {"error": shown, "code": 3, "message": shown})
    with Host({RUNS: said}) as host:
        kubeflow = of(host, token="sesame-open-7", cookies="session=pumpkin-at-12; a=b")
        answer = kubeflow.post("runs", {})

    assert answer.said == "bad auth *** with ***"
    assert "sesame" not in str(answer)
    assert "pumpkin" not in str(answer)


@pytest.mark.parametrize("option", ["token", "cookies"])
def test_a_variable_that_is_empty_is_told(option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", " ")
    with Host({}) as host, pytest.raises(BadConfiguration, match=f"The {option} .* is empty"):
        of(host, **{option: "${env:EMPTY}"}).get("runs")

    assert host.asked == []


@pytest.mark.parametrize("option", ["token", "cookies"])
def test_what_no_header_takes_is_told_and_not_shown(option: str) -> None:
    with Host({}) as host, pytest.raises(BadConfiguration, match=option) as raised:
        of(host, **{option: "very\nsecret"}).get("runs")

    assert "secret" not in str(raised.value)
    assert host.asked == []


def test_neither_a_redirect_nor_a_proxy_gets_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    with Host({RUNS: (200, FINE)}) as other:
        monkeypatch.setenv("http_proxy", other.url)
        with Host({RUNS: (307, "", {"Location": f"{other.url}{RUNS}"})}) as host:
            assert of(host, token="abc").post("runs", {}).to == f"{other.url}{RUNS}"

    assert (len(host.asked), other.asked) == (1, [])


def test_no_warning_is_given_of_a_certificate_that_nobody_checks(tmp_path: Path) -> None:
    with (
        Host({HEALTHZ: ALONE}, certificate(tmp_path)) as host,
        warnings.catch_warnings(record=True) as caught,
    ):
        warnings.simplefilter("always")
        assert of(host, verify_ssl=False).get("healthz").is_it

    assert [str(each.message) for each in caught] == []


DENIED = (403, {"message": "User 'a' is not authorized", "code": 7})
REFUSED: dict[str, tuple[dict[str, Saying], type[PenstockError], str]] = {
    "wrong": (
        {HEALTHZ: ALONE, RUNS: [(400, {"message": "The run name is empty."}), (200, {})]},
        EngineError,
        "{url} answers 400: The run name is empty.",
    ),
    "broken": (
        {RUNS: (500, {"error": "database is locked"})},
        EngineError,
        "{url} answers 500: database is locked.",
    ),
    "not up yet": (
        {RUNS: (503, "upstream connect error")},
        EngineError,
        "{url} answers 503.\nTry: kubectl get pods -n kubeflow",
    ),
    "cut": (
        {RUNS: (0, 0)},
        EngineError,
        (
            "{url} does not answer: Remote end closed connection without response.\n"
            "Is it running, and can this machine reach it?"
        ),
    ),
    "not let in": (
        {HEALTHZ: ALONE, RUNS: (401, {"message": "no identity"})},
        BadConfiguration,
        "{url} does not take the token (401: no identity).\nThat may have ended: get it anew.",
    ),
    "ended": (
        {HEALTHZ: (302, "", {"Location": "/dex"}), RUNS: (302, "", {"Location": "/dex"})},
        BadConfiguration,
        (
            "{url} does not take the token (302, and sends one on to {url}/dex).\n"
            "That may have ended: get it anew."
        ),
    ),
    "ended, with a page": (
        {HEALTHZ: ALONE, RUNS: (200, PAGE)},
        BadConfiguration,
        (
            "{url} answers with a page for people, not with JSON: the token may have ended, or it "
            "is something else.\nThat may have ended: get it anew."
        ),
    ),
    "another's namespace": (
        {HEALTHZ: SEVERAL, RUNS: DENIED},
        BadConfiguration,
        (
            "the host shows no runs of 'kubeflow': 403: User 'a' is not authorized.\n"
            "Write one that is yours: namespace: …"
        ),
    ),
    "shown and not to be written": (
        {HEALTHZ: SEVERAL, RUNS: [DENIED, (200, {})]},
        BadConfiguration,
        "{url} does not let one in (403: User 'a' is not authorized).\nAsk for permission.",
    ),
    "denied by a gateway": (
        {HEALTHZ: ALONE, RUNS: (403, "RBAC: access denied")},
        BadConfiguration,
        ("{url} does not let one in (403).\nAsk for permission. That may have ended: get it anew."),
    ),
    "another path": (
        {f"/pipeline{HEALTHZ}": ALONE},
        BadConfiguration,
        "there is no Kubeflow Pipelines at {url}.\nWrite: host: {url}/pipeline",
    ),
    "too old": (
        {"/apis/v1beta1/healthz": (200, {})},
        BadConfiguration,
        "{url} has no API v2beta1, only an older one.\nKubeflow Pipelines 2 is needed.",
    ),
    "something else": (
        {},
        BadConfiguration,
        (
            "{url} answers 404: it is something else.\n"
            "Write the address that its page has in a browser."
        ),
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refusal_says_what_is_wrong_and_what_to_do(case: str) -> None:
    answers, kind, message = REFUSED[case]
    with Host({**answers}) as host:
        kubeflow = of(host, token="old")
        error = kubeflow.refused(kubeflow.post("runs", {}), RUN)

    assert (type(error), str(error)) == (
        kind,
        f"Cannot submit run 7: {message.format(url=host.url)}",
    )


def test_so_does_a_server_that_does_not_say_how_it_is_set_up() -> None:
    with Host({}) as host, pytest.raises(BadConfiguration, match="it is something else"):
        _ = of(host).namespace


def test_a_long_story_is_told_with_its_cause_and_without_a_trace() -> None:
    story = "Failed: " * 200 + "no such pipeline\ngithub.com/x.go\n\t/go/src/x.go:12"
    with Host({RUNS: (500, {"message": story})}) as host:
        said = of(host).post("runs", {}).said

    assert said.endswith(" … " + said[-200:])
    assert said.endswith("Failed: no such pipeline")
    assert len(said) < 410
