"""The messages in the tables of the page on Kubeflow are said, as it says them."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from certificates import certificate
from engine import IMAGE, Volume
from hosts import HEALTHZ, PAGE, RUNS, Host
from small_projects import imported
from standins import Hatchery, Standin

from penstock.client import Client
from penstock.errors import CannotRun, RunFailed
from penstock.stack.stack import Stack
from penstock_kubeflow import KubeflowOrchestrator

TESTS = Path(__file__).parents[2]
PAGE_OF_KUBEFLOW = TESTS.parent / "docs/how-to/kubeflow.md"

SMALL = {
    "pyproject.toml": '[project]\nname = "ours"\nversion = "1"\n',
    "small.py": "import os, signal\nfrom penstock import pipeline, step\n\n"
    "@step\ndef train() -> int:\n    os.kill(os.getpid(), signal.SIGKILL)\n    return 1\n\n"
    "@pipeline(progress=False)\ndef training() -> int:\n    return train()\n",
}

Options = Mapping[str, Any]

CHECKED: dict[str, tuple[Options, Options]] = {
    "… does not answer: Connection refused": ({}, {"host": "http://127.0.0.1:9"}),
    "… answers 503": ({"fault": ("healthz", 503)}, {}),
    "… asks who one is": ({"token": "mine"}, {}),
    "… does not take the cookies": (
        {"cookie": "a=b", "without_cookie": "401"},
        {"cookies": "a=c"},
    ),
    "… does not let one in (403…": ({"fault": ("GET .*runs", 403)}, {}),
    "the host shows no runs of 'ml'": (
        {"multi_user": True, "namespaces": ["other"], "token": "mine"},
        {"token": "mine", "namespace": "ml"},
    ),
    "there is no Kubeflow Pipelines at …": ({"prefix": "/pipeline"}, {"prefix": False}),
    "… has no API v2beta1, only an older one": ({"only_v1beta1": True}, {}),
}
"""What a stand-in is like, and what the stack says; `stack check` finds it out."""

FAILED: dict[str, Options] = {
    "kf says FAILED: train: OOMKilled (exit code 137)": {},
    "kf says FAILED: train: Error (exit code 1)": {"python": "false"},
}
"""What the stack says of a run that fails like this."""

BELOW = {
    "… does not answer: its certificate is not trusted here",
    "… answers with a page for people, not with JSON: the cookies may have ended",
    "… is too large for Kubeflow",
}

ELSEWHERE = {
    "… has no host, and there is neither a kubeconfig file nor is this a pod": "has no host",
    "The kubeconfig file … leads to no cluster": "leads to no cluster",
    "The cookies for Kubeflow cannot be sent": "cookies for Kubeflow cannot be sent",
    "… nothing came for 30 seconds": "nothing came for",
    "… answers 500: …": "answers 500",
    "the artifact store 'bucket' has no signing_key": "has no signing_key",
    "It is not known whether 'kf' has taken run …": "not known whether",
    "kf says of step train: ImagePullBackOff: …": "ImagePullBackOff",
    'kf says of step train: CreateContainerConfigError: secret "bucket" not found': (
        "CreateContainerConfigError"
    ),
    "The image has Python 3.12, and the run was made with Python 3.11": "The image has Python",
    "The project's code cannot be unpacked in the pod: …": "cannot be unpacked",
    "The environment variable 'TEAM_KEY' is not set": "is not set",
    "kf says …, the records say completed": "the records say completed",
    "kf has no such job any more: somebody has deleted it": "somebody has deleted",
    "never submitted": "never submitted",
}
"""What other tests look for, which know more of each."""

OF_OTHERS = {
    "… Name or service not known",
    (
        "kf says of step train: CreateContainerConfigError: container has runAsNonRoot and image "
        "will run as root"
    ),
    "kf says of step train: Unschedulable: 0/3 nodes are available: …",
}
"""Words of the resolver and of Kubernetes, which come through as they are."""


def fragments() -> set[str]:
    """What the tables show, each message once."""
    text = PAGE_OF_KUBEFLOW.read_text("utf-8")
    part = text.partition("\n## When something is wrong\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\|(?: \d \|)? (`.+?) \|", part, re.MULTILINE)
    return {text for row in rows for text in re.findall("`([^`]+)`", row)}


def says(shown: str, said: str) -> bool:
    """Whether that is said; `…` stands for anything."""
    return re.search(re.escape(shown).replace("…", ".*"), said, re.DOTALL) is not None


def checked(**options: Any) -> str:
    return "\n".join(each.message for each in KubeflowOrchestrator(**options).check())


def like(hatchery: Hatchery, folder: Path, wanted: Options) -> Standin:
    options = {name: value for name, value in wanted.items() if name != "fault"}
    return hatchery.standin(folder, **options)


@pytest.fixture
def training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    project = tmp_path / "project"
    project.mkdir()
    monkeypatch.chdir(project)
    with imported(project, SMALL, "small") as module:
        yield module.training


def stack(folder: Path, **options: Any) -> Stack:
    kubeflow = KubeflowOrchestrator(**{"name": "kf", "image": IMAGE, **options})
    return Stack("prod", orchestrator=kubeflow, artifact_store=Volume(path=str(folder / "store")))


def test_every_message_of_the_page_is_tried() -> None:
    tried = [*CHECKED, *FAILED, *BELOW, *ELSEWHERE, *OF_OTHERS]

    assert sorted(fragments()) == sorted(tried)


@pytest.mark.parametrize("shown", CHECKED)
def test_what_check_says(shown: str, hatchery: Hatchery, tmp_path: Path) -> None:
    wanted, given = CHECKED[shown]
    with like(hatchery, tmp_path, wanted) as standin:
        if fault := wanted.get("fault"):
            standin.fault(*fault, times=9)
        url = standin.url if given.get("prefix", True) else standin.url.removesuffix("/pipeline")
        said = checked(**{"host": url, **{k: v for k, v in given.items() if k != "prefix"}})

    assert says(shown, said), said


def test_what_check_says_of_a_certificate(tmp_path: Path) -> None:
    with Host({}, certificate(tmp_path)) as host:
        said = checked(host=host.url)

    assert says("… does not answer: its certificate is not trusted here", said)


def test_what_check_says_of_cookies_that_have_ended() -> None:
    with Host({HEALTHZ: (200, PAGE), RUNS: (200, PAGE)}) as host:
        said = checked(host=host.url, cookies="a=b")

    assert says("… answers with a page for people, not with JSON: the cookies may have ended", said)


def test_what_submitting_says_of_a_pipeline_that_is_too_large(
    hatchery: Hatchery, tmp_path: Path, training: Any
) -> None:
    with hatchery.standin(tmp_path / "standin", size_limit=1000) as standin:
        prod = stack(tmp_path, host=standin.url)
        with pytest.raises(CannotRun) as caught:
            training.on(prod).run()
        assert standin.runs() == []

    assert says("… is too large for Kubeflow", caught.value.message)
    (run,) = Client(prod).runs()
    assert (run.status, run.reason) == ("stopped", caught.value.message)


@pytest.mark.parametrize("shown", FAILED)
def test_what_is_said_of_a_run_that_fails(
    shown: str, standin: Standin, tmp_path: Path, training: Any
) -> None:
    prod = stack(tmp_path, host=standin.url, **FAILED[shown])
    with pytest.raises(RunFailed) as caught:
        training.on(prod).run()

    assert says(shown, f"{caught.value}\n{caught.value.run.reason}")


@pytest.mark.parametrize("shown", ELSEWHERE)
def test_another_test_looks_for_it(shown: str) -> None:
    words = ELSEWHERE[shown]
    files = [each for each in TESTS.rglob("test_*.py") if each != Path(__file__)]

    assert words in shown
    assert any(words in each.read_text("utf-8") for each in files)


def test_a_message_that_nobody_says_is_noticed() -> None:
    said = checked(host="http://127.0.0.1:9")

    assert says("… does not answer: Connection refused", said)
    assert not says("… does not answer: Connection reset", said)
    assert not says("kf says of step train: …", said)
