"""Worker processes for the steps of a notebook."""

from collections.abc import Callable
from typing import Any

Run = Callable[[str], str]

CELLS = """
    import os
    from typing import NamedTuple
    from penstock import LocalArtifactStore, LocalOrchestrator, Stack, pipeline, step

    class Model:
        def __init__(self, slope: int) -> None:
            self.slope = slope

        def predict(self, x: int) -> int:
            return scaled(self.slope * x)

    class Parts(NamedTuple):
        model: Model
        pid: int

    def scaled(value: int) -> int:
        return 2 * value

    @step
    def fit(slope: int) -> Parts:
        print("fitting", slope)
        return Parts(Model(slope), os.getpid())

    @step
    def predict(model: Model, x: int) -> int:
        return model.predict(x)

    @pipeline(progress=False)
    def training(slope: int):
        parts = fit(slope)
        return parts.model, parts.pid, predict(parts.model, 5)

    def on(workers: str) -> Stack:
        return Stack(
            "here",
            orchestrator=LocalOrchestrator(workers=workers, max_workers=1),
            artifact_store=LocalArtifactStore(path="store"),
        )
"""
STATUS = "print([view.status.value for view in run], run.result()[1] == os.getpid())"


def test_steps_and_classes_of_cells_work_in_a_worker(cell: Run) -> None:
    cell(CELLS)
    assert cell("run = training.on(on('processes')).run(3)") == "fitting 3\n"
    assert cell(STATUS) == "['completed', 'completed'] False\n"
    assert cell("model, _, y = run.result(); print(type(model) is Model, y)") == "True 30\n"
    assert cell("run = training.on(on('threads')).run(3)\n" + STATUS).startswith("['cached'")


def test_what_a_thread_made_is_found_by_a_worker(cell: Run) -> None:
    cell(CELLS)
    cell("run = training.on(on('threads')).run(4)")
    cell("@step\ndef predict(model: Model, x: int) -> int:\n    return -model.predict(x)")
    cell("run = training.on(on('processes')).run(4)")
    assert cell("print([view.status.value for view in run])") == "['cached', 'completed']\n"
    assert cell("print(run.result()[2])") == "-40\n"


def test_a_value_of_a_cell_can_be_given_to_a_run(cell: Run) -> None:
    cell(CELLS)
    cell("""
        @pipeline(progress=False)
        def predicting(model: Model) -> int:
            return predict(model, 2)
    """)
    assert cell("print(predicting.on(on('processes')).run(Model(7)).result())") == "28\n"


def test_an_error_of_a_cell_shows_its_line(kernel: Any, cell: Run) -> None:
    cell(CELLS)
    cell("""
        @step
        def failing(number: int) -> int:
            raise ValueError(f"no {number}")

        @pipeline(progress=False)
        def broken():
            failing(3)
    """)
    error = kernel.run("broken.on(on('processes')).run()").error
    assert "Step failing of 'broken' failed: ValueError: no 3" in error
    log = cell("from penstock import Client\nprint(Client(on('threads')).run('last').logs())")
    assert 'raise ValueError(f"no {number}")' in cell(
        "print(Client(on('threads')).run('last')['failing'].logs())"
    ), log


def test_an_interrupt_stops_the_worker_and_not_the_kernel(kernel: Any, cell: Run) -> None:
    cell(CELLS)
    cell("""
        import time

        @step
        def sleeping() -> None:
            print("sleeps", flush=True)
            time.sleep(30)

        @pipeline(progress=False)
        def sleep() -> None:
            sleeping()
    """)
    sent = kernel.start("sleep.on(on('processes')).run()")
    for kind, content in kernel.messages(sent):
        if kind == "stream" and "sleeps" in content["text"]:
            kernel.manager.interrupt_kernel()
    assert cell("print(Client(on('threads')).run('last').status.value)") == "stopped\n"
