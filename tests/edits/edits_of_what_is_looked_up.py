"""Edits of what only a running step finds, and of how Python was started."""

import py_compile
from pathlib import Path

from edit import Edit, added, edit, moved, replaced

TARGETS = "wild/targets.py"
PROGRAM = '    """What a program may do before it runs its pipeline."""'


def loose(old: str, new: str, *runs: str, file: str = TARGETS) -> Edit:
    return edit("wild.loose", file, old, new, *runs, exactly=False)


def computed(old: str, new: str, *runs: str, file: str) -> Edit:
    return edit("wild.computed", file, old, new, *runs, exactly=False)


def compiled(folder: Path) -> None:
    """Leave of a module only what Python made of it."""
    source = folder / "shop/features.py"
    py_compile.compile(str(source), str(source.with_suffix(".pyc")), doraise=True)
    source.unlink()


EDITS = {
    "a function of a module under a local name": loose("value + 1", "value + 11", "aliases"),
    "a function of a module that is an argument": loose("value + 2", "value + 12", "hands_over"),
    "a function by a computed name": loose("value + 3", "value + 13", "looks_up"),
    "a function among the names of a module": loose("value + 4", "value + 14", "of_vars"),
    "a function among the globals": loose(
        "return 1", "return 2", "of_globals", file="wild/loose.py"
    ),
    "a function of a module among the loaded ones": loose("value + 5", "value + 15", "of_modules"),
    "a function by a computed getter": loose("value + 6", "value + 16", "of_operator"),
    "a function in a text that is evaluated": loose("value + 7", "value + 17", "evaluates"),
    "a function in a text that is executed": loose("value + 8", "value + 18", "executes"),
    "a module that answers for every name": loose(
        "len(name)", "-len(name)", "answers", file="wild/lazily.py"
    ),
    "the name that is computed with": Edit(
        "wild.loose",
        [
            replaced("wild/loose.py", 'NAME = "plan"', 'NAME = "plane"'),
            replaced(TARGETS, "_plan(", "_plane("),
            replaced("wild/loose.py", "def on_plan()", "def on_plane()"),
        ],
        frozenset({"looks_up", "of_vars", "of_globals", "of_operator"}),
        exactly=False,
        same=True,
    ),
    "a module of a computed name": computed(
        "return 1",
        "return 3",
        "imports_computed",
        "resolves",
        "discovers",
        file="wild/plugins/alpha.py",
    ),
    "a module of a computed name, by Python's own import": computed(
        "return 2", "return 4", "imports_builtin", "discovers", file="wild/plugins/beta.py"
    ),
    "a module among others is added": Edit(
        "wild.computed",
        [added("wild/plugins/gamma.py", "def size():\n    return 3\n")],
        frozenset({"discovers"}),
        exactly=False,
    ),
    "a child of a class": Edit(
        "wild.computed",
        [added("wild/roots.py", "\n\nclass Twig(Root):\n    pass\n")],
        frozenset({"collects"}),
        exactly=False,
    ),
    "a child of a class in another module": Edit(
        "wild.computed",
        [
            added("wild/more.py", "from wild.roots import Root\n\n\nclass Twig(Root):\n    pass\n"),
            replaced("main.py", "    patched()\n", "    import wild.more\n\n    patched()\n"),
        ],
        frozenset({"collects"}),
        exactly=False,
    ),
    # What the program does before it runs its pipeline.
    "the program replaces a function": Edit(
        "shop.plain",
        [
            replaced(
                "main.py",
                PROGRAM,
                "    from shop import features\n\n    features.lifted = lambda value: -value",
            )
        ],
        frozenset({"by_module", "by_relative"}),
    ),
    "the program replaces a function of Python's": Edit(
        "shop.plain",
        [replaced("main.py", PROGRAM, "    import math\n\n    math.floor = lambda value: -1")],
        frozenset({"of_library"}),
        before=[
            replaced("shop/plain.py", "return rounder(1.5)", "return int(math.floor(1.5))"),
            replaced(
                "shop/plain.py", "import shop.settings", "import math\n\nimport shop.settings"
            ),
        ],
    ),
    "the program replaces a function among Python's own": Edit(
        "shop.plain",
        [
            replaced(
                "main.py",
                PROGRAM,
                "    import builtins\n\n    builtins.pow = lambda one, other: -1",
            )
        ],
        frozenset({"of_python"}),
        exactly=False,
    ),
    "the program replaces a constant": Edit(
        "shop.plain",
        [replaced("main.py", PROGRAM, "    from shop import plain\n\n    plain.RATE = 4")],
        frozenset({"by_name", "calls_a_step"}),
    ),
    "the program replaces the code of a function": Edit(
        "shop.plain",
        [
            replaced(
                "main.py",
                PROGRAM,
                "    from shop import features\n\n"
                "    features.lifted.__code__ = features.shifted.__code__",
            )
        ],
        frozenset({"by_module", "by_relative"}),
    ),
    "the program replaces the defaults of a function": Edit(
        "shop.plain",
        [
            replaced(
                "main.py",
                PROGRAM,
                "    from shop import plain\n\n    plain.measured.__defaults__ = (8,)",
            )
        ],
        frozenset({"defaults"}),
    ),
    # How Python finds and runs the code.
    "python -O": Edit("shop.plain", [], frozenset({"debugs"}), exactly=False, command=["-O"]),
    "python -OO": Edit(
        "shop.plain", [], frozenset({"debugs", "reads_docs"}), exactly=False, command=["-OO"]
    ),
    "a module becomes a package": Edit(
        "shop.plain",
        [
            moved("shop/features.py", "shop/features/__init__.py"),
            replaced("shop/features/__init__.py", "value + 20", "value + 21"),
        ],
        frozenset({"by_module", "by_relative"}),
        exactly=False,
    ),
    "a package takes the place of a module beside it": Edit(
        "shop.plain",
        [
            added(
                "shop/features/__init__.py",
                "from shop.deep import factor\n\n"
                "def scale(value):\n    return value * factor()\n"
                "def shifted(value):\n    return value + 10\n"
                "def lifted(value):\n    return -value\n",
            )
        ],
        frozenset({"by_module", "by_relative"}),
        exactly=False,
    ),
    "a module whose source is gone": Edit(
        "shop.plain",
        [replaced("shop/features.py", "value + 20", "value + 21"), compiled],
        frozenset({"by_module", "by_relative"}),
        exactly=False,
    ),
    "a module whose source was gone before": Edit(
        "shop.plain",
        [
            added(
                "shop/features.py",
                (Path(__file__).parent / "project/shop/features.py")
                .read_text("utf-8")
                .replace("value + 20", "value + 21"),
            ),
            compiled,
        ],
        frozenset({"by_module", "by_relative"}),
        exactly=False,
        before=[compiled],
    ),
    "a folder that comes first": Edit(
        "shop.plain",
        [
            replaced(
                "main.py",
                "import json",
                "import json\nimport shop\nshop.__path__.insert(0, 'first')",
            ),
            added("first/stars.py", "def star(value):\n    return value + 6\n"),
        ],
        frozenset({"starred"}),
        exactly=False,
    ),
}
