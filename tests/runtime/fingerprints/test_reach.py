"""What the fingerprint of a step reaches, and what it does not."""

from typing import Any

import pytest

FILES = {
    "steps.py": """
        import functools
        import tools
        from package import inner as deeper
        from penstock import step
        from tools import Base, held, scaled

        TABLE = {"one": tools.first, "two": lambda value: value * 7}
        DOUBLE = functools.partial(tools.powered, 2)
        THING = tools.Thing(5)

        class Child(Base):
            rate = 3

        def here(value: int = 11) -> int:
            return value + RATE

        RATE = 13

        @step
        def work() -> int:
            from later import late
            total = here() + scaled(1) + tools.chained() + deeper.deep() + late()
            total += Child().run() + THING.size + DOUBLE(3) + TABLE["two"](1) + held(2)
            return total + getattr(tools, "by_" + "name")()
    """,
    "tools.py": '''
        """Tools."""
        import threading

        LOCK = threading.Lock()
        FACTOR = 17

        def scaled(value):
            """A docstring."""
            return value * FACTOR

        def chained():
            with LOCK:
                return 19

        def by_name():
            return 23

        def first():
            return 29

        def powered(base, value):
            return base**value + 31

        def wrapped(function):
            def inside(value):
                return function(value) + 37
            return inside

        @wrapped
        def held(value):
            return value + 41

        class Base:
            def run(self):
                return self.rate + 43

        class Thing:
            def __init__(self, size):
                self.size = size + 47
    ''',
    "package/__init__.py": "",
    "package/inner.py": "def deep():\n    return 53\n\ndef unused():\n    return 59\n",
    "later.py": "from latest import value\n\ndef late():\n    return value()\n",
    "latest.py": "def value():\n    return 61\n",
    "other.py": "def nobody():\n    return 67\n",
}


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("steps.py", "value + RATE", "value - RATE"),
        ("steps.py", "RATE = 13", "RATE = 13.0"),
        ("steps.py", "int = 11", "int = 12"),
        ("steps.py", "rate = 3", "rate = 4"),
        ("steps.py", "value * 7", "value * 8"),
        ("steps.py", "powered, 2", "powered, 3"),
        ("steps.py", "Thing(5)", "Thing(6)"),
        ("steps.py", '"one": tools.first, "two": lambda value: value * 7',
         '"two": lambda value: value * 7, "one": tools.first'),
        ("tools.py", "FACTOR = 17", "FACTOR = 18"),
        ("tools.py", "return 19", "return 20"),
        ("tools.py", "return 23", "return 24"),
        ("tools.py", "return 29", "return 30"),
        ("tools.py", "base**value + 31", "base**value + 32"),
        ("tools.py", "function(value) + 37", "function(value) + 38"),
        ("tools.py", "value + 41", "value + 42"),
        ("tools.py", "rate + 43", "rate + 44"),
        ("tools.py", "size + 47", "size + 48"),
        ("package/inner.py", "return 53", "return 54"),
        ("latest.py", "return 61", "return 62"),
    ],
)  # fmt: skip
def test_an_edit_of_what_is_reached_counts(same: Any, name: str, old: str, new: str) -> None:
    assert not same(FILES, name, old, new)


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("tools.py", "A docstring.", "Another one."),
        ("tools.py", '"""Tools."""', "# Tools."),
        ("tools.py", "return value * FACTOR", "return (\n        value\n        * FACTOR)  # so"),
        ("latest.py", "def value", "\n\n# below\ndef value"),
        ("package/inner.py", "return 59", "return 60"),
        ("other.py", "return 67", "return 68"),
    ],
)
def test_an_edit_of_anything_else_does_not(same: Any, name: str, old: str, new: str) -> None:
    assert same(FILES, name, old, new)


def test_two_names_that_change_places_are_another_function(same: Any) -> None:
    files = {
        "steps.py": "from penstock import step\nfrom tools import a, b\n\n"
        "@step\ndef work() -> int:\n    return a() - b()\n",
        "tools.py": "def a():\n    return 1\n\ndef b():\n    return 2\n",
    }
    assert not same(files, "steps.py", "import a, b", "import a as b, b as a")


def test_a_function_that_somebody_else_put_there_counts(projects: Any) -> None:
    from penstock.runtime.fingerprints.fingerprints import Fingerprints

    steps = projects.loaded(FILES)
    before = Fingerprints().of_step(steps.work).digest
    steps.tools.chained = lambda: 20
    assert Fingerprints().of_step(steps.work).digest != before


def test_values_are_looked_at_once_for_a_run(projects: Any) -> None:
    from penstock.runtime.fingerprints.fingerprints import Fingerprints

    steps = projects.loaded(FILES)
    run = Fingerprints()
    before = run.of_step(steps.work).digest
    steps.RATE = 14
    assert run.of_step(steps.work.with_options(retries=1)).digest == before
    assert Fingerprints().of_step(steps.work).digest != before


def test_what_falls_back_says_why(projects: Any) -> None:
    units = {unit.name: unit for unit in projects.of(FILES).units if unit.kind == "module"}
    assert units["tools"].note.startswith("getattr(tools, …) in work (steps.py:")
    assert units["latest"].note == "import latest in later (later.py:1)"


