import functools
import io
import os
import pickle
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cloudpickle
import models
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from there_and_back import OBJECTS, back, dumped, loaded, python

from penstock.artifacts.formats.framed import framed, unframed
from penstock.artifacts.formats.pickle import CloudPickle, Pickle
from penstock.errors import CorruptArtifact, NotFound, UnsupportedValue

HERE = str(Path(__file__).parent)


def test_objects_come_back() -> None:
    id, found = back(models.Net(a=1, b=[models.half], c={models.Point: models.Point(1)}))

    assert id == "pickle/1"
    assert type(found) is models.Net
    assert vars(found) == {"a": 1, "b": [models.half], "c": {models.Point: models.Point(1)}}


def test_large_buffers_are_not_copied() -> None:
    array = np.ones(10_000)

    buffers = Pickle(None).dump({"deep": [{"array": array}]}, OBJECTS)

    views = [np.frombuffer(item, "u1") for item in buffers if len(memoryview(item)) > 0]
    assert any(np.shares_memory(view, array) for view in views)


def test_large_bytes_are_not_copied() -> None:
    value = bytes(1 << 20)

    assert any(piece is value for piece in Pickle(None).dump([value, object], OBJECTS))


@pytest.mark.parametrize("size", [1, 10_000])
def test_an_array_inside_is_private_and_writable(size: int) -> None:
    value = {"array": np.ones(size), "fixed": np.ones(size)}
    value["fixed"].flags.writeable = False

    id, data = dumped(value)
    for found in (loaded(id, data), loaded(id, bytes(data))):
        found["array"][0] = 5
        assert not found["fixed"].flags.writeable
        assert found["array"].ctypes.data % 16 == 0
    assert value["array"][0] == 1
    assert loaded(id, bytes(dumped(value)[1]))["array"][0] == 1


def test_large_buffers_are_used_where_they_lie() -> None:
    id, data = dumped([np.ones(10_000)])

    assert np.shares_memory(loaded(id, data)[0], np.frombuffer(data, "u1"))


@given(st.lists(st.binary(max_size=200)), st.binary(), st.integers(0, 2**32 - 1))
def test_frames_come_back(buffers: list[bytes], stream: bytes, tag: int) -> None:
    views = [memoryview(bytearray(item) if len(item) % 2 else item) for item in buffers]

    whole = bytearray(b"".join(framed(tag, [stream], views, OBJECTS.put)))
    found_tag, found_stream, found = unframed(whole, OBJECTS.get)

    assert (found_tag, found_stream, found) == (tag, stream, buffers)
    assert [item.readonly for item in found] == [item.readonly for item in views]
    with pytest.raises(ValueError, match="length"):
        unframed(whole + b"x", OBJECTS.get)


def test_names_are_what_the_stream_names() -> None:
    format = Pickle(None)
    part = functools.partial(models.half, 1)
    format.dump([models.Net(kind=models.Point), models.half, part], OBJECTS)

    assert {models.Net, models.Point, models.half} <= set(format.names())


def test_what_plain_pickle_refuses_is_pickled_with_its_code() -> None:
    class Local:
        def __init__(self, n: int) -> None:
            self.n = n

    id, found = back(Local(3))
    function_id, function = back(lambda n: n + 1)

    assert (id, function_id) == ("cloudpickle/1", "cloudpickle/1")
    assert (found.n, function(1)) == (3, 2)


def test_code_of_another_python_is_refused_by_name() -> None:
    stream = cloudpickle.dumps(lambda: 1)
    data = bytearray(b"".join(framed(99, [stream], [], OBJECTS.put)))

    with pytest.raises(UnsupportedValue, match=r"by Python 3\.99, and this is Python 3\."):
        loaded("cloudpickle/1", data)


def test_a_class_that_is_gone_is_named() -> None:
    stream = pickle.dumps(models.half).replace(b"half", b"gone")
    data = bytearray(b"".join(framed(0, [stream], [], OBJECTS.put)))

    with pytest.raises(NotFound, match="'gone' of the module 'models'"):
        loaded("pickle/1", data)


def generator() -> Any:
    yield 1


INSIDE = "No format takes this value of type {!r}: {} is of type {!r}, which cannot be pickled."
HINT = (
    "Return data instead of it, or write a class with @materializer({}) that says how it is stored."
)
REFUSED = [
    (
        models.Net(cache=models.Cache(), a=1),
        INSIDE.format("models.Net", "Net.cache.lock", "_thread.lock"),
        HINT.format("Net"),
    ),
    (
        {"rows": [1, generator()]},
        INSIDE.format("dict", "dict['rows'][1]", "generator"),
        "Return data instead of it.",
    ),
    (
        threading.Lock(),
        "No format takes a value of type '_thread.lock': cannot pickle '_thread.lock' object.",
        HINT.format("lock"),
    ),
]


