"""The cache: what makes a step run again, and what does not."""

import importlib
import json
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import textwrap
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from penstock import (
    Client,
    LocalArtifactStore,
    LocalOrchestrator,
    Run,
    RunFailed,
    Stack,
    Status,
    pipeline,
    step,
)
from penstock.artifacts.formats import registry

Made = Callable[..., Stack]

BASE = '''\
"""A project."""
import os
import sys
from penstock import pipeline, step

RATE = 2

def scaled(by):
    def inner(values):
        return [by * value for value in values]
    return inner

double = scaled(2)

@step
def load(start: int = 1) -> list[int]:
    """Some numbers."""
    # the first ones
    return [start, 2, 3]

@step(retries=1)
def total(values: list[int], weights: dict[str, int], base=0) -> int:
    return sum(values) * weights["a"] + base

@pipeline
def summing() -> int:
    return total(load(), weights={"a": 1, "b": 2}, base=1)

if __name__ == "__main__":
    import json
    run = summing.with_options(progress=False).run()
    print(json.dumps({view.id: view.status for view in run}))
'''

BOTH, LOAD, TOTAL, NONE = {"load", "total"}, {"load"}, {"total"}, set[str]()

EDITS: dict[str, tuple[str, str, set[str]]] = {
    "nothing": ("", "", NONE),
    "a comment": ("# the first ones", "# three of them", NONE),
    "the docstring": ('"""Some numbers."""', '"""Numbers, three of them."""', NONE),
    "no docstring": ('    """Some numbers."""\n', "", NONE),
    "formatting": ("return [start, 2, 3]", "return [\n        start,\n        2, 3,\n    ]", NONE),
    "lines above": ("RATE = 2", "RATE = 2\n\n\n\n", NONE),
    "an option of the decorator": ("retries=1", "retries=2, timeout=60", NONE),
    "the decorator's name": (
        "@step\ndef load", "import penstock as p\n\n@p.step(retries=0)\ndef load", NONE,
    ),
    "the order of a dict": ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', NONE),
    "another function": ("return inner", "return inner or None", NONE),
    "a body, with the same result": ("return [start, 2, 3]", "return [start, 2, 1 + 2]", LOAD),
    "a body": ("return [start, 2, 3]", "return [start, 2, 4]", BOTH),
    "a default": ("start: int = 1", "start: int = 5", BOTH),
    "a constant": ("base=1)", "base=2)", TOTAL),
    "the type of a constant": ("base=1)", "base=1.0)", TOTAL),
    "a constant as text": ("{\"a\": 1,", '{"a": True,', TOTAL),
    "the name of a step": ("load(", "loaded(", {"loaded"}),
    "the version": ("@step(retries=1)", '@step(retries=1, version="2")', TOTAL),
    "an environment variable": ("@step(retries=1)", '@step(cache_env=["ZONE"])', TOTAL),
    "no cache for a step": ("@step(retries=1)", "@step(cache=False)", TOTAL),
    "no cache for the pipeline": ("@pipeline", "@pipeline(cache=False)", BOTH),
    "a decorator of the user's": (
        "@step\ndef load", "def same(f):\n    return f\n\n@step\n@same\ndef load", LOAD,
    ),
    "an annotation": ("start: int", "start: float", LOAD),
}  # fmt: skip


