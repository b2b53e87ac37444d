"""Of all that cells have executed: what a step needs, and what it would find there now."""

import ast
import linecache
import textwrap
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import CannotRun
from penstock.runtime.bundle import cells, plain
from penstock.runtime.bundle.wanted import Wanted


@dataclass(frozen=True)
class Named:
    """What is declared under a name."""

    name: str
    function: Any = None

    @property
    def reference(self) -> str:
        return f"__main__:{self.name}"


@dataclass
class Session:
    """Cells that are executed one after the other in one space of names, as a notebook does it."""

    space: dict[str, Any] = field(default_factory=lambda: {"__name__": "__main__"})
    texts: list[str] = field(default_factory=list)

    def run(self, *cells: str) -> "Session":
        for text in map(textwrap.dedent, cells):
            name = f"<cell {len(self.texts)}>"
            linecache.cache[name] = (len(text), None, text.splitlines(True), name)
            self.texts.append(text)
            try:
                exec(compile(text, name, "exec"), self.space)
            except (SyntaxError, ZeroDivisionError):
                continue
        return self

    def module(self, *names: str) -> str:
        """The module that has these."""
        wanted = Wanted(self.space, cells.statements(self.texts, str))
        for name in names:
            wanted.add(Named(name))
        return wanted.source()


def _loaded(source: str) -> dict[str, Any]:
    space: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(source, "<main>", "exec"), space)
    return space


SESSIONS = {
    "a helper": """
def h():
    return 1
# %%
def f():
    return h()
""",
    "a helper that came later": """
def f():
    return h()
# %%
def h():
    return 1
""",
    "defined anew": """
def h():
    return 1
# %%
def f():
    return h()
# %%
def h():
    return 2
""",
    "a cell that failed before it": """
def h():
    return 1
# %%
1 / 0
def h():
    return 2
# %%
def f():
    return h()
""",
    "a cell that failed after it": """
def h():
    return 1
1 / 0
# %%
def f():
    return h()
""",
    "a cell that is no Python": """
N = 1
# %%
N = = 2
# %%
def f():
    return N
""",
    "data": """
N = {'a': [1, None, (2.5, b'x')]}
# %%
def f():
    return N
""",
    "data that a loop has filled": """
N = []
# %%
for i in range(3):
    N.append(i)
# %%
def f():
    return N
""",
    "data of data": """
A = 2
# %%
B = A * 3
# %%
A = 5
# %%
def f():
    return A, B
""",
    "added to": """
N = 1
# %%
N += 2
# %%
N += 3
# %%
def f():
    return N
""",
    "made of itself": """
N = list(range(3))
# %%
N = N + [9]
# %%
def f():
    return N
""",
    "an item that was set": """
N = dict(a=1)
# %%
N['b'] = len(N)
# %%
N.update(c=3)
# %%
def f():
    return N
""",
    "an attribute that was set": """
class A:
    x = 1
# %%
A.x = 2
# %%
a = A()
# %%
a.y = 3
# %%
def f():
    return A.x, a.y
""",
    "a class and its base": """
class A:
    def g(self):
        return K
# %%
K = 4
# %%
class B(A):
    z = K
# %%
def f():
    return B().g(), B.z
""",
    "imports": """
import os.path, json as js
# %%
def f():
    return js.dumps(os.path.sep)
""",
    "two parts of a package": """
import xml.dom
# %%
import xml.sax
# %%
def f():
    return xml.dom.Node, xml.sax.parse
""",
    "a star": """
from math import *
# %%
def f():
    return floor(2.5)
""",
    "one or the other": """
try:
    import nowhere as m
except ImportError:
    m = None
# %%
def f():
    return m
""",
    "perhaps": """
N = 1
# %%
if N > 5:
    N = 2
# %%
def f():
    return N
""",
    "with": """
import io
# %%
with io.StringIO('x') as s:
    T = s.read()
# %%
def f():
    return T
""",
    "one line": """
a = 1; b = 2; c = a + b
# %%
def f(): return c
""",
    "a default and a decorator": """
def twice(g):
    return lambda n=N: 2 * g(n)
# %%
N = 3
# %%
@twice
def f(n=N):
    return n
""",
    "called while it was defined": """
N = 1
# %%
def h():
    return N
# %%
V = h()
# %%
N = 2
# %%
def f():
    return V, h()
""",
    "comprehensions": """
W = [1, 2]
# %%
V = [w * len(W) for w in W]
# %%
def f():
    return V
""",
    "lambdas": """
g = lambda: K
# %%
K = 3
# %%
def f():
    return g()
""",
    "types in quotes": """
class A: pass
# %%
from typing import get_type_hints
def f(a: 'A' = None):
    return get_type_hints(f)['a'].__name__
""",
    "the future": """
from __future__ import annotations
def f(a: Nowhere = 1):
    return f.__annotations__
""",
    "a name of a builtin": """
len = lambda x: 7
# %%
def f():
    return len([])
""",
    "recursion": """
def f(n=3):
    return n and f(n - 1)
""",
    "each other": """
def g(n):
    return n and f(n - 1)
# %%
def f(n=3):
    return n and g(n - 1)
""",
    "a method that asks": """
class A:
    def __init__(self):
        self.n = 0
    def add(self):
        self.n += 1
# %%
a = A()
# %%
def f():
    return a.n
""",
}
"""What is executed; `# %%` begins a cell."""


