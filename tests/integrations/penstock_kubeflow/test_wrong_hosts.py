"""What is wrong with where a run is to be submitted is one message, and nothing is half submitted;
and so is what happens to a job behind the back of whoever watches it."""

from __future__ import annotations

import json
import re
import signal
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from os import kill
from pathlib import Path
from typing import Any, Final

import pytest
from prod import STACKS, UNPULLABLE, Prod
from servers import Server
from small_projects import SMALL
from standins import Hatchery, Standin
from warm import Typed, Warm

KNOWN: Final = STACKS.replace(
    "    image: {image}\n",
    "    image: {image}\n"
    '    token: "${{env:KF_TOKEN}}"\n'
    '    cookies: "${{env:KF_COOKIES}}"\n'
    '    namespace: "${{env:KF_SPACE}}"\n',
)
RIGHT: Final = {"KF_TOKEN": "right", "KF_COOKIES": "key=right", "KF_SPACE": "team-a"}
WAITING: Final = STACKS.replace("image: {image}", f"image: {UNPULLABLE}")

Case = tuple[int, str, Mapping[str, Any], Mapping[str, str]]
"""Exit code, message, options of the server, variables of who submits."""

WRONG: Final[Mapping[str, Case]] = {
    "nobody is there": (5, "does not answer", {}, {"KFP_HOST": "http://127.0.0.1:9"}),
    "no such host": (5, "does not answer", {}, {"KFP_HOST": "http://kfp.invalid"}),
    "token": (3, "does not take the token", {"token": "right"}, {"KF_TOKEN": "wrong"}),
    "cookie": (3, "and the cookies", {"cookie": "key=right"}, {"KF_COOKIES": "key=old"}),
    "cookie, login page": (
        3, "does not take the token and the cookies",
        {"cookie": "key=right", "without_cookie": "login"}, {"KF_COOKIES": "key=old"},
    ),
    "namespace": (
        3, "namespace: …", {"token": "right", "multi_user": True, "namespaces": ["team-a"]},
        {"KF_SPACE": "team-b"},
    ),
    "an old server": (3, "has no API v2beta1", {"only_v1beta1": True}, {}),
    "another path": (3, "Write: host: {url}", {"prefix": "/pipeline"}, {"KFP_HOST": "{root}/x"}),
}  # fmt: skip
FINE: Final[Mapping[str, str]] = {
    "a path": "{url}", "a trailing slash": "{url}/", "its page": "{url}/#/runs",
}  # fmt: skip


@pytest.fixture(scope="module")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    with Warm(tmp_path_factory.mktemp("warm")) as warm:
        yield warm


@pytest.fixture
def moto(started: Callable[[str], Server]) -> Server:
    return started("moto")


def prepared(prod: Prod) -> Prod:
    (prod.folder / "small.py").write_text(SMALL)
    return prod


def status(prod: Prod, warm: Warm) -> str:
    shown = prod.begun(warm, "penstock", "run", "show", "last", "--json").ended()
    return str(json.loads(shown.printed)["status"])


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_one_message_and_nothing_is_half_submitted(
    case: Case, hatchery: Hatchery, moto: Server, warm: Warm, tmp_path: Path
) -> None:
    code, message, options, variables = case
    with hatchery.standin(tmp_path / "engine", **options) as engine:
        prod = prepared(Prod(tmp_path, engine, moto, stacks=KNOWN, **RIGHT))
        urls = {"url": engine.url, "root": engine.url.removesuffix("/pipeline")}
        told = {name: value.format(**urls) for name, value in variables.items()}
        done = prod.begun(warm, "penstock", "pipeline", "run", "small.py:small", **told).ended()

        assert done.code == code, done.said
        assert message.format(**urls) in done.said
        assert done.said.count("Error: ") == 1
        assert "Traceback" not in done.said
        assert prod.jobs == []
        assert status(prod, warm) == "stopped"


def test_in_python_it_has_the_frames_of_the_script_only(
    standin: Standin, moto: Server, warm: Warm, tmp_path: Path
) -> None:
    prod = prepared(Prod(tmp_path, standin, moto))
    done = prod.begun(warm, "python", "small.py", KFP_HOST="http://127.0.0.1:9").ended()

    assert done.code == 1
    assert done.said.count("Traceback") == done.said.count("does not answer") == 1
    assert "/penstock_kubeflow/submitting.py" not in done.said


def test_a_host_is_written_as_people_have_it(
    hatchery: Hatchery, moto: Server, warm: Warm, tmp_path: Path
) -> None:
    with hatchery.standin(tmp_path / "engine", prefix="/pipeline") as engine:
        prod = prepared(Prod(tmp_path, engine, moto, stacks=WAITING))
        for host in FINE.values():
            submit = ("python", "small.py", "later")
            done = prod.begun(warm, *submit, KFP_HOST=host.format(url=engine.url)).ended()
            assert done.code == 0, done.said
            assert f"{engine.url}/#/runs/details/{prod.jobs[-1]['id']}" in done.said
        assert len(prod.jobs) == len(FINE)


class Waiting:
    """A run whose first pod does not start, and who watches it."""

    def __init__(self, engine: Standin, prod: Prod, warm: Warm) -> None:
        self.prod, self._engine, self.warm = prod, engine, warm
        self.typed = prod.begun(warm, "penstock", "pipeline", "run", "small.py:small")
        until(lambda: "submitted to kf" in self.typed.said, self.typed)

    def delete(self) -> None:
        """As somebody does on Kubeflow's page."""
        url = f"{self._engine.url}/apis/v2beta1/runs/{self.prod.jobs[-1]['id']}"
        with urllib.request.urlopen(urllib.request.Request(url, method="DELETE")):
            pass


def until(happened: Callable[[], object], typed: Typed) -> None:
    limit = time.monotonic() + 60
    while not happened():
        assert typed.code is None, typed.said
        assert time.monotonic() < limit, typed.said
        time.sleep(0.05)


@pytest.fixture
def waiting(standin: Standin, moto: Server, warm: Warm, tmp_path: Path) -> Waiting:
    return Waiting(standin, prepared(Prod(tmp_path, standin, moto, stacks=WAITING)), warm)


def test_a_run_that_somebody_deletes_there_is_lost(waiting: Waiting) -> None:
    waiting.delete()
    done = waiting.typed.ended()

    assert done.code == 5, done.said
    assert len(re.findall("has deleted it", done.said)) == 1, done.said
    assert status(waiting.prod, waiting.warm) == "lost"


def test_who_stops_watching_leaves_the_run_alone_and_somebody_else_ends_it(
    waiting: Waiting,
) -> None:
    kill(waiting.typed.process, signal.SIGINT)
    left = waiting.typed.ended()
    assert left.code == 130, left.said
    assert "goes on at kf: penstock run watch" in left.said
    assert not waiting.prod.jobs[0].get("terminated")
    assert status(waiting.prod, waiting.warm) == "running"

    ended = waiting.prod.begun(waiting.warm, "penstock", "run", "cancel", "last").ended()
    assert ended.code == 0, ended.said
    assert waiting.prod.jobs[0].get("terminated")
    assert status(waiting.prod, waiting.warm) == "stopped"
