"""Lines that every type checker must reject are marked; the others they must accept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, NamedTuple

from penstock import (
    Client,
    File,
    LocalArtifactStore,
    LocalOrchestrator,
    Resources,
    Run,
    Stack,
    pipeline,
    step,
)


class Split(NamedTuple):
    train: list[float]
    test: list[float]


@step
def load(rows: int = 10) -> list[float]:
    return [0.0] * rows


@step
def split(rows: list[float], *, share: float = 0.5) -> Split:
    return Split(rows, rows)


@step(retries=3)
def train(rows: list[float], lr: float) -> str:
    return ""


@step
async def score(model: str, name: str = "") -> Annotated[float, "score"]:
    return 1.0


@step(timeout=5)
async def fetch(url: str) -> bytes:
    return url.encode()


@step
def two(n: int, /) -> tuple[int, str]:
    return n, str(n)


parts = split(load())

# Arguments of steps.

load("10")  # E
load(1, 2)  # E
load(row=1)  # E
split()  # E
split([1.0], 0.5)  # E
split([1.0], share="half")  # E
train([1.0])  # E
train([1.0], lr="fast")  # E
train(rows=[1.0], learning_rate=0.1)  # E
score(3)  # E
score("model", nam="x")  # E
fetch(3)  # E
two(n=3)  # E

# One step's result as another one's argument.

train(load, lr=0.1)  # E
train(parts, lr=0.1)  # E
train(score("m"), lr=0.1)  # E
train(parts.train, lr=parts.test)  # E
parts.validation  # E
score(parts.train)  # E
score(fetch("x"))  # E
two(two(3))  # E
two(two(3)[1])  # E
one, other, third = two(3)  # E
wrong: int = load()  # E
wrong_too: str = score("m")  # E

# map.

train.map([1.0, 2.0], lr=0.1)  # E
train.map([[1.0]], lr="fast")  # E
train.map([[1.0]])  # E
train.map(3, lr=0.1)  # E
score.map(["m"], nam="x")  # E
score.map([3])  # E
score.map(load.map([1]))  # E
split.map([[1.0]], 0.5)  # E
texts: list[int] = two.map([1])  # E
train.map([[1.0]], lr=0.1).weights  # E

train.map(load(), lr=0.1)  # E
score.map(load())  # E

# when and unless: None has to be allowed.

surely: float = score.when(True)("m")  # E
score.when()("m")  # E
score.when(True, "m")  # E
score(train.when(True)([1.0], lr=0.1))  # E
train.when(True)([1.0], lr=0.1).weights  # E

# with_options and after keep the types.

train.with_options(retries=2)([1.0])  # E
train.with_options(retries=2)([1.0], lr="fast")  # E
train.after(parts)([1.0], lr=None)  # E
train.after(parts).with_options(cache=False).map([1.0], lr=0.1)  # E
score.with_options(cache=False)(3)  # E
as_int: int = train.after(parts)([1.0], lr=0.1)  # E
other_function: Callable[[int], str] = train  # E
train.submit([1.0])  # E

# Options.


@step(retry=3)  # E
def a() -> int:
    return 1


@step(retries="3")  # E
def b() -> int:
    return 1


@step(resources={"gpu": 1})  # E
def c() -> int:
    return 1


@step(secrets=[1])  # E
def d() -> int:
    return 1


@step(settings={"kubeflow": 3})  # E
def e() -> int:
    return 1


@pipeline(on_failure="notify")  # E
def f() -> int:
    return 1


@pipeline(schedule="daily")  # E
def g() -> int:
    return 1


@step(cache_for="1d")  # E
def h() -> int:
    return 1


@step(refresh="yes")  # E
def i() -> int:
    return 1


@pipeline(cache_for=3600)  # E
def j() -> int:
    return 1


@pipeline(only=["train"])  # E
def k() -> int:
    return 1


Resources(cores=2)  # E
Resources(cpu="2")  # E
Resources(memory=4)  # E
Resources(gpu=0.5)  # E
Resources(2)  # E
step(3)  # E
pipeline("training")  # E

# Pipelines and runs.


@pipeline
def training(lr: float = 0.1, *, name: str = "") -> str:
    return train(load(), lr=lr)


training(lr="fast")  # E
training.run(lr="fast")  # E
training.run(0.1, "name")  # E
training.run(rate=0.1)  # E
training.run(stack="prod")  # E
training.graph(lr="fast")  # E
training.on(3)  # E
training.on("prod").run(lr="fast")  # E
training.with_options(cache=False).run(nam="x")  # E
training.cli(3)  # E
training.submit()  # E
number: int = training.run().result()  # E
other_run: Run[int] = training.run()  # E
training.run().result().weights  # E
training.run().outputs  # E
training.run()[0]  # E
training.run()["train"].value  # E

# Stacks and the client.

LocalArtifactStore(root="x")  # E
LocalArtifactStore("x")  # E
LocalArtifactStore(durability="forever")  # E
LocalOrchestrator(workers=2)  # E
LocalOrchestrator(max_workers="2")  # E
LocalOrchestrator(failure="ignore")  # E
Stack("mine")  # E
Stack("mine", orchestrator=LocalOrchestrator())  # E
Stack("mine", orchestrator=LocalArtifactStore(), artifact_store=LocalArtifactStore())  # E
Stack("mine", LocalOrchestrator(), LocalArtifactStore())  # E
Client(3)  # E
Client().register("mine")  # E
Client().runs(limit="20")  # E
Client().run(20)  # E
Client().active_stack.stores  # E

# Files by reference.


@step
def count(data: File) -> int:
    data.open("w")  # E
    data.path = "x"  # E
    return data.etag  # E


count("rows.csv")  # E
count(Path("rows.csv"))  # E
File(3)  # E