@pytest.mark.parametrize("text", SESSIONS.values(), ids=SESSIONS)
def test_the_module_does_what_the_notebook_does(text: str) -> None:
    session = Session().run(*text.split("# %%\n"))
    found = _loaded(session.module("f"))["f"]()
    assert repr(found) == repr(session.space["f"]())


@pytest.mark.parametrize("name", ["data", "added to", "each other"])
def test_a_statement_that_is_left_out_would_be_noticed(name: str) -> None:
    session = Session().run(*SESSIONS[name].split("# %%\n"))
    statements = cells.statements(session.texts, str)
    for item in statements:
        rest = [other for other in statements if other is not item]
        wanted = Wanted({"__name__": "__main__"}, rest)
        wanted.add(Named("f"))
        with pytest.raises((NameError, AssertionError, KeyError)):
            assert repr(_loaded(wanted.source())["f"]()) == repr(session.space["f"]())


def test_what_no_step_needs_is_not_there() -> None:
    session = Session().run(
        "import os", "print('shown')", "unused = 1", "def other():\n    return unused",
        "def f():\n    # a comment\n    return 1", "f()",
    )  # fmt: skip
    assert session.module("f") == "def f():\n    # a comment\n    return 1\n"


def test_a_value_is_not_written_down_where_a_statement_makes_it() -> None:
    session = Session().run("import os", "T = os.environ['HOME']", "def f():\n    return T")
    assert session.space["T"] not in session.module("f")


def test_cells_below_a_magic_line_count() -> None:
    cell = "get_ipython().run_cell_magic('time', '', 'N = 3\\ndef f():\\n    return N\\n')\n"
    session = Session(texts=[cell])
    exec("N = 3\ndef f():\n    return N\n", session.space)
    assert _loaded(session.module("f"))["f"]() == 3


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text()
        | st.binary(),
        lambda inner: (
            st.lists(inner)
            | st.lists(inner).map(tuple)
            | st.sets(st.text())
            | st.dictionaries(st.text() | st.integers(), inner)
        ),
    )
)
def test_plain_data_is_written_as_python_reads_it(value: object) -> None:
    text = plain.written(value)
    assert text is not None
    again = ast.literal_eval(text)
    assert (again, plain.written(again)) == (value, text)


@pytest.mark.parametrize(
    "value", [float("nan"), [float("inf")], {1: object()}, (set,), 1j, "x".join]
)
def test_what_is_no_plain_data_is_not_written(value: object) -> None:
    assert plain.written(value) is None


def test_plain_data_that_nobody_has_written_is_there() -> None:
    session = Session().run("def f():\n    return N")
    session.space["N"] = [1, "two"]
    assert _loaded(session.module("f"))["f"]() == [1, "two"]


REFUSED = {
    "from nowhere": ("", "'N', and no cell says where that is from"),
    "a magic": ("N = get_ipython().getoutput('ls')", "'N', made by a magic"),
    "await": ("N = await something()", "'N', from a cell that is no module's"),
}


@pytest.mark.parametrize(("text", "said"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_had_elsewhere_is_refused(text: str, said: str) -> None:
    session = Session().run("def f():\n    return N")
    session.texts.append(text)
    session.space["N"] = object()
    with pytest.raises(CannotRun, match=said):
        session.module("f")