def ran(text: str) -> set[str]:
    return {name for name, status in json.loads(text).items() if status == "completed"}


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project after its first run."""
    folder = tmp_path_factory.mktemp("base")
    (folder / "project.py").write_text(BASE)
    home = {"HOME": str(folder / "home"), "XDG_CONFIG_HOME": str(folder / "home" / ".config")}
    done = subprocess.run(
        [sys.executable, "project.py"], cwd=folder, env={**os.environ, **home},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert ran(done.stdout) == {"load", "total"}
    return folder


@pytest.mark.sampled(most=12)
@pytest.mark.parametrize("edit", EDITS)
def test_in_a_new_process_the_steps_that_changed_run_again_and_no_other(
    base: Path, tmp_path: Path, python: Any, edit: str
) -> None:
    old, new, expected = EDITS[edit]
    assert old in BASE
    shutil.copytree(base / ".penstock", tmp_path / ".penstock")
    (tmp_path / "project.py").write_text(BASE.replace(old, new))
    home = {"HOME": str(base / "home"), "XDG_CONFIG_HOME": str(base / "home" / ".config")}
    assert ran(python("project.py", **home).stdout) == expected


def test_the_same_function_in_another_module_is_the_same_step(
    base: Path, tmp_path: Path, python: Any
) -> None:
    shutil.copytree(base / ".penstock", tmp_path / ".penstock")
    (tmp_path / "moved.py").write_text(BASE)
    home = {"HOME": str(base / "home"), "XDG_CONFIG_HOME": str(base / "home" / ".config")}
    code = "import moved; r = moved.summing.run(); print({v.status.value for v in r})"
    assert python("-c", code, **home).stdout == "{'cached'}\n"


def test_a_global_of_another_value_makes_another_step(tmp_path: Path, python: Any) -> None:
    for name, path in (("one", "train.csv"), ("other", "test.csv")):
        (tmp_path / f"{name}.py").write_text(
            "from penstock import pipeline, step\n"
            f"PATH = {path!r}\n"
            "@step\ndef load() -> str:\n    return (lambda: PATH)()\n"
            "@pipeline\ndef loading() -> str:\n    return load()\n"
        )
    code = "import one, other; print(one.loading.run().result(), other.loading.run().result())"
    assert python("-c", code).stdout == "train.csv test.csv\n"


# Values in keys.


@step
def kept(value: Any) -> Any:
    return value


@pipeline(progress=False)
def keeping(value: Any) -> Any:
    return kept(value)


def test_values_that_differ_in_type_or_sign_are_different_inputs() -> None:
    values = [
        1, "1", 1.0, True, None, "None", "true", b"1", [1], (1,), {1}, frozenset({1}), {"1": 1},
        {1: 1}, np.float64(1.0), np.float32(1.0), np.int64(1), 0.0, -0.0, float("nan"), "",
        [], (), {}, [[]], ["1"], "[1]", '{"$tuple":[1]}', {"$tuple": [1]},
    ]  # fmt: skip
    keys = [keeping.run(value)["kept"].record.key for value in values]
    assert len(set(keys)) == len(values)


def test_the_order_of_a_dict_does_not_matter_and_that_of_a_list_does() -> None:
    def key(value: Any) -> str:
        return keeping.run(value)["kept"].record.key

    assert key({"a": 1, "b": {"c": 1, "d": 2}}) == key({"b": {"d": 2, "c": 1}, "a": 1})
    assert key({2, 3, 1}) == key({1, 2, 3})
    assert key([1, 2]) != key([2, 1])


def test_a_key_is_the_digest_of_parts_that_can_be_read() -> None:
    run = keeping.run(5)
    parts = json.loads(run["kept"].record.parts)
    assert parts["parameters"] == {"value": "5"}
    assert set(parts) == {
        "code", "environment", "formats", "version", "cache_env", "parameters", "inputs",
    }  # fmt: skip


def test_an_environment_variable_in_the_key_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    @step(cache_env=["ZONE"])
    def zoned() -> str:
        return os.environ.get("ZONE", "")

    @pipeline(progress=False)
    def zoning() -> str:
        return zoned()

    results = []
    for zone in ("A", "B", "A", None):
        monkeypatch.setenv("ZONE", zone) if zone else monkeypatch.delenv("ZONE")
        run = zoning.run()
        results.append((run.result(), run["zoned"].status))
    assert results == [("A", "completed"), ("B", "completed"), ("A", "cached"), ("", "completed")]


def test_cache_off_for_one_run_takes_nothing_and_leaves_nothing() -> None:
    fresh = keeping.with_options(cache=False)
    assert fresh.run(1)["kept"].status is Status.COMPLETED
    assert keeping.run(1)["kept"].status is Status.COMPLETED
    assert keeping.run(1)["kept"].status is Status.CACHED
    assert fresh.run(1)["kept"].status is Status.COMPLETED


# Code in one process.


def module_named(name: str, text: str, folder: Path) -> Any:
    (folder / f"{name}.py").write_text(textwrap.dedent(text))
    sys.path.insert(0, str(folder))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


EDITED = """
from penstock import pipeline, step

