"""Steps of a notebook where the notebook is not."""

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

CELLS = """
    import json
    from penstock import pipeline, step
    from helper import plus
    %config InlineBackend.close_figures = True
    RATES = []
"""
STEPS = """
    %%capture
    class Model:
        def __init__(self, slope: int) -> None:
            self.slope = slope
"""
MORE = """
    def scaled(value: int) -> int:
        return plus(value) * sum(RATES)

    @step
    def fit(slope: int) -> "Model":
        return Model(scaled(slope))

    @step
    def predict(model: "Model", x: int) -> int:
        return json.loads(json.dumps(model.slope * x))

    @pipeline
    def training() -> int:
        return predict(fit(2), 5)
"""
PACK = """
    from pathlib import Path
    from penstock.runtime import bundle
    from penstock.runtime.fingerprints.fingerprints import Fingerprints
    from penstock.stack.project import Project
    found = Fingerprints()
    for each in (predict, scaled_step):
        print(each.name, found.of_step(each).digest)
    packed = bundle.packed(Project.find(), [fit, predict, scaled_step, training], found.files, {})
    _ = Path("../code").write_bytes(packed.data)
"""
OPEN = """
import sys
from pathlib import Path
from penstock.runtime import bundle, loading
found = bundle.opened(Path("code").read_bytes(), Path("opened"))
sys.path[:0] = found.path
bundle.as_main(found.main)
from penstock.runtime.fingerprints.fingerprints import Fingerprints
fit, predict, scaled = [
    loading.find_step(f"__main__:{name}") for name in ("fit", "predict", "scaled_step")
]
for each in (predict, scaled):
    print(each.name, Fingerprints().of_step(each).digest)
print(predict.function(fit.function(2), 5), type(fit.function(1)).__module__)
"""


@pytest.fixture
def elsewhere(kernel: Any) -> Callable[[], str]:
    """What a process without the notebook says of what was packed."""

    def opened() -> str:
        done = subprocess.run(
            [sys.executable, "-c", OPEN], cwd=kernel.folder.parent, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
        return done.stdout

    return opened


def test_steps_of_cells_are_the_same_in_a_module(
    kernel: Any, cell: Callable[[str], str], elsewhere: Callable[[], str]
) -> None:
    (kernel.folder / "penstock.yaml").write_text("")
    (kernel.folder / "helper.py").write_text("def plus(x):\n    return x + 1\n")
    for text in (CELLS, STEPS, MORE, "RATES.append(3)", "print('no step needs this')"):
        cell(text)
    cell("@step\ndef scaled_step(n: int) -> int:\n    return scaled(n)")
    assert kernel.run("def scaled(value):\n    return 0\n(").error  # it was never defined so
    here = cell(PACK)
    assert elsewhere() == f"{here}45 __main__\n"
    source = (kernel.folder.parent / "opened/main.py").read_text()
    assert "InlineBackend" not in source
    assert "print" not in source
