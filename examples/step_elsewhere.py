"""A step in a process of its own, with a secret that it alone is given.

The step names a step operator and a secret; the stack says what they are. A crash there is a failed
step here, and the secret is in no log and no record.

    $ export PROD_TOKEN="open sesame"
    $ python examples/step_elsewhere.py
    here, with a token of 11 characters: ***
    another process: True
"""

import os

from penstock import (
    LocalArtifactStore,
    LocalOrchestrator,
    Secret,
    Stack,
    SubprocessStepOperator,
    pipeline,
    step,
)


@step(step_operator="apart", secrets=["TOKEN"], cache=False)
def fetch() -> int:
    token = os.environ["TOKEN"]
    print(f"here, with a token of {len(token)} characters: {token}")
    return os.getpid()


@pipeline(progress=False)
def fetching() -> int:
    return fetch()


if __name__ == "__main__":
    os.environ.setdefault("PROD_TOKEN", "only for this example")
    prod = Stack(
        "prod",
        orchestrator=LocalOrchestrator(),
        artifact_store=LocalArtifactStore(path=".penstock/elsewhere"),
        step_operators=[SubprocessStepOperator(name="apart")],
        secrets={"TOKEN": Secret("${env:PROD_TOKEN}")},
    )
    print("another process:", fetching.on(prod).run().result() != os.getpid())