@step
def answer() -> int:
    return 1

@pipeline(progress=False)
def asking() -> int:
    return answer()
"""


def test_code_that_was_edited_after_its_import_counts_as_it_was_loaded(
    tmp_path: Path, python: Any
) -> None:
    project = module_named("edited_after_import", EDITED, tmp_path)
    assert project.asking.run().result() == 1
    file = tmp_path / "edited_after_import.py"
    file.write_text(EDITED.replace("return 1", "return 2  # longer"))
    assert project.asking.with_options(cache=False).run().result() == 1
    assert project.asking.run().result() == 1
    code = "from edited_after_import import asking; print(asking.run().result())"
    assert python("-c", code).stdout == "2\n"


def test_code_that_was_edited_before_its_first_run_is_not_taken_for_what_runs(
    tmp_path: Path, python: Any
) -> None:
    project = module_named("edited_before_run", EDITED, tmp_path)
    (tmp_path / "edited_before_run.py").write_text(EDITED.replace("return 1", "return 2  # longer"))
    assert project.asking.run().result() == 1
    code = "from edited_before_run import asking; print(asking.run().result())"
    assert python("-c", code).stdout == "2\n"


def test_a_module_that_was_loaded_anew_has_the_key_that_another_process_gives_it(
    tmp_path: Path, python: Any
) -> None:
    project = module_named("loaded_anew", EDITED, tmp_path)
    project.asking.run()
    text = EDITED.replace("return 1", "return 2  # and a longer line")
    (tmp_path / "loaded_anew.py").write_text(text)
    sys.path.insert(0, str(tmp_path))
    try:
        project = importlib.reload(project)
    finally:
        sys.path.remove(str(tmp_path))
    assert project.asking.run().result() == 2
    code = "from loaded_anew import asking; print(asking.run()['answer'].status)"
    assert python("-c", code).stdout == "cached\n"


def closed_over(value: Any, name: str = "closed") -> Any:
    @step(name=name)
    def closed() -> str:
        return type(value).__name__

    @pipeline(progress=False)
    def closing() -> str:
        return closed()

    return closing


@dataclass
class Setting:
    rate: float


def one() -> int:
    return 1


def two() -> int:
    return 2


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (1, 2),
        ([1], [1, 2]),
        (Setting(0.5), Setting(0.75)),
        (np.arange(3), np.arange(4)),
        (one, two),
        (max, min),
        (lambda: 1, lambda: 2),
        (np.float64, np.float32),
    ],
)
def test_what_a_closure_holds_counts(first: Any, second: Any) -> None:
    statuses = [closed_over(value).run()["closed"].status for value in (first, second, first)]
    assert statuses == ["completed", "completed", "cached"]


def test_a_closure_over_what_cannot_be_known_is_never_taken_from_the_cache() -> None:
    numbers = (number for number in range(3))
    closing = closed_over(numbers)
    assert [closing.run()["closed"].status for _ in range(2)] == ["completed", "completed"]


def test_a_closure_variable_that_changes_counts_as_it_is_now() -> None:
    factor = 2

    @step
    def scaled() -> int:
        return 10 * factor

    @pipeline(progress=False)
    def scaling() -> int:
        return scaled()

    assert scaling.run().result() == 20
    factor = 3
    assert scaling.run().result() == 30


def test_functions_that_close_over_each_other_have_a_fingerprint() -> None:
    def even(number: int) -> bool:
        return number == 0 or odd(number - 1)

    def odd(number: int) -> bool:
        return number != 0 and even(number - 1)

    @step
    def ask() -> bool:
        return even(4)

    @pipeline(progress=False)
    def asking() -> bool:
        return ask()

    assert [asking.run()["ask"].status for _ in range(2)] == ["completed", "cached"]


def test_a_function_typed_in_without_a_file_is_known_by_its_loaded_code() -> None:
    def typed(body: str) -> Any:
        names: dict[str, Any] = {"__name__": "typed_in"}
        text = f"""
from penstock import pipeline, step

@step
def answer(value: str = "b") -> bool:
    {body}

@pipeline(progress=False)
def asking() -> bool:
    return answer()
