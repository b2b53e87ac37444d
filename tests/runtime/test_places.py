"""Runs in forked and spawned children, in threads, inside an event loop, at a prompt."""

import asyncio
import multiprocessing
import os
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect
import pytest

from penstock import Client, Run, Stack, Status, pipeline, step
from penstock.runtime import scratch

Made = Callable[..., Stack]


@step
def double(value: int) -> int:
    print("doubling", value)
    return 2 * value


@step
async def slowly(value: int) -> int:
    await asyncio.sleep(0)
    return value + 1


@pipeline(progress=False)
def doubling(value: int) -> int:
    return double(double(value))


@pipeline(progress=False)
def waiting(value: int) -> int:
    return slowly(double(value))


def run_in_child(value: int) -> None:
    run = doubling.run(value)
    assert run.result() == 4 * value
    assert run["double"].logs() == f"doubling {value}\n"


@pytest.mark.parametrize("first_here", [False, True])
def test_a_forked_child_runs_pipelines(first_here: bool) -> None:
    if first_here:
        doubling.run(3)
    children = [
        multiprocessing.get_context("fork").Process(target=run_in_child, args=(value,))
        for value in (4, 5)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    assert len({run.id for run in Client().runs()}) == 2 + first_here


def test_a_child_forked_by_a_step_runs_pipelines() -> None:
    @step(cache=False)
    def forking(value: int) -> int:
        child = multiprocessing.get_context("fork").Process(target=run_in_child, args=(value,))
        child.start()
        child.join()
        return child.exitcode or 0

    @pipeline(progress=False)
    def fork() -> int:
        return forking(6)

    assert fork.run().result() == 0
    assert {run.pipeline for run in Client().runs()} == {"fork", "doubling"}


SPAWNING = """
import multiprocessing
from penstock import Client, pipeline, step

@step
def double(value: int) -> int:
    return 2 * value

@pipeline(progress=False)
def doubling(value: int) -> int:
    return double(value)

def work(value: int) -> int:
    return doubling.run(value).result()

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        print(pool.map(work, [1, 2]))
    print(doubling.run(1)["double"].status)
"""


def test_a_spawned_child_runs_pipelines_and_shares_the_cache(tmp_path: Path, python: Any) -> None:
    (tmp_path / "spawning.py").write_text(SPAWNING)
    assert python("spawning.py").stdout == "[2, 4]\ncached\n"


def test_a_forked_child_leaves_the_folders_of_its_parent_alone() -> None:
    folder = scratch.until_exit()
    child = os.fork()
    if not child:
        scratch._process.remove()
        os._exit(0)
    os.waitpid(child, 0)
    assert folder.is_dir()


def test_a_thread_runs_pipelines() -> None:
    found: list[Run[int]] = []
    thread = threading.Thread(target=lambda: found.append(waiting.run(3)))
    thread.start()
    thread.join()
    assert found[0].result() == 7


def test_a_run_inside_an_event_loop_runs_async_steps_too() -> None:
    async def cell() -> int:
        return waiting.run(4).result()

    assert asyncio.run(cell()) == 9


def test_an_async_step_may_start_tasks_and_time_out_inside_an_event_loop() -> None:
    @step
    async def gather() -> list[int]:
        return list(await asyncio.gather(asyncio.sleep(0, 1), asyncio.sleep(0, 2)))

    @pipeline(progress=False)
    def gathering() -> list[int]:
        return gather()

    async def cell() -> list[int]:
        return gathering.run().result()

    assert asyncio.run(cell()) == [1, 2]


# At a prompt.

CELLS = [
    "from penstock import pipeline, step",
    """
    @step
    def load() -> list[int]:
        return [1, 2]
    """,
    """
    @step
    def total(values: list[int]) -> int:
        return sum(values)
    """,
    """
    @pipeline(progress=False)
    def hello() -> int:
        return total(load())
    """,
    "run = hello.run()",
    "print('first', run.result(), [view.status.value for view in run])",
    "print('second', [view.status.value for view in hello.run()])",
    """
    @step
    def total(values: list[int]) -> int:
        return 10 * sum(values)
    """,
    "run = hello.run()",
    "print('third', run.result(), [view.status.value for view in run])",
    """
    class Model:
        def predict(self) -> int:
            return 1
    """,
    """
    @step
    def train() -> Model:
        return Model()
    """,
    """
    @step
    async def use(model: Model) -> int:
        return model.predict()
    """,
    """
    @pipeline(progress=False)
    def training() -> int:
        return use(train())
    """,
    "print('fourth', training.run().result())",
    """
    class Model:
        def predict(self) -> int:
            return 2
    """,
    "print('fifth', training.run().result())",
]

SAID = {
    "first": "3 ['completed', 'completed']",
    "second": "['cached', 'cached']",
    "third": "30 ['cached', 'completed']",
    "fourth": "1",
    "fifth": "2",
}


def test_steps_are_defined_and_defined_anew_in_cells(tmp_path: Path, python: Any) -> None:
    (tmp_path / "cells.py").write_text(
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        f"for cell in {[textwrap.dedent(cell) for cell in CELLS]!r}:\n"
        "    shell.run_cell(cell, store_history=True).raise_error()\n"
    )
    lines = python("cells.py").stdout.splitlines()
    said = dict(line.split(" ", 1) for line in lines if line.split(" ")[0] in SAID)
    assert said == SAID


def test_lines_pasted_into_ipython_work(tmp_path: Path) -> None:
    shell = pexpect.spawn(
        "env",
        [sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", "--colors=NoColor"],
        cwd=str(tmp_path), encoding="utf-8", timeout=60,
    )  # fmt: skip
    try:
        for cell in CELLS[:6]:
            shell.expect(r"In \[\d+\]: ")
            shell.sendline(textwrap.dedent(cell).strip("\n") + ("\n" if "\n" in cell else ""))
        shell.expect(r"first 3 \['completed', 'completed'\]")
    finally:
        shell.close(force=True)
    assert Client().run("last").status is Status.COMPLETED


def test_steps_typed_at_the_plain_prompt_work(python: Any) -> None:
    code = "\n".join(textwrap.dedent(cell) for cell in CELLS[:7])
    assert "second ['cached', 'cached']" in python("-c", code).stdout
