"""A child of `compiling.py`: writes the pipeline of a chain of so many steps for Kubeflow into a
file. What is timed is all of it but the imports: the drawing, the compiling and the text.

Both are given the same: containers in a row, each of which is told its name. The compiler of kfp
makes an executor for each; one of its steps costs more, the more there are. It reads annotations as
objects, so this file does not make texts of them.
"""

import json
import sys
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from clock import took

from penstock import pipeline, step
from penstock.model.plan import Plan
from penstock_kubeflow import KubeflowOrchestrator, compiling, document

IMAGE: Final = "registry.example/team/python:3"
FILE: Final = Path("chain.yaml")


def main() -> None:
    whose, length = sys.argv[1], int(sys.argv[2])
    work = {"ours": ours, "theirs": theirs}[whose]()
    print(json.dumps(took(lambda: work(length))))


@dataclass
class Drawn:
    """A job (`penstock.stack.orchestrator.Job`), as far as a compiler asks for it."""

    plan: Plan

    @property
    def pending(self) -> Sequence[str]:
        return list(self.plan.graph.calls)

    def command(self, call_id: str, *, run: str = "", job: str = "") -> Sequence[str]:
        said = ["--run", run, "--job", job, "--stack", "{}", "--call", call_id]
        return ["python", "-m", "penstock.runtime.entrypoint", *said]


@step
def increment(number: int) -> int:
    return number + 1


@pipeline
def chain(length: int) -> int:
    number = 0
    for _ in range(length):
        number = increment(number)
    return number


def ours() -> Callable[[int], object]:
    def work(length: int) -> None:
        job: Any = Drawn(Plan("", chain.graph(length=length), "module:chain", {}))
        made = compiling.compile(job, KubeflowOrchestrator(image=IMAGE))
        FILE.write_text(document.text(made))

    return work


def theirs() -> Callable[[int], object]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from kfp import compiler, dsl

    @dsl.container_component  # type: ignore[untyped-decorator, unused-ignore]
    def increment(call: str) -> dsl.ContainerSpec:
        said = ["--call", call]
        return dsl.ContainerSpec(image=IMAGE, command=["python", "-m", "module"], args=said)

    def work(length: int) -> None:
        @dsl.pipeline(name="chain")  # type: ignore[untyped-decorator, unused-ignore]
        def chain() -> None:
            before: Any = None
            for number in range(length):
                task = increment(call=f"increment-{number}").set_caching_options(False)
                before = task if before is None else task.after(before)

        compiler.Compiler().compile(chain, str(FILE))

    return work


if __name__ == "__main__":
    main()
