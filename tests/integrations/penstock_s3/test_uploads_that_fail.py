"""A value that the store does not take ends the run as the store's fault, not as the step's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from places import maker
from servers import KEY, REGION, SECRET, Server

from penstock import (
    LocalArtifactStore,
    LocalOrchestrator,
    RunFailed,
    Stack,
    Status,
    pipeline,
    step,
)
from penstock.errors import StoreUnavailable
from penstock.testing.asked import Request
from penstock.testing.faults import Fault, Hang
from penstock.testing.proxy import FaultProxy

PROGRAM = """
import penstock

@penstock.step
def big() -> bytes:
    return bytes(20 << 20)

@penstock.pipeline
def one() -> bytes:
    return big()

one.cli()
"""


def parts_hang(asked: Request) -> Fault | None:
    return Hang() if asked.kind == "part" else None


def test_the_command_line_says_it_once_with_a_cure_and_exit_code_5(
    moto: Server, tmp_path: Path
) -> None:
    (tmp_path / "big.py").write_text(PROGRAM)
    keys = {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "PENSTOCK_STACK": "far"}
    with FaultProxy(moto.url, plan=parts_hang) as proxy:
        (tmp_path / "penstock.yaml").write_text(
            f"artifact_stores:\n  far: {{flavor: s3, path: 's3://bucket/{tmp_path.name}', "
            f"region: {REGION}, endpoint_url: '{proxy.url}', deadline: 1, part_size: 5MiB}}\n"
            "stacks: {far: {orchestrator: default, artifact_store: far}}\n"
        )
        done = subprocess.run(
            [sys.executable, "big.py"], cwd=tmp_path, env={**os.environ, **keys},
            capture_output=True, text=True, check=False,
        )  # fmt: skip

    said = done.stderr
    assert done.returncode == 5, said
    assert ("Traceback" in said, "penstock_s3" in said) == (False, False)
    assert said.count("Error: ") == 1
    assert "does not answer in time" in said
    assert "penstock run resume last" in said


def test_the_run_is_failed_and_carried_and_the_cause_is_the_store_s(moto: Server) -> None:
    @step
    def large() -> bytes:
        return bytes(12 << 20)

    @pipeline(progress=False)
    def one() -> bytes:
        return large()

    with FaultProxy(moto.url, plan=parts_hang) as proxy:
        store = maker(moto)("x", through=proxy, deadline=1.0, part_size="5MiB")
        stack = Stack("far", orchestrator=LocalOrchestrator(), artifact_store=store)
        with pytest.raises(RunFailed, match="Step large of 'one' failed: The art") as caught:
            one.on(stack).run()
        assert caught.value.run.status is Status.FAILED
        proxy.plan = None
        assert one.on(stack).run().status is Status.COMPLETED

    assert caught.value.exit_code == 5
    assert isinstance(caught.value.__cause__, StoreUnavailable)


def test_what_a_step_asks_of_a_store_itself_is_the_step_s_own(moto: Server) -> None:
    with FaultProxy(moto.url) as proxy:
        far = maker(moto)("x", through=proxy, deadline=1.0)
        proxy.plan = lambda asked: Hang()

        @step
        def asking() -> bytes:
            return bytes(far.get("a"))

        @pipeline(progress=False)
        def one() -> bytes:
            return asking()

        near = Stack("near", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore())
        with pytest.raises(RunFailed) as caught:
            one.on(near).run()

    assert caught.value.exit_code == 1
    assert caught.value.__cause__ is not None
