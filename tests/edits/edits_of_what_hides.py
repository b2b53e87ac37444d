"""Edits of what is read without its name: in text, in frames, in objects that look like others."""

from collections.abc import Sequence

from edit import Change, Edit, added, edit, replaced

HIDDEN = "shop/hidden.py"
HIDING = "shop/hiding.py"


def hidden(old: str, new: str, *runs: str, file: str = HIDDEN, same: bool = False) -> Edit:
    return edit("shop.hidden", file, old, new, *runs, same=same)


def asked(old: str, new: str, *runs: str, file: str = "shop/asked.py") -> Edit:
    return edit("shop.asked", file, old, new, *runs)


def framed(file: str, old: str, new: str, *runs: str) -> Edit:
    return edit("wild.framed", file, old, new, *runs, exactly=False)


BORROWED: Sequence[Change] = (
    added("profile.py", "def scaled(value):\n    return value * 2\n"),
    added("colorsys.py", "def shifted(value):\n    return value + 2\n"),
    added(
        "shop/borrowed.py",
        "import profile\n\nfrom penstock import step\n\n\n"
        "@step\ndef scales() -> int:\n    return profile.scaled(1)\n\n\n"
        "@step\ndef shifts() -> int:\n    from colorsys import shifted\n\n    return shifted(1)\n",
    ),
)


def borrowed(file: str, old: str, new: str, *runs: str) -> Edit:
    return Edit("shop.borrowed", [replaced(file, old, new)], frozenset(runs), before=BORROWED)


EDITS = {
    "nothing, where modules have names of Python's": Edit("shop.borrowed", [], before=BORROWED),
    "a module with the name of one of Python's": borrowed("profile.py", "* 2", "* 3", "scales"),
    "a module with the name of one of Python's that a step imports": borrowed(
        "colorsys.py", "+ 2", "+ 3", "shifts"
    ),
    "nothing, where much is hidden": Edit("shop.hidden", []),
    "a name with two underscores": hidden('__version__ = "1"', '__version__ = "2"', "versioned"),
    "a name with two underscores that is computed elsewhere": hidden(
        '"amount": 1', '"amount": 2', "released", file="shop/found.json"
    ),
    "a function in a registry of a class": hidden(
        "value + 1", "value + 2", "registered", "settled", file=HIDING
    ),
    "an object in a class": hidden("(rate=1)", "(rate=2)", "registered", "settled"),
    "a value of a thread": hidden("LOCAL.rate = 1", "LOCAL.rate = 2", "local", same=True),
    "a default of a class that a function made": hidden("int, 3)", "int, 4)", "made"),
    "a list that looks like a function": hidden("Rows([1])", "Rows([2])", "listed"),
    "an object with slots that looks like a function": hidden(
        "Slotted(1)", "Slotted(2)", "slotted"
    ),
    "a function that was put into a class of a library": hidden(
        '+ "!"', '+ "?"', "shouts", file=HIDING
    ),
    "nothing, where there are models": Edit("shop.models", []),
    "a default of a model that is read from a file": edit(
        "shop.models", "shop/found.json", '"amount": 1', '"amount": 2', "ordered", exactly=False
    ),
    "a default of a model that a function made": edit(
        "shop.models", "shop/models.py", "int, 3)", "int, 4)", "created", exactly=False
    ),
    "a function that numpy calls": edit(
        "shop.models", "shop/models.py", "value + 1", "value + 2", "by_numpy", exactly=False
    ),
    "nothing, where text names globals": Edit("shop.asked", []),
    "a number that a query names": asked("LIMIT = 1", "LIMIT = 2", "queries", "evaluates_text"),
    "a number that a query with a name names": asked(
        "FLOOR = 2", "FLOOR = 1", "queries_by_name", "evaluates_text"
    ),
    "a number in a text that pandas evaluates": asked("SIZE = 1", "SIZE = 2", "evaluates_text"),
    "a function that a query names": asked(
        "value + 20", "value + 21", "evaluates", "evaluates_text", file="shop/features.py"
    ),
    "nothing, where globals are read in other ways": Edit("wild.framed", []),
    "a global by way of a frame": framed("wild/framed.py", "RATE = 1", "RATE = 2", "of_a_frame"),
    "a global by way of a function": framed(
        "wild/framing.py", "HELD = 1", "HELD = 2", "of_a_function"
    ),
    "a function that is located by its name": framed(
        "wild/plugins/alpha.py", "return 1", "return 3", "locates"
    ),
    "a function that is configured by its name": framed(
        "wild/plugins/beta.py", "return 2", "return 3", "configures"
    ),
}
