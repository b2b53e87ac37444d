"""Who is killed while a large object goes up leaves nothing that anybody sees, and gc ends it."""

import json
import signal
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from judge import Judge
from places import Made
from servers import KEY, REGION, SECRET, Server

from penstock import Client, LocalOrchestrator, Stack, pipeline, step
from penstock.testing.asked import Request
from penstock.testing.faults import Fault, Hang
from penstock.testing.proxy import FaultProxy

PUTTING = """
import json, sys
from penstock_s3 import S3ArtifactStore
store = S3ArtifactStore(name="killed", **json.loads(sys.argv[1]))
store.put("objects/large", [bytes(30 << 20)], exclusive=True)
"""


@step
def one() -> int:
    return 1


@pipeline(progress=False)
def small() -> int:
    return one()


class FourthPart:
    """A plan by which the fourth part never arrives, after the first three."""

    def __init__(self) -> None:
        self.came = threading.Event()

    def __call__(self, asked: Request) -> Fault | None:
        if asked.kind == "part" and asked.query["partNumber"] == "4":
            self.came.set()
            return Hang()
        return None


def _options(made: Made, proxy: FaultProxy) -> str:
    where: dict[str, Any] = {"path": f"s3://{made.bucket}/here", "endpoint_url": proxy.url}
    who = {"key": KEY, "secret": SECRET, "region": REGION}
    return json.dumps({**where, **who, "part_size": "5MiB", "concurrency": 1})


@pytest.fixture
def killed(made: Made, proxy: FaultProxy) -> None:
    """Somebody was."""
    proxy.plan = plan = FourthPart()
    process = subprocess.Popen([sys.executable, "-c", PUTTING, _options(made, proxy)])
    assert plan.came.wait(60)
    process.kill()
    assert process.wait() == -signal.SIGKILL


@pytest.mark.usefixtures("killed")
def test_nobody_sees_what_was_not_finished(made: Made, server: Server) -> None:
    store = made("here")

    assert Judge(server.url, made.bucket).keys() == []
    assert list(store.keys("objects/")) == []
    store.put("objects/large", [b"whole"], exclusive=True)
    assert bytes(store.get("objects/large")) == b"whole"


@pytest.mark.usefixtures("killed")
def test_what_was_not_finished_is_a_leftover_that_gc_removes(made: Made, server: Server) -> None:
    store, judge = made("here"), Judge(server.url, made.bucket)
    stack = Stack("here", orchestrator=LocalOrchestrator(), artifact_store=store)
    run = small.on(stack).run()
    client = Client(stack)
    client.gc(delete=True)
    assert judge.uploads() == ["here/objects/large"]  # it is young

    time.sleep(1.1)  # S3 tells time in seconds
    found = client.gc(delete=True, grace=0)
    assert found.kind("leftovers").gone.count == 1
    assert judge.uploads() == []
    assert client.run(run.id).result() == 1


def test_who_is_interrupted_tidies_up(made: Made, proxy: FaultProxy, server: Server) -> None:
    proxy.plan = plan = FourthPart()
    process = subprocess.Popen(
        [sys.executable, "-c", PUTTING, _options(made, proxy)],
        stderr=subprocess.PIPE,
        text=True,
    )
    assert plan.came.wait(60)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)

    assert "KeyboardInterrupt" in said
    assert Judge(server.url, made.bucket).uploads() == []
