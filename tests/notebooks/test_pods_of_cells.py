"""A pipeline of cells, carried out by processes where the notebook is not."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pods
from pods import Cluster

CELLS = """
    import os
    os.environ["TEAM_KEY"] = open("../key").read()  # the history of the notebook has all cells

    from penstock import pipeline, step
    from helper import plus

    RATES = [1, 2]

    class Model:
        def __init__(self, slope: int) -> None:
            self.slope = slope
"""
STEPS = """
    def scaled(value: int) -> int:
        return plus(value) * sum(RATES)

    @step
    def fit(slope: int) -> "Model":
        print("fitting")
        return Model(scaled(slope))

    @step
    def predict(x: int, model: "Model") -> int:
        return model.slope * x

    @pipeline(progress=False)
    def training(xs: list = [5, 6]) -> list[int]:
        return predict.map(xs, model=fit(2))
"""
COMPILE = """
    import json
    import sys
    from pathlib import Path
    sys.path.append({runtime!r})
    import pods
    sys.path.pop()

    def stack_in(folder):
        return pods.stack_in(folder, signing_key="${{env:TEAM_KEY}}")

    cluster = pods.compiled(Path("{there}"), training, stack=stack_in(Path("{there}")))
    print(json.dumps(dict(cluster.commands)))
"""
RUN = """
    from penstock import LocalOrchestrator, Stack
    def here(folder):
        store = stack_in(folder).artifact_store
        stack = Stack("here", orchestrator=LocalOrchestrator(), artifact_store=store)
        run = training.on(stack).run()
        print(run.result(), *(f"{{view.id}} {{view.status}} {{view.record.key}}" for view in run))
    here(Path("{folder}"))
"""
"""What it gives, and the key of each step."""


def test_pods_give_what_the_notebook_does_under_the_same_keys(
    kernel: Any, cell: Callable[[str], str], tmp_path: Path
) -> None:
    (kernel.folder / "penstock.yaml").write_text("")
    (kernel.folder / "helper.py").write_text("def plus(x):\n    return x + 1\n")
    key = {"TEAM_KEY": "a long random text"}
    (kernel.folder.parent / "key").write_text(key["TEAM_KEY"])
    for text in (CELLS, STEPS):
        cell(text)
    there, apart = tmp_path / "there", tmp_path / "apart"
    for each in (there, apart):
        each.mkdir()
    commands = cell(COMPILE.format(runtime=str(Path(pods.__file__).parent), there=there))
    cluster = Cluster(there, json.loads(commands))
    assert "fitting" in cluster.pod("fit", environment=key).out
    for place in (0, 1):
        cluster.pod(f"predict.{place}", environment=key)
    computed = cell(RUN.format(folder=apart)).splitlines()[-1]
    assert computed.startswith("[45, 54] fit completed ")
    assert cell(f"here(Path({str(there)!r}))") == computed.replace("completed", "cached") + "\n"