@pytest.mark.parametrize(("value", "message", "hint"), REFUSED, ids=["inside", "item", "itself"])
def test_a_value_that_nobody_takes_is_named_to_the_point(
    value: Any, message: str, hint: str
) -> None:
    with pytest.raises(UnsupportedValue) as caught:
        dumped(value)

    assert (caught.value.message, caught.value.hint) == (message, hint)


class Slots:
    __slots__ = ("inner",)

    def __init__(self, inner: object) -> None:
        self.inner = inner


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda bad: {"a": [models.Net(slots=Slots((1, bad)))]}, "dict['a'][0].slots.inner[1]"),
        (lambda bad: models.Net(by_name={"x": {"y": [0, 0, bad]}}), "Net.by_name['x']['y'][2]"),
        (lambda bad: [SimpleNamespace(deep=models.Net(last=bad))], "list[0].deep.last"),
    ],
)
@pytest.mark.parametrize(
    "open_bad",
    [
        lambda: nullcontext(threading.Lock()),
        lambda: nullcontext(generator()),
        lambda: closing(sqlite3.connect(":memory:")),
        functools.partial(open, os.devnull),
        functools.partial(open, os.devnull, "w"),
        functools.partial(open, os.devnull, "rb"),
        functools.partial(open, os.devnull, "wb"),
        functools.partial(open, os.devnull, "r+b"),
        functools.partial(open, os.devnull, "rb", buffering=0),
    ],
    ids=["lock", "generator", "connection", "text", "written", "read", "write", "both", "raw"],
)
def test_deep_inside_the_path_says_where(
    make: Callable[[Any], Any], path: str, open_bad: Callable[[], Any]
) -> None:
    with open_bad() as bad, pytest.raises(UnsupportedValue) as caught:
        dumped(make(bad))

    assert f": {path} is of type " in caught.value.message
    assert type(bad).__name__ in caught.value.message


def test_an_open_file_is_unsupported() -> None:
    with open(os.devnull) as file, pytest.raises(UnsupportedValue) as caught:
        dumped(file)

    assert "cannot pickle '_io.TextIOWrapper' object" in caught.value.message


def test_files_in_memory_come_back() -> None:
    _, (text, data) = back([io.StringIO("text"), io.BytesIO(b"data")])

    assert (text.getvalue(), data.getvalue()) == ("text", b"data")


class Refusing:
    def __reduce__(self) -> str:
        raise RuntimeError("mine")


class Stateless:
    def __getstate__(self) -> object:
        raise RuntimeError("mine")


@pytest.mark.parametrize("kind", [Refusing, Stateless])
def test_what_a_class_says_against_its_own_pickle_is_told(kind: type) -> None:
    with pytest.raises(UnsupportedValue, match=r"which cannot be pickled: RuntimeError: mine\."):
        dumped([kind()])
    with pytest.raises(UnsupportedValue, match=rf"{kind.__name__}': RuntimeError: mine\."):
        dumped(kind())


def attributed(value: Any, bad: object) -> Any:
    value.attrs["l"] = bad
    return value


def closed_over(bad: object) -> Callable[[], object]:
    return lambda: bad


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (ValueError, "ValueError.args[0]"),
        (closed_over, "function.nonlocals['bad']"),
        (lambda bad: np.array([1, bad], dtype=object), "ndarray[1]"),
        (lambda bad: np.array([[1, 2], [3, bad]], dtype=object), "ndarray[1][1]"),
        (lambda bad: pd.DataFrame({"b": [1], "a": [bad]}), "DataFrame['a'].iloc[0]"),
        (lambda bad: pd.DataFrame([[1, bad]], columns=["a", "a"]), "DataFrame['a'].iloc[0]"),
        (lambda bad: pd.DataFrame({"a": [1]}, index=[bad]), "DataFrame.index[0]"),
        (lambda bad: pd.DataFrame({bad: [1]}), "DataFrame.columns[0]"),
        (lambda bad: attributed(pd.DataFrame({"a": [1]}), bad), "DataFrame.attrs['l']"),
        (lambda bad: attributed(pd.DataFrame({"a": ["x"]}), bad), "DataFrame.attrs['l']"),
        (lambda bad: pd.Series([1, bad]), "Series.iloc[1]"),
        (lambda bad: attributed(pd.Series([1]), bad), "Series.attrs['l']"),
        (lambda bad: attributed(pd.Series([object]), bad), "Series.attrs['l']"),
        (lambda bad: {"frame": attributed(pd.DataFrame(), bad)}, "dict['frame'].attrs['l']"),
    ],
)
def test_the_path_leads_into_what_libraries_define(make: Callable[[Any], Any], path: str) -> None:
    with pytest.raises(UnsupportedValue) as caught:
        dumped(make(threading.Lock()))

    assert f": {path} is of type '_thread.lock', which cannot be pickled." in caught.value.message


