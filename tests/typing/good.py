"""Lines that every type checker must accept. Never run: `check.py` has them looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple, assert_type

import penstock.client
from penstock import (
    Client,
    File,
    Graph,
    LocalArtifactStore,
    LocalOrchestrator,
    Pipeline,
    Resources,
    Run,
    RunFailed,
    Secret,
    Stack,
    Status,
    Step,
    StoredArtifact,
    pipeline,
    step,
)


class Split(NamedTuple):
    train: list[float]
    test: list[float]


@dataclass
class Model:
    weights: list[float]


# Steps keep the signature of their function.


@step
def load(rows: int = 10) -> list[float]:
    return [0.0] * rows


@step()
def split(rows: list[float], *, share: float = 0.5) -> Split:
    return Split(rows, rows)


@step(
    name="training",
    retries=3,
    timeout=600,
    resources=Resources(cpu=2, memory="4Gi", gpu=1),
    step_operator="gpu",
    settings={"kubeflow": {"node_selector": {"pool": "a100"}}},
    secrets=["DB_URL"],
    cache_env=["TZ"],
    cache_for=timedelta(days=1),
    refresh=True,
    version="2",
    cache=False,
)
def train(rows: list[float], lr: float) -> Model:
    return Model(rows)


@step
async def score(model: Model, name: str = "") -> Annotated[float, "score"]:
    return 1.0


@step(retries=1)
async def fetch(url: str) -> bytes:
    return url.encode()


@step
def two(n: int, /) -> tuple[Annotated[int, "half"], Annotated[str, "text"]]:
    return n // 2, str(n)


@step
def report(scores: Sequence[float], best: Model | None = None) -> Path:
    return Path("report.html")


@step
def nothing() -> None: ...


@step
def untyped(x: Any) -> Any:
    return x


assert_type(load(), list[float])
assert_type(load(3), list[float])
assert_type(load(rows=3), list[float])
assert_type(split(load()), Split)
assert_type(train([1.0], lr=0.1), Model)
assert_type(train([1.0], 1), Model)
assert_type(score(train([1.0], 0.1), name="a"), float)
assert_type(fetch("http://x"), bytes)
assert_type(two(3), tuple[int, str])
assert_type(report([1.0]), Path)
untyped(untyped(3)).anything

# One step's result is the next one's argument.

parts = split(load(), share=0.3)
assert_type(parts.train, list[float])
model = train(parts.train, lr=0.1)
half, text = two(4)
assert_type(half, int)
assert_type(text, str)
report([score(model), score(train(parts.test, 0.2))], best=model)

# map: the first parameter becomes a list, the rest stays.

assert_type(train.map([parts.train, parts.test], 0.1), list[Model])
assert_type(train.map([parts.train], lr=0.1), list[Model])
assert_type(score.map(train.map([[1.0]], 0.1)), list[float])
assert_type(two.map(range(3)), list[tuple[int, str]])
assert_type(fetch.map(url for url in ("a", "b")), list[bytes])
assert_type(report.map([[1.0], [2.0]], best=None), list[Path])
report(score.map(train.map([parts.train], lr=0.1)))

# map over a list that a step makes: the same types.


@step
def folds(rows: list[float], count: int = 5) -> list[list[float]]:
    return [rows] * count


assert_type(train.map(folds(parts.train), lr=0.1), list[Model])
assert_type(score.map(train.map(folds(parts.train, count=3), 0.1)), list[float])

# when and unless: what is skipped gives None.


@step
def first(scores: list[float | None], default: float | None = None) -> float:
    return next(item for item in [*scores, default] if item is not None)


good = score(model)
assert_type(score.when(good)(model), float | None)
assert_type(score.unless(True)(model, name="b"), float | None)
assert_type(train.when(good).map(folds(parts.train), lr=0.1), list[Model | None])
assert_type(train.when(good).after(parts).with_options(retries=1)([1.0], lr=0.1), Model | None)
assert_type(first([score.when(good)(model), score.unless(good)(model)]), float)
first([], default=score.when(good).unless(model)(model))

# with_options, on and after keep the types.

assert_type(train.with_options(retries=2)(parts.train, lr=0.1), Model)
assert_type(train.after(parts, "load", [model])(parts.train, lr=0.1), Model)
assert_type(train.after(parts).with_options(name="best").map([[1.0]], lr=0.1), list[Model])
assert_type(score.with_options(cache=False)(model), float)
assert_type(train.name, str)
kept: Step[[list[float], float], Model] = train
plain: Callable[[list[float], float], Model] = train.function
callable_itself: Callable[[list[float], float], Model] = train

# Pipelines.


@pipeline
def training(lr: float = 0.1, *, names: Sequence[str] = ()) -> Model:
    rows = load(100)
    parts = split(rows)
    models = train.map([parts.train, parts.test], lr=lr)
    report(score.map(models, name="a"), best=models[0])
    nothing.after(models)()
    return models[0]


def notify(run: Run[Any]) -> None:
    print(run.id, run.status)


@pipeline(
    name="nightly",
    cache=False,
    cache_for=timedelta(hours=12),
    refresh=False,
    on_start=notify,
    on_success=notify,
    on_failure=lambda run: print(run.id),
    settings={"kubeflow": {"ttl": 3600}},
    stack="prod",
    progress=False,
)
def several(n: int) -> Mapping[str, tuple[Model, float]]:
    model = training(lr=0.5)
    return {"a": (model, score(model))}


@pipeline()
def empty() -> None:
    nothing()


def use() -> None:
    assert_type(training(), Model)
    assert_type(training.run(), Run[Model])
    assert_type(training.run(0.2, names=["a"]), Run[Model])
    assert_type(training.run(lr=1).result(), Model)
    assert_type(several.run(3).result()["a"][1], float)
    assert_type(empty.run(), Run[None])
    assert_type(training.on("prod").run(lr=0.2).result(), Model)
    assert_type(training.with_options(cache=False).on("prod").run().result(), Model)
    # What is not given again is what that run was given.
    assert_type(several.with_options(resume="last").run().result()["a"][1], float)
    assert_type(several.with_options(resume="last", only="train").run().result()["a"][1], float)
    assert_type(training.with_options(from_step="train").run().result(), Model)
    assert_type(training.graph(lr=0.2), Graph)
    assert_type(training.graph().to_mermaid(), str)
    same: Pipeline[[int], Mapping[str, tuple[Model, float]]] = several
    same.run(3)
    training.cli()
    training.cli(["--lr", "0.2"])


def look(run: Run[Model]) -> None:
    assert_type(run.id, str)
    assert_type(run.status, Status)
    assert_type(run["train"].output, StoredArtifact)
    assert_type(run["split"].outputs["test"], StoredArtifact)
    assert_type(run["train"].logs(), str)
    for view in run:
        print(view.id, view.status, view.outputs)
    print(list(run.steps))
    run["train"].output.load().weights

    # An artifact stands for the value that it holds, as an argument of any type.
    train(run["split"].outputs["train"], lr=run["tune"].output)
    training.run(lr=run["tune"].output)
    report([run["score"].output, 1.0], best=run["train"].output)


def failing() -> None:
    try:
        training.run()
    except RunFailed as error:
        print(error.run, error.hint)


# Stacks and the client.

stack = Stack(
    "mine",
    orchestrator=LocalOrchestrator(max_workers=4, failure="finish"),
    artifact_store=LocalArtifactStore(name="here", path="artifacts", durability="power"),
    steps={"train": {"resources": {"gpu": 1}}},
)
training.on(stack).run()

client = Client()
assert_type(client.active_stack, Stack)
assert_type(client.active_stack.name, str)
assert_type(client.active_stack.orchestrator.name, str)
assert_type(client.active_stack.artifact_store.path, str)
assert_type(client.runs(pipeline="training", limit=20), list[Run[Any]])
assert_type(client.run("last"), Run[Any])
assert_type(client.artifacts(step="train"), list[StoredArtifact])
client.register(stack)
client.register(LocalArtifactStore(name="there", path="/data"))
Client("prod").runs()
Client(stack).run("last")
penstock.client.Client()
Resources(cpu=0.5)
Resources(memory="512Mi")
Resources()
Secret("${env:KEY}").reveal()


# Files by reference.


@step
def count(data: File, more: Sequence[File] = ()) -> int:
    with data.open() as rows, data.open("r", encoding="utf-8") as text, open(data) as local:
        assert_type(rows.read(), bytes)
        assert_type(text.read(), str)
        assert_type(local.read(), str)
    assert_type(data.path, str)
    assert_type(data.digest, str | None)
    return data.size


count(File("rows.csv"), [File(Path("x")), File("s3://bucket/key")])
count.map([File("a"), File("b")])
