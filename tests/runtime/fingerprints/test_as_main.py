"""A file that is run as a program is known by what it is known by when others import it."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAD = """
import abc, contextlib, dataclasses, enum, functools, json, typing
from dataclasses import dataclass, field
import attrs, pydantic
from penstock import step

def three() -> int:
    return 3

"""

KINDS = {
    "a dataclass": "@dataclass\nclass K:\n    a: int",
    "a frozen dataclass": "@dataclass(frozen=True)\nclass K:\n    a: int",
    "an ordered dataclass": "@dataclass(order=True)\nclass K:\n    a: int",
    "a dataclass with slots": "@dataclass(slots=True)\nclass K:\n    a: int",
    "a frozen dataclass with slots": "@dataclass(slots=True, frozen=True)\nclass K:\n    a: int",
    "a dataclass by keywords": "@dataclass(kw_only=True)\nclass K:\n    a: int\n    b: int = 2",
    "a dataclass without repr": "@dataclass(repr=False)\nclass K:\n    a: int",
    "a dataclass without equality": "@dataclass(eq=False)\nclass K:\n    a: int",
    "a dataclass with defaults that are made":
        "@dataclass\nclass K:\n    a: list[Inner] = field(default_factory=list)\n"
        "    b: int = field(default_factory=three)\n    c: Inner = field(default_factory=Inner)\n"
        "    d: int = field(default_factory=lambda: 4)",
    "a dataclass with a base": "@dataclass\nclass K(Inner):\n    b: 'Inner | None' = None",
    "a dataclass with notes of its own file":
        "@dataclass\nclass K:\n    a: list[Inner]\n    b: typing.Optional['Inner']\n    c: 'K'",
    "a dataclass with variables for classes and for its making":
        "@dataclass\nclass K:\n    a: typing.ClassVar[Inner]\n    b: dataclasses.InitVar[Inner]\n"
        "    def __post_init__(self, b):\n        self.c = b",
    "a dataclass with a value of another":
        "@dataclass(frozen=True)\nclass O:\n    a: int\n@dataclass\nclass K:\n    a: O = O(1)",
    "a class that a library makes a dataclass of":
        "K = dataclasses.make_dataclass('K', [('x', Inner)], namespace={'__module__': __name__})",
    "a named tuple": "class K(typing.NamedTuple):\n    a: int\n    b: 'Inner | None' = None",
    "a plain class": "class K:\n    def __init__(self, a):\n        self.a = a",
    "a class with an order":
        "@functools.total_ordering\nclass K:\n    def __eq__(self, other):\n        return True\n"
        "    def __lt__(self, other):\n        return False",
    "an enum": "class K(enum.Enum):\n    A = 1\n    B = enum.auto()",
    "an enum of texts": "class K(enum.StrEnum):\n    A = enum.auto()",
    "a set of flags": "class K(enum.Flag):\n    A = 1\n    B = 2",
    "an enum that a call makes": "K = enum.Enum('K', 'A B')",
    "a class with a cached property":
        "class K:\n    @functools.cached_property\n    def a(self) -> Inner:\n"
        "        return Inner()",
    "a typed dict": "class K(typing.TypedDict):\n    a: int\n    b: Inner",
    "a typed dict with notes as text":
        "class K(typing.TypedDict, total=False):\n    a: 'Inner'\n    b: 'list[Inner]'",
    "a protocol":
        "@typing.runtime_checkable\nclass K(typing.Protocol):\n    a: Inner\n"
        "    def go(self) -> Inner: ...",
    "an abstract class":
        "class K(abc.ABC):\n    @abc.abstractmethod\n    def go(self) -> Inner: ...\n"
        "K.register(Inner)",
    "a generic class":
        "T = typing.TypeVar('T', bound=Inner)\nclass K(typing.Generic[T]):\n    a: T",
    "a class with variables of types":
        "P = typing.ParamSpec('P')\nU = typing.TypeVarTuple('U')\nN = typing.NewType('N', Inner)\n"
        "class K:\n    p, u, n = P, U, N",
    "a class of attrs": "@attrs.define\nclass K:\n    a: Inner\n    b: list = attrs.Factory(list)",
    "a frozen class of attrs":
        "@attrs.frozen(order=True)\nclass K:\n    a: int = attrs.field(validator="
        "attrs.validators.instance_of(int))",
    "a model of pydantic":
        "class K(pydantic.BaseModel):\n    a: Inner\n    b: list[int] = pydantic.Field("
        "default_factory=list)\n    @pydantic.field_validator('b')\n    @classmethod\n"
        "    def looked(cls, value):\n        return value",
    "a dataclass of pydantic": "@pydantic.dataclasses.dataclass\nclass K:\n    a: int",
    "a function that a library wraps":
        "@contextlib.contextmanager\ndef K(a: list[Inner]) -> typing.Iterator['Inner']:\n"
        "    yield a[0]",
    "a function that is kept": "@functools.lru_cache\ndef K(a: Inner) -> Inner:\n    return a",
    "a function with arguments":
        "def f(a: Inner) -> Inner:\n    return a\n"
        "K = functools.update_wrapper(functools.partial(f, 1), f)",
    "an object around a function":
        "class C:\n    def __init__(self, f):\n        functools.update_wrapper(self, f)\n"
        "@C\ndef K(a: Inner) -> Inner:\n    return a",
    "a function by the type of what it gets":
        "@functools.singledispatch\ndef K(a):\n    return a\n@K.register\ndef _(a: Inner):\n"
        "    return 1",
    "an object": "class C:\n    pass\nK = [C(), Inner(4), functools.partial(three), {'a': Inner}]",
    "another value when it is run": "K = __name__",
}  # fmt: skip
"""What a step names as `K`."""

OTHER = "another value when it is run"

TAIL = """
def told():
    from penstock.model.step import Step
    from penstock.runtime.fingerprints.fingerprints import Fingerprints
    found = Fingerprints()
    steps = {name: item for name, item in globals().items() if type(item) is Step}
    units = {name: found.of_step(step).units for name, step in steps.items()}
    codes = {name: found.of_names([step.function]).digest for name, step in steps.items()}
    return {name: [found.of_step(step).digest, codes[name],
                   {unit.name: unit.digest for unit in units[name]}]
            for name, step in steps.items()}
