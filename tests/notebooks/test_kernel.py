"""Steps in the cells of a notebook, in a real kernel whose event loop runs."""

import re
import time
from collections.abc import Callable
from typing import Any

Run = Callable[[str], str]

IMPORTS = "from penstock import Client, context, pipeline, step\n"

LOAD = """
@step
def load(n: int) -> list[int]:
    print("loading", n)
    return list(range(n))
"""
SCALED = "def scaled(value: int) -> int:\n    return 2 * value\n"
TOTAL = """
@step
def total(values: list[int]) -> int:
    return sum(scaled(value) for value in values)
"""
TRAINING = """
@pipeline(progress=False)
def training(n: int = 3) -> int:
    return total(load(n))
"""
STATUS = "print([view.status.value for view in run], run.result())"


def define(cell: Run, *codes: str) -> None:
    for code in (IMPORTS, *codes):
        cell(code)


def test_steps_and_helpers_are_defined_in_cells(cell: Run) -> None:
    define(cell, LOAD, SCALED, TOTAL, TRAINING)
    assert cell("run = training.run(4)\n" + STATUS).endswith("['completed', 'completed'] 12\n")


def test_the_same_cell_once_more_is_a_hit(cell: Run) -> None:
    define(cell, LOAD, SCALED, TOTAL, TRAINING)
    cell("training.run(5)")
    define(cell, LOAD, SCALED, TOTAL, TRAINING)
    assert cell("run = training.run(5)\n" + STATUS) == "['cached', 'cached'] 20\n"


def test_a_step_that_is_defined_anew_runs_again(cell: Run) -> None:
    define(cell, LOAD, SCALED, TOTAL, TRAINING)
    cell("training.run(6)")
    cell(TOTAL.replace("sum(", "1 + sum("))
    assert cell("run = training.run(6)\n" + STATUS) == "['cached', 'completed'] 31\n"


def test_a_helper_that_is_defined_anew_runs_its_step_again(cell: Run) -> None:
    define(cell, LOAD, SCALED, TOTAL, TRAINING)
    cell("training.run(7)")
    cell(SCALED.replace("2", "3"))
    assert cell("run = training.run(7)\n" + STATUS) == "['cached', 'completed'] 63\n"


def test_the_kernel_may_be_restarted(kernel: Any, cell: Run) -> None:
    define(cell, LOAD, SCALED, TOTAL, TRAINING)
    cell("training.run(8)")
    kernel.restart()
    define(cell, LOAD, "shift = 1", SCALED, TOTAL, TRAINING)
    assert cell("run = training.run(8)\n" + STATUS) == "['cached', 'cached'] 56\n"


def test_async_steps_run_while_the_loop_of_the_kernel_runs(cell: Run) -> None:
    define(cell, LOAD)
    cell("""
        import asyncio

        @step
        async def wait(values: list[int]) -> int:
            await asyncio.sleep(0)
            print("waited")
            return len(values)

        @pipeline(progress=False)
        def waiting() -> int:
            return wait(load(2))
    """)
    said = cell("""
        await asyncio.sleep(0)
        run = waiting.run()
        print(run.result(), repr(run["wait"].logs()))
    """)
    assert said.splitlines()[-1] == r"2 'waited\n'"


def test_what_a_step_prints_is_shown_and_kept(cell: Run) -> None:
    define(cell, LOAD, "@pipeline(progress=False)\ndef loading() -> list[int]:\n    return load(9)")
    assert cell("run = loading.with_options(cache=False).run()") == "loading 9\n"
    assert cell("print(run['load'].logs())") == "loading 9\n\n"


def test_the_run_tells_its_story_in_the_cell(cell: Run) -> None:
    define(cell, LOAD, "@pipeline\ndef loading() -> list[int]:\n    return load(10)")
    lines = cell("run = loading.run()").splitlines()
    assert re.match(r"loading  run \S+ on stack default", lines[0])
    assert lines[1] == "loading 10"
    assert re.match(r"  load  \d", lines[2])
    assert re.match(r"completed in", lines[3])


def test_a_failing_step_shows_its_own_lines_and_our_message(kernel: Any, cell: Run) -> None:
    define(cell, """
        def check(value: int) -> None:
            if value > 2:
                raise ValueError(f"{value} is too large")

        @step
        def failing(value: int) -> int:
            check(value)
            return value

        @pipeline(progress=False)
        def broken() -> int:
            return failing(3)
    """)  # fmt: skip
    error = kernel.run("broken.run()").error
    assert 'raise ValueError(f"{value} is too large")' in error
    assert "broken.run()" in error
    assert "Step failing of 'broken' failed: ValueError: 3 is too large" in error
    assert "penstock run show" in error
    assert error.count("\nFile ") <= 1, error  # one frame of ours, or none
    assert len(error.splitlines()) < 32, error


def test_a_mistake_in_a_pipeline_is_told_in_a_few_lines(kernel: Any, cell: Run) -> None:
    define(cell, LOAD, "@pipeline\ndef wrong() -> list[int]:\n    return load('a')\n")
    error = kernel.run("wrong.run()").error
    assert "return load('a')" in error
    assert error.count("\nFile ") <= 1, error
    assert len(error.splitlines()) < 20, error