"""
        exec(compile(text, "<typed in>", "exec"), names)
        return names["asking"]

    bodies = [
        'return value in {"a", "b"}',
        'return value in {"a", "c"}',
        "try:\n        return bool(int(value))\n    except ValueError:\n        return True",
        "try:\n        return bool(int(value))\n    except TypeError:\n        return True",
    ]
    for body in bodies[:3]:
        assert typed(body).run()["answer"].status is Status.COMPLETED
    with pytest.raises(RunFailed):
        typed(bodies[3]).run()
    assert typed(bodies[0]).run()["answer"].status is Status.CACHED


LIBRARY = """
import sys
from penstock import pipeline, step
import brewing

@step
def brew() -> str:
    return brewing.tea()

@pipeline
def breakfast() -> str:
    return brew()

if __name__ == "__main__":
    print(breakfast.with_options(progress=False).run()["brew"].status)
"""


def test_a_new_version_of_a_library_that_a_step_uses_runs_it_again(
    tmp_path: Path, python: Any
) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    (tmp_path / "breakfast.py").write_text(LIBRARY)
    (packages / "brewing.py").write_text("def tea(): return 'tea'\n")

    def status(version: str) -> str:
        for old in packages.glob("brewing-*"):
            for file in old.iterdir():
                file.unlink()
            old.rmdir()
        info = packages / f"brewing-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: brewing\nVersion: {version}\n"
        )
        (info / "RECORD").write_text("brewing.py,,\n")
        code = "import subprocess, sys; subprocess.run([sys.argv[1], 'breakfast.py'], check=True)"
        path = os.pathsep.join(entry for entry in sys.path if entry)
        interpreter = str(tmp_path / "venv" / "bin" / "python")
        return str(python("-c", code, interpreter, PYTHONPATH=path).stdout.strip())

    assert [status("1.0"), status("1.0"), status("1.1")] == ["completed", "cached", "completed"]


MODEL = """
from penstock import pipeline, step

class Model:
    rate = 2

    def __init__(self) -> None:
        self.weight = 3

    def predict(self) -> int:
        return self.weight * self.rate

    @property
    def name(self) -> str:
        return "model"

@step
def train() -> Model:
    return Model()

@step
def evaluate(model: Model) -> int:
    return model.predict()

@pipeline
def training() -> int:
    return evaluate(train())

if __name__ == "__main__":
    run = training.with_options(progress=False).run()
    print(run["evaluate"].status, run.result())