"""

Told = dict[str, tuple[str, str, dict[str, str]]]


def _text(*, future: bool) -> str:
    """A file with a step for each kind, in which what the kind is made of has a number."""
    parts = ["from __future__ import annotations\n" if future else "", HEAD]
    for number, text in enumerate(KINDS.values()):
        own = re.sub(r"\b(Inner|[KOTPUNC])\b", rf"\g<1>{number}", text)
        parts.append(f"@dataclass\nclass Inner{number}:\n    a: int = 1\n\n{own}\n\n")
        parts.append(f"@step\ndef s{number}():\n    return K{number}\n\n")
    return "".join([*parts, TAIL])


@pytest.fixture(scope="module", params=[False, True], ids=["notes", "notes as text"])
def both(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Told]:
    """What each step is known by: where the file is the program, and where another imports it."""
    folder = tmp_path_factory.mktemp("main")
    main = "\nif __name__ == '__main__':\n    print(json.dumps(told()))\n"
    (folder / "kinds.py").write_text(_text(future=request.param) + main)
    (folder / "other.py").write_text("import json, kinds\nprint(json.dumps(kinds.told()))\n")
    return [_told(folder, name) for name in ("kinds.py", "other.py")]


def _told(folder: Path, name: str) -> Told:
    argv = [sys.executable, name]
    run = subprocess.run(argv, cwd=folder, capture_output=True, timeout=60, check=False)
    assert run.returncode == 0, run.stderr.decode()
    found: Told = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("name", [name for name in KINDS if name != OTHER])
def test_what_a_step_names_is_the_same_in_the_file_that_runs(both: list[Told], name: str) -> None:
    one, other = (told[f"s{list(KINDS).index(name)}"] for told in both)
    assert one[2] == other[2]
    assert one[:2] == other[:2]


def test_a_value_that_is_another_in_the_file_that_runs_is_seen(both: list[Told]) -> None:
    one, other = (told[f"s{list(KINDS).index(OTHER)}"] for told in both)
    assert one[0] != other[0]