def test_an_interrupt_stops_the_run_and_not_the_kernel(kernel: Any, cell: Run) -> None:
    define(cell, """
        import time

        @step
        def sleeping() -> None:
            print("sleeps", flush=True)
            time.sleep(600)

        @pipeline(progress=False)
        def sleep() -> None:
            sleeping()
    """)  # fmt: skip
    sent = kernel.start("sleep.run()")
    for kind, content in kernel.messages(sent):
        if kind == "stream" and "sleeps" in content["text"]:
            began = time.monotonic()
            kernel.manager.interrupt_kernel()
        if kind == "error":
            assert content["ename"] == "KeyboardInterrupt"
            assert time.monotonic() - began < 300  # not the 600 seconds of the step
    assert cell("print(Client().run('last').status.value)") == "stopped\n"


def test_an_interrupt_reaches_an_async_step(kernel: Any, cell: Run) -> None:
    define(cell, """
        import asyncio

        @step
        async def sleeping() -> None:
            print("sleeps", flush=True)
            await asyncio.sleep(30)

        @pipeline(progress=False)
        def sleep() -> None:
            sleeping()
    """)  # fmt: skip
    sent = kernel.start("sleep.run()")
    for kind, content in kernel.messages(sent):
        if kind == "stream" and "sleeps" in content["text"]:
            kernel.manager.interrupt_kernel()
    assert cell("print(Client().run('last').status.value)") == "stopped\n"


def test_values_of_a_class_of_a_cell_come_back(kernel: Any, cell: Run) -> None:
    model = """
        class Model:
            def __init__(self, slope: int) -> None:
                self.slope = slope

            def predict(self, x: int) -> int:
                return self.slope * x

        @step
        def fit(slope: int) -> Model:
            return Model(slope)

        @pipeline(progress=False)
        def fitting() -> Model:
            return fit(3)
    """
    define(cell, model)
    cell("run = fitting.run()")
    assert cell("print(run.result().predict(2), type(run.result()) is Model)") == "6 True\n"
    kernel.restart()
    define(cell, model)
    assert cell("print(Client().run('last').result().predict(3))") == "9\n"


def test_a_run_can_be_the_last_line_of_a_cell(kernel: Any, cell: Run) -> None:
    define(cell, LOAD, "@pipeline(progress=False)\ndef loading() -> list[int]:\n    return load(2)")
    shown = kernel.run("loading.run()").shown
    assert "of 'loading': completed" in shown["text/plain"]


def test_maps_run_side_by_side(cell: Run) -> None:
    define(cell, """
        import threading
        both = threading.Barrier(2, timeout=120)

        @step(cache=False)
        def meet(n: int) -> int:
            both.wait()
            print("met", n)
            return n

        @pipeline(progress=False)
        def meeting() -> list[int]:
            return meet.map([1, 2])
    """)  # fmt: skip
    cell("run = meeting.run()")
    assert cell("print(run.result(), repr(run['meet.1'].logs()))") == r"[1, 2] 'met 2\n'" + "\n"


def test_runs_follow_one_another_in_a_cell(cell: Run) -> None:
    define(
        cell,
        LOAD,
        "@pipeline(progress=False)\ndef loading(n: int) -> list[int]:\n    return load(n)",
    )
    said = cell("print(len(loading.run(21).result()), len(loading.run(22).result()))")
    assert said.splitlines()[-1] == "21 22"


def test_a_step_knows_its_context(cell: Run) -> None:
    define(cell, """
        @step(cache=False)
        def noting() -> str:
            context().log_metadata(rows=3)
            return context().step

        @pipeline(progress=False)
        def note() -> str:
            return noting()
    """)  # fmt: skip
    assert cell("run = note.run(); print(run.result(), run['noting'].record.metadata)") == (
        "noting {'rows': 3}\n"
    )


def test_a_run_in_the_background_leaves_the_notebook_free(cell: Run) -> None:
    define(cell, """
        import threading
        go = threading.Event()

        @step(cache=False)
        def waits() -> int:
            return 5 if go.wait(120) else 0

        @pipeline(progress=False, wait=False)
        def background() -> int:
            return waits()
    """)  # fmt: skip
    assert cell("run = background.run(); print(run.status.value)") == "running\n"
    assert cell("go.set(); print(run.wait().result())") == "5\n"


def test_a_script_can_be_run(kernel: Any, cell: Run) -> None:
    (kernel.folder / "script.py").write_text(
        IMPORTS + LOAD + SCALED + TOTAL + TRAINING
        + 'if __name__ == "__main__":\n    run = training.run(11)\n    ' + STATUS
    )  # fmt: skip
    assert cell("%run script.py").endswith("['completed', 'completed'] 110\n")
    assert cell("%run script.py") == "['cached', 'cached'] 110\n"


def test_a_module_that_is_loaded_anew_is_looked_at_anew(kernel: Any, cell: Run) -> None:
    file = kernel.folder / "project.py"
    file.write_text(IMPORTS + LOAD + SCALED + TOTAL + TRAINING)
    cell("%load_ext autoreload")
    cell("%autoreload 2")
    cell("import project")
    assert cell("run = project.training.run(12)\n" + STATUS).endswith("132\n")
    file.write_text(IMPORTS + LOAD + SCALED + TOTAL.replace("sum(", "1 + sum(") + TRAINING)
    assert cell("run = project.training.run(12)\n" + STATUS) == "['cached', 'completed'] 133\n"