"""


@pytest.mark.parametrize(
    ("old", "new", "result"),
    [
        ("return self.weight * self.rate", "return self.weight + self.rate", 5),
        ("rate = 2", "rate = 4", 12),
        ('return "model"', 'return "another"', 6),
    ],
)
def test_an_edited_class_of_a_pickled_input_runs_the_step_again(
    tmp_path: Path, python: Any, old: str, new: str, result: int
) -> None:
    (tmp_path / "model.py").write_text(MODEL)
    assert python("model.py").stdout == "completed 6\n"
    assert python("model.py").stdout == "cached 6\n"
    (tmp_path / "model.py").write_text(MODEL.replace(old, new))
    assert python("model.py").stdout == f"completed {result}\n"


# What happened to the store.


@step
def big(size: int) -> bytes:
    return os.urandom(size)


@step
def measured(data: bytes) -> int:
    return len(data)


@pipeline
def measuring(size: int) -> int:
    return measured(big(size))


def objects(run: Run[Any]) -> Path:
    name = run["big"].output.artifact.digest
    return Path(".penstock", "objects", name[:2], name)


def test_a_deleted_object_is_a_miss_that_says_so_and_heals(
    capsys: pytest.CaptureFixture[str],
) -> None:
    objects(measuring.run(10_000)).unlink()
    capsys.readouterr()
    run = measuring.run(10_000)
    line = r"  big +\S+ s  the object of output 'output' was deleted\n"
    assert len(re.findall(line, capsys.readouterr().err)) == 1
    assert run["big"].status is Status.COMPLETED
    again = measuring.run(10_000)
    assert {view.status for view in again} == {Status.CACHED}
    assert again["big"].output.load() == run["big"].output.load()


def test_a_truncated_object_is_a_miss_that_heals() -> None:
    file = objects(measuring.run(10_000))
    file.write_bytes(file.read_bytes()[:5_000])
    assert measuring.run(10_000)["big"].status is Status.COMPLETED
    assert measuring.run(10_000)["big"].status is Status.CACHED


def test_an_object_with_other_bytes_is_found_when_it_is_loaded_and_then_counts_as_gone() -> None:
    run = measuring.run(10_000)
    file = objects(run)
    file.write_bytes(bytes(10_000))
    with pytest.raises(Exception, match="is not what its digest says"):
        run["big"].output.load()
    assert measuring.run(10_000)["big"].status is Status.COMPLETED


@pytest.mark.parametrize("damage", [b"", b"garbage", b'{"half": '])
def test_a_damaged_cache_entry_is_a_miss(damage: bytes) -> None:
    key = keeping.run("x")["kept"].record.key
    entry = Path(".penstock", "cache", key[:2], key)
    entry.unlink()
    entry.write_bytes(damage)
    assert keeping.run("x")["kept"].status is Status.COMPLETED
    assert keeping.run("x")["kept"].status is Status.CACHED


def test_a_cache_entry_under_the_name_of_another_is_a_miss() -> None:
    one, two = (keeping.run(value)["kept"].record.key for value in ("one", "two"))
    folder = Path(".penstock", "cache")
    (folder / two[:2] / two).unlink()
    (folder / two[:2] / two).write_bytes((folder / one[:2] / one).read_bytes())
    run = keeping.run("two")
    assert (run["kept"].status, run.result()) == ("completed", "two")
    assert keeping.run("two")["kept"].status is Status.CACHED


# What a run writes down about its hits.


def files() -> set[Path]:
    return {path for path in Path(".penstock").rglob("*") if path.is_file()}


@pytest.mark.parametrize("steps", [1, 50])
def test_a_fully_cached_run_writes_two_files_whatever_its_size(steps: int) -> None:
    @pipeline(progress=False)
    def mapping() -> Any:
        return kept.map(list(range(steps)))

    mapping.run()
    before = files()
    run = mapping.run()
    assert {view.status for view in run} == {Status.CACHED}
    folder = Path(".penstock", "runs", run.id)
    assert files() - before == {folder / "run.json", folder / "end.json"}
    assert set(run.record.hits) == set(run.record.calls)


def test_a_hit_behind_a_miss_is_recorded_by_the_run() -> None:
    @step(cache=False)
    def always() -> int:
        return 7

    @pipeline(progress=False)
    def going() -> Any:
        return kept(always())

    first = going.run()
    run = going.run()
    assert [view.status for view in run] == ["completed", "cached"]
    assert dict(run.record.hits) == {}
    again = Client().run(run.id)
    assert again["kept"].record.source == (first.id, "kept")
    assert again.result() == 7


def test_a_hit_is_verified_like_any_record() -> None:
    @step
    def weird() -> Any:
        return re.compile("a")

    @pipeline(progress=False)
    def making() -> Any:
        return weird()

    run = making.run()
    assert registry.runs_code(run["weird"].output.artifact.format)
    key = run["weird"].record.key
    entry = Path(".penstock", "cache", key[:2], key)
    data = entry.read_bytes()
    entry.unlink()
    entry.write_bytes(data.replace(b'"wall":', b'"wall" :'))
    assert making.run()["weird"].status is Status.COMPLETED


def measure_all(folder: str, gate: Any) -> None:
    stack = Stack(
        "s", orchestrator=LocalOrchestrator(), artifact_store=LocalArtifactStore(path=folder)
    )
    gate.wait(60)
    for size in range(9_000, 9_020):
        run = measuring.on(stack).with_options(progress=False).run(size)
        assert run.result() == size


def test_two_processes_on_the_same_keys_both_end_right(stack: Made, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(2)
    children = [
        context.Process(target=measure_all, args=(str(tmp_path / "store"), gate)) for _ in range(2)
    ]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    runs = Client(stack()).runs(limit=None)
    assert [run.status for run in runs] == [Status.COMPLETED] * 40
    assert all(len(run["big"].output.load()) == run.result() for run in runs)
