"""Edits after which nothing runs again."""

from edit import Edit, added, edit, replaced

PLAIN = "shop/plain.py"
FEATURES = "shop/features.py"


def plain(old: str, new: str, file: str = PLAIN) -> Edit:
    return edit("shop.plain", file, old, new)


SWAPPED = """\
def odd(n: int) -> bool:
    return n != 0 and even(n - 1)


def even(n: int) -> bool:
    return n == 0 or odd(n - 1)
"""
IN_ORDER = """\
def even(n: int) -> bool:
    return n == 0 or odd(n - 1)


def odd(n: int) -> bool:
    return n != 0 and even(n - 1)
"""

EDITS = {
    "nothing, in another process": Edit("shop.plain", []),
    "nothing, where functions are values": Edit("shop.functions", []),
    "nothing, where classes are used": Edit("shop.classes", []),
    "nothing, where kinds of data are used": Edit("shop.kinds", []),
    "nothing, where data is named": Edit("shop.tables", []),
    "nothing, where objects hold functions": Edit("shop.containers", []),
    "nothing, where objects are passed on": Edit("shop.objects", []),
    "nothing, where modules are looked up": Edit("wild.loose", []),
    "nothing, where names are computed": Edit("wild.computed", []),
    "a comment in a step": plain("# one and one", "# two, that is"),
    "a comment in a helper": plain("# twice, for now", "# for ever", FEATURES),
    "a comment above a function": plain("def scale", "# Scales.\ndef scale", FEATURES),
    "the docstring of a step": plain('"""Uses a helper of this file."""', '"""Adds."""'),
    "no docstring of a step": plain('    """Uses a helper of this file."""\n', ""),
    "the docstring of a helper": plain(
        '"""A helper with a helper."""', '"""Once more."""', FEATURES
    ),
    "the docstring of a module": plain('"""Helpers for several', '"""Help for all', FEATURES),
    "the docstring of a class": edit(
        "shop.classes", "shop/bases.py", '"""A descriptor."""', '"""Describes."""'
    ),
    "formatting of a step": plain("return nearby(1)", "return nearby(\n        1,\n    )"),
    "formatting of a helper": plain(
        "return value * factor()", "return (\n        value\n        * factor()\n    )", FEATURES
    ),
    "other quotes": plain('"""Adds one."""\n    return value + 1', "return (value + 1)"),
    "lines above": plain("import shop.settings", "\n\n\n\nimport shop.settings"),
    "functions in another order": plain(IN_ORDER, SWAPPED),
    "an unrelated function of the step's file": plain(
        "return 1\n\n\ndef even", "return 2\n\n\ndef even"
    ),
    "an unrelated function of a helper's file": plain("value + 30", "value + 31", FEATURES),
    "an unrelated function is added": Edit(
        "shop.plain", [added(FEATURES, "\n\ndef new(): pass\n")]
    ),
    "an unrelated function is removed": plain(
        "def unused(value: float) -> float:\n    return value + 30\n", "", FEATURES
    ),
    "an unrelated constant": plain("UNUSED = 1", "UNUSED = 2", "shop/settings.py"),
    "an unrelated import": plain("import shop.settings", "import string\n\nimport shop.settings"),
    "an unrelated file is added": Edit("shop.plain", [added("shop/added.py", "VALUE = 1\n")]),
    "an unrelated file": plain("value * 2", "value * 4", "shop/contents.py"),
    "an unrelated class of a step's file": edit(
        "shop.kinds", "shop/kinds.py", "class Row(", "class Other:\n    pass\n\n\nclass Row("
    ),
    "the pipeline": plain(
        "    return {step: result", "    names = list(names)\n    return {step: result", "main.py"
    ),
    "the program": plain("    patched()\n", '    patched()\n    print("", end="")\n', "main.py"),
    "options of a step that change no result": edit(
        "shop.chain", "shop/chain.py", "@step(retries=1)", "@step(retries=2, timeout=60)"
    ),
    "the order of a parameter's keys": edit(
        "shop.chain", "shop/chain.py", '{"a": 2, "b": 3}', '{"b": 3, "a": 2}'
    ),
    "a variable that no step names": Edit("shop.plain", [], variables={"SHOP_OTHER": "1"}),
    "the hash seed": Edit("shop.tables", [], variables={"PYTHONHASHSEED": "17"}),
    "a constant is moved to another module and imported from there": Edit(
        "shop.plain",
        [
            replaced("shop/settings.py", "RATE = 0.5\n", "from shop.moved import RATE as RATE\n"),
            added("shop/moved.py", "RATE = 0.5\n"),
        ],
    ),
}