def test_what_is_nested_too_deeply_is_told_without_a_path() -> None:
    value: Any = []
    for _ in range(100_000):
        value = [value]

    with pytest.raises(UnsupportedValue) as caught:
        dumped(value)

    assert caught.value.message.endswith("of type 'list': it is nested too deeply.")
    assert caught.value.hint == "Return data instead of it."


def test_a_socket_is_unsupported() -> None:
    with socket.socket() as one, pytest.raises(UnsupportedValue, match=r"'socket\.socket'"):
        dumped(one)


def test_a_value_that_contains_itself_is_pickled() -> None:
    value: list[Any] = [1]
    value.append(value)

    id, found = back(value)

    assert id == "pickle/1"
    assert found[1] is found


def test_a_loop_around_what_is_refused_ends() -> None:
    value = models.Net(lock=threading.Lock())
    value.me = value  # type: ignore[attr-defined]

    with pytest.raises(UnsupportedValue, match=r"Net\.lock"):
        dumped(value)


SCRIPT = f"""
import sys
sys.path.append({HERE!r})
from there_and_back import OBJECTS, dumped, loaded

class Model:
    class Inner:
        pass
    def __init__(self): self.inner = Model.Inner()

def scale(n): return 2 * n

def write(path):
    id, data = dumped([Model(), scale])
    assert id == "pickle/1", id
    open(path, "wb").write(data)

def read(path):
    model, function = loaded("pickle/1", open(path, "rb").read())
    assert type(model) is Model, type(model)
    assert type(model.inner) is Model.Inner
    assert function is scale
    print("same")

if __name__ == "__main__":
    {{"write": write, "read": read}}[sys.argv[1]](sys.argv[2])
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


def test_a_script_and_its_importers_read_each_others_pickles(script: Path) -> None:
    ways = {
        "script": lambda verb: python("", "train.py", verb, "out", cwd=script),
        "module": lambda verb: python("", "-m", "train", verb, "out", cwd=script),
        "import": lambda verb: python(f"import train; train.{verb}('out')", cwd=script),
    }
    for write in ways.values():
        write("write")
        assert b"__main__" not in (script / "out").read_bytes()
        for read in ways.values():
            assert read("read") == "same"


def test_a_child_of_multiprocessing_counts_as_the_script(script: Path) -> None:
    (script / "many.py").write_text(
        SCRIPT
        + "    import multiprocessing as mp\n"
        + "    child = mp.get_context('spawn').Process(target=write, args=('new',))\n"
        + "    child.start(); child.join(); read('new')\n"
    )

    assert python("", "many.py", "write", "out", cwd=script) == "same"
    assert python("import many; many.read('new')", cwd=script) == "same"


def test_plain_pickles_of_the_importers_are_found_in_the_script(script: Path) -> None:
    python("import train; train.write('out')", cwd=script)

    assert python("", "train.py", "read", "out", cwd=script) == "same"


def test_what_the_script_defines_inside_a_cloudpickle_is_named_not_copied(script: Path) -> None:
    (script / "train.py").write_text(
        SCRIPT.replace("[Model(), scale]", "[Model(), scale, lambda: 1]")
        .replace('== "pickle/1"', '== "cloudpickle/1"')
        .replace('"pickle/1", open', '"cloudpickle/1", open')
        .replace("model, function =", "model, function, _ =")
    )
    python("", "train.py", "write", "out", cwd=script)

    assert python("", "train.py", "read", "out", cwd=script) == "same"
    assert python("import train; train.read('out')", cwd=script) == "same"


def test_only_one_function_in_penstock_unpickles() -> None:
    root = Path(sys.modules["penstock"].__path__[0])
    calls = ("pickle.load", "Unpickler(", "cloudpickle.load", "pickle import")
    found = [
        (str(path.relative_to(root)), line.strip())
        for path in root.rglob("*.py")
        if "testing" not in path.parts
        for line in path.read_text().splitlines()
        if any(call in line for call in calls) and "penstock.artifacts.formats.pickle" not in line
    ]

    place = "artifacts/formats/pickle.py"
    assert found == [
        (place, "return _Unpickler(io.BytesIO(stream), buffers=buffers).load()"),
        (place, "class _Unpickler(pickle.Unpickler):"),
    ]


@pytest.mark.parametrize("value", [[1, models.Point(1)], [np.ones(10_000), np.zeros(3)]])
def test_truncated_pickles_are_corrupt(value: Any) -> None:
    id, data = dumped(value)
    for length in [*range(min(len(data), 600)), len(data) - 1]:
        with pytest.raises(CorruptArtifact):
            loaded(id, data[:length])


def test_a_stream_that_is_loaded_is_not_the_stores_memory() -> None:
    _, data = dumped([models.Point(1)])
    _, stream, _ = unframed(data, OBJECTS.get)
    data[:] = bytes(len(data))

    assert pickle.load(io.BytesIO(stream)) == [models.Point(1)]


def test_loading_runs_code_and_says_so() -> None:
    assert Pickle.runs_code
    assert CloudPickle.runs_code
