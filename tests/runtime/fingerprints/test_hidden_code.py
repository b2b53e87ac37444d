"""What code does that is not where one looks for it: each edit changes what the step gives."""

from typing import Any

import pytest

STEP = "\n@step\ndef work():\n    return "

EDITS = {
    "a class that a library made": (
        "import dataclasses\nMade = dataclasses.make_dataclass('Made', [('x', int, "
        "dataclasses.field(default=1))])" + STEP + "Made().x",
        "default=1", "default=2"),
    "a function in a class that a library made": (
        "import dataclasses\nMade = dataclasses.make_dataclass('Made', [('x', int, "
        "dataclasses.field(default_factory=lambda: 1))])" + STEP + "Made().x",
        "lambda: 1", "lambda: 2"),
    "a class that says that it is a library's": (
        "class Own:\n    x = 1\nOwn.__module__ = 'json'" + STEP + "Own.x", "x = 1", "x = 2"),
    "a class that takes the name of a library's": (
        "class Own:\n    __module__, __qualname__ = 'json.decoder', 'JSONDecoder'\n    x = 1"
        + STEP + "Own.x",
        "x = 1", "x = 2"),
    "an object of a class that says that it is a library's": (
        "class Own:\n    def go(self):\n        return 1\nOwn.__module__ = 'json'\nOWN = Own()"
        + STEP + "OWN.go()",
        "return 1", "return 2"),
    "a function with globals of its own": (
        "import types\ndef read():\n    return X\nG = types.FunctionType(read.__code__, "
        "{'X': 1, '__name__': 'json'})" + STEP + "G()",
        "'X': 1", "'X': 2"),
    "a type variable": (
        "import typing\nT = typing.TypeVar('T', bound=int)" + STEP + "T.__bound__.__name__",
        "bound=int", "bound=str"),
    "a new type": (
        "import typing\nT = typing.NewType('T', int)" + STEP + "T.__supertype__.__name__",
        ", int", ", str"),
    "what a thread has for itself": (
        "import threading\nOWN = threading.local()\nOWN.x = 3" + STEP + "OWN.x", "x = 3", "x = 4"),
    "what happens when an object is gone": (
        "import weakref\nclass Own:\n    pass\nOWN = Own()\ndef gone():\n    return 1\n"
        "F = weakref.finalize(OWN, gone)" + STEP + "F.peek()[1]()",
        "return 1", "return 2"),
    "a universal function of numpy": (
        "import numpy as np\nF = np.frompyfunc(lambda x: x + 1, 1, 1)" + STEP + "F(1)",
        "x + 1", "x + 2"),
    "a generator of numpy": (
        "import numpy as np\nR = np.random.default_rng(1)" + STEP + "R.random()", "(1)", "(2)"),
    "a table of pandas": (
        "import pandas as pd\nT = pd.DataFrame({'a': [1]})" + STEP + "T.a[0]", "[1]", "[2]"),
    "a module with a class of its own": (
        "import types\nclass Lazy(types.ModuleType):\n    def __getattr__(self, name):\n"
        "        return 1\nlazy = Lazy('lazy')" + STEP + "lazy.any",
        "return 1", "return 2"),
    "an object among the modules": (
        ("import sys\nclass Own:\n    def go(self):\n        return 1\nsys.modules['owned'] = Own()"
        "\n@step\ndef work():\n    import owned\n    return owned.go()"),
        "return 1", "return 2"),
    "a docstring that a wrapper reads": (
        "def reading(function):\n    def inside():\n        return function.__doc__\n"
        "    return inside\n@reading\ndef told():\n    'one'" + STEP + "told()",
        "'one'", "'two'"),
    "a docstring that another function reads": (
        "import inspect\ndef told():\n    'one'" + STEP + "inspect.getdoc(told)", "'one'", "'two'"),
    "a docstring that a class reads of itself": (
        "class Told:\n    'one'\n    def go(self):\n        return self.__doc__" + STEP
        + "Told().go()",
        "'one'", "'two'"),
    "source that is read": (
        "import inspect\ndef told():\n    return 1  # one" + STEP + "inspect.getsource(told)",
        "# one", "# two"),
    "a class attribute of a mixin from elsewhere": (
        "import functools\nclass M:\n    def go(self):\n        return super().go()\nclass B:\n"
        "    def go(self):\n        return 1\nclass C(M, B):\n    pass" + STEP + "C().go()",
        "return 1", "return 2"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_code_that_is_hidden_counts(same: Any, name: str) -> None:
    text, old, new = EDITS[name]
    assert not same({"steps.py": f"from penstock import step\n{text}\n"}, "steps.py", old, new)


@pytest.mark.parametrize("name", EDITS)
def test_code_that_is_hidden_is_the_same_when_it_is_loaded_again(same: Any, name: str) -> None:
    text, old, _ = EDITS[name]
    assert same({"steps.py": f"from penstock import step\n{text}\n"}, "steps.py", old, old)


def test_a_docstring_that_only_a_module_imported_by_a_step_has_counts(same: Any) -> None:
    files = {
        "steps.py": "from penstock import step\n@step\ndef work():\n    import tools\n"
        "    return tools.told.__doc__\n",
        "tools.py": "def told():\n    'one'\n",
    }
    assert not same(files, "tools.py", "'one'", "'two'")
