"""A stack made in code: two workers, and artifacts in a folder of its own.

`register` makes its name known in this process; `.on(...)` chooses it for a run. The pipeline does
not change.

    $ python examples/stack_in_code.py
    12 on stack small
    .penstock/small
"""

from pathlib import Path

from penstock import Client, LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step

small = Stack(
    "small",
    orchestrator=LocalOrchestrator(name="two", max_workers=2),
    artifact_store=LocalArtifactStore(name="beside", path=".penstock/small"),
)


@step
def double(number: int) -> int:
    return 2 * number


@pipeline
def doubling(number: int) -> int:
    return double(number)


if __name__ == "__main__":
    client = Client()
    client.register(small)
    run = doubling.on("small").run(6)
    print(run.result(), "on stack", run.stack)
    store = Path(Client("small").active_stack.artifact_store.path)
    print("/".join(store.parts[-2:]))