def test_data_shows_its_value_and_functions_their_lines(projects: Any) -> None:
    units = {unit.name: unit for unit in projects.of(FILES).units}
    assert (units["steps.RATE"].kind, units["steps.RATE"].note) == ("data", "13")
    scaled = units["tools:scaled"]
    assert (scaled.kind, scaled.first, scaled.last) == ("function", 8, 10)
    assert scaled.file.endswith("tools.py")


@pytest.mark.parametrize(
    "body",
    [
        "return eval('tools.by_name()')",
        "return globals()['tools'].by_name()",
        "return vars(tools)['by_name']()",
        "import importlib\n    return importlib.import_module('too' + 'ls').by_name()",
        "import sys\n    return sys.modules['tools'].by_name()",
        "return tools.__dict__['by_name']()",
        "return __import__('tools').by_name()",
    ],
)
def test_what_cannot_be_followed_counts_as_a_whole(same: Any, body: str) -> None:
    text = "import sys\nimport importlib\nimport tools\nfrom penstock import step\n\n"
    files = {
        "steps.py": f"{text}@step\ndef work() -> int:\n    {body}\n",
        "tools.py": FILES["tools.py"],
    }
    assert not same(files, "tools.py", "return 23", "return 24")
    assert same(files, "tools.py", "A docstring.", "Another.")


def test_the_fingerprint_does_not_depend_on_what_is_loaded(projects: Any) -> None:
    import importlib

    from penstock.runtime.fingerprints.fingerprints import Fingerprints

    steps = projects.loaded(FILES)
    before = Fingerprints().of_step(steps.work).digest
    importlib.import_module("later")
    assert Fingerprints().of_step(steps.work).digest == before


def test_a_module_that_is_not_what_its_file_says_counts_as_it_is_loaded(projects: Any) -> None:
    import importlib

    from penstock.runtime.fingerprints.fingerprints import Fingerprints

    steps = projects.loaded(FILES)
    before = Fingerprints().of_step(steps.work).digest
    importlib.import_module("latest").value = lambda: 62  # type: ignore[attr-defined]
    assert Fingerprints().of_step(steps.work).digest != before


def test_functions_that_call_each_other_have_a_fingerprint(same: Any) -> None:
    files = {
        "steps.py": "from penstock import step\n\ndef even(n):\n    return not n or odd(n - 1)\n\n"
        "def odd(n):\n    return n and even(n - 1)\n\n@step\ndef work() -> bool:\n"
        "    return even(4)\n"
    }
    assert same(files, "steps.py", "even(4)", "even(4)  # so")
    assert not same(files, "steps.py", "return n and", "return n or")


def test_a_step_that_is_called_by_a_step_is_looked_through(same: Any) -> None:
    files = {
        "steps.py": "from penstock import step\nfrom tools import inner\n\n@step\n"
        "def work() -> int:\n    return inner()\n",
        "tools.py": "from penstock import step\n\n@step(retries=1)\ndef inner() -> int:\n"
        "    return 1\n",
    }
    assert not same(files, "tools.py", "return 1", "return 2")
    assert same(files, "tools.py", "retries=1", "retries=2")


def test_two_steps_that_call_each_other_are_not_the_same(projects: Any) -> None:
    from penstock.runtime.fingerprints.fingerprints import Fingerprints

    text = "from penstock import step\n\n@step\ndef work(n: int) -> int:\n"
    text += "    return n and twin(n - 1)\n\n@step\ndef twin(n: int) -> int:\n"
    text += "    return not n or work(n - 1)\n"
    steps = projects.loaded({"steps.py": text})
    run = Fingerprints()
    assert run.of_step(steps.work).digest != run.of_step(steps.twin).digest


MODEL = {
    "steps.py": "from penstock import step\n\n@step\ndef work() -> int:\n    return 1\n",
    "kept_models.py": "from sizes import SIZE\n\nclass Model:\n    def size(self):\n"
    "        return SIZE\n\ndef unused():\n    return 1\n",
    "sizes.py": "SIZE = 3\n",
}


def stored(projects: Any, files: Any) -> Any:
    import importlib

    from penstock.model.records import Artifact
    from penstock.runtime.fingerprints.fingerprints import Fingerprints

    projects.loaded(files)
    code = Fingerprints().of_names([importlib.import_module("kept_models").Model])
    return Artifact("pickle/1", "0" * 64, 1, code.digest, b"", code.names)


@pytest.mark.parametrize("is_loaded", [True, False])
def test_a_value_whose_class_calls_something_else_now_is_another(
    projects: Any, is_loaded: bool
) -> None:
    import importlib

    from penstock.runtime.fingerprints.fingerprints import Fingerprints

    artifact = stored(projects, MODEL)

    def now(files: Any) -> str:
        projects.loaded(files)
        if is_loaded:
            importlib.import_module("kept_models")
        return Fingerprints().of_artifact(artifact)

    same = now(MODEL)
    assert now({**MODEL, "sizes.py": "SIZE = 4\n"}) != same
    assert now({**MODEL, "sizes.py": "SIZE = 3  # so\n"}) == same


def test_a_value_is_the_same_whether_its_class_is_loaded_or_not(projects: Any) -> None:
    import importlib

    from penstock.runtime.fingerprints.fingerprints import Fingerprints

    artifact = stored(projects, MODEL)
    projects.loaded(MODEL)
    before = Fingerprints().of_artifact(artifact)
    importlib.import_module("kept_models")
    assert Fingerprints().of_artifact(artifact) == before
