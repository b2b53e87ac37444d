"""Edits of functions, constants and imports, and of functions that are values."""

from edit import Edit, added, edit, replaced

PLAIN = "shop/plain.py"
FUNCTIONS = "shop/functions.py"


def plain(file: str, old: str, new: str, *runs: str, same: bool = False) -> Edit:
    return edit("shop.plain", file, old, new, *runs, same=same)


def function(file: str, old: str, new: str, *runs: str) -> Edit:
    return edit("shop.functions", file, old, new, *runs)


EDITS = {
    "the body of a step": plain(PLAIN, "return RATE", "return -RATE", "by_name", "calls_a_step"),
    "the body of a step, for the same result": plain(
        PLAIN, "return first + 1", "return 1 + first", "renames", same=True
    ),
    "a local name": plain(
        PLAIN, "first = 1\n    return first", "one = 1\n    return one", "renames", same=True
    ),
    "a helper": plain(
        PLAIN, "value + 1\n\n\ndef unr", "value + 2\n\n\ndef unr", "same_file", "nests"
    ),
    "a helper of another module": plain(
        "shop/features.py", "value * factor()", "value * -factor()", "other_file"
    ),
    "a helper of a helper": plain("shop/deep.py", "FACTOR + bonus()", "FACTOR - 1", "other_file"),
    "a helper of a helper of a helper": plain("shop/deep.py", "return 0", "return 1", "other_file"),
    "a constant of a helper's helper": plain(
        "shop/deep.py", "FACTOR = 2", "FACTOR = 3", "other_file"
    ),
    "a helper by its module": plain(
        "shop/features.py", "value + 20", "value + 21", "by_module", "by_relative"
    ),
    "a constant by a chain of names": plain("shop/settings.py", "[1, 2]", "[1, 3]", "by_chain"),
    "a constant of another module": plain(
        "shop/settings.py", "RATE = 0.5", "RATE = 0.25", "by_name", "calls_a_step", "defaults"
    ),
    "a helper that the package passes on": plain(
        "shop/features.py", "value + 10", "value + 11", "reexported"
    ),
    "the package passes on another helper": plain(
        "shop/__init__.py", "shifted as", "lifted as", "reexported"
    ),
    "a helper that a star brought": plain("shop/stars.py", "value + 5", "value + 6", "starred"),
    "a module that is used where another is missing": plain(
        "shop/slow.py", "sum(values)", "-sum(values)", "either"
    ),
    "the missing module arrives": Edit(
        "shop.plain",
        [added("shop/fast.py", "def summed(values):\n    return 3.5 * len(values)\n")],
        frozenset({"either"}),
    ),
    "a default": plain(PLAIN, "base: int = 0", "base: int = 1", "defaults"),
    "an expression as a default": plain(
        PLAIN, "rate: float = settings.RATE", "rate: float = settings.RATE * 2", "defaults"
    ),
    "one of two that call each other": plain(
        PLAIN, "return n != 0 and", "return n == 0 or", "mutual"
    ),
    "an import under the same name": plain(
        PLAIN, "import scale as scaled", "import lifted as scaled", "other_file"
    ),
    "an import of Python's under the same name": plain(
        PLAIN, "floor as rounder", "ceil as rounder", "of_library"
    ),
    "a module under the same name": Edit(
        "shop.plain",
        [
            replaced(PLAIN, "import features as relative", "import twisted as relative"),
            added("shop/twisted.py", "def lifted(value):\n    return -value\n"),
        ],
        frozenset({"by_relative"}),
    ),
    "a global takes the place of Python's own": plain(
        PLAIN,
        "def unrelated()",
        "def pow(one, other):\n    return one + other\n\n\ndef unrelated()",
        "of_python",
    ),
    "a module that only a step imports": plain(
        "shop/later.py", "latest(value) + 1", "latest(value) + 2", "imports_late"
    ),
    "a helper of a module that only a step imports": plain(
        "shop/latest.py", "value + 1", "value + 2", "imports_late"
    ),
    "a generator": plain(PLAIN, "range(n)", "range(n + 1)", "generates"),
    "a coroutine": plain(
        PLAIN,
        "async def waited(value: int) -> int:\n    return value + 1",
        "async def waited(value: int) -> int:\n    return value + 2",
        "awaits",
    ),
    "who drives a coroutine": plain(PLAIN, "int(done.value)", "-int(done.value)", "awaits"),
    "a function in a step": plain(
        PLAIN, "for each in (value,)", "for each in (value + 1,)", "nests"
    ),
    "what is between words": plain(PLAIN, "{value:.2f} pieces", "{value:.3f} pieces", "formats"),
    "a blank in a text that shows itself": plain(PLAIN, "{value=}", "{value = }", "formats"),
    "a docstring that a step reads": plain(PLAIN, "What is told.", "What was told.", "reads_docs"),
    "2 becomes '2'": edit(
        "shop.chain", "shop/chain.py", '"a": 2,', '"a": "2",', "total", same=True
    ),
    "1 becomes 1.0": edit(
        "shop.chain", "shop/chain.py", "base=1)", "base=1.0)", "total", same=True
    ),
    "1 becomes True": edit(
        "shop.chain", "shop/chain.py", "base=1)", "base=True)", "total", same=True
    ),
    "a default of a step": edit(
        "shop.chain", "shop/chain.py", "start: int = 1", "start: int = 2", "load", "total", "halved"
    ),
    "the first of three steps": edit(
        "shop.chain", "shop/chain.py", "[start, 2, 3]", "[start, 2, 4]", "load", "total", "halved"
    ),
    "the first of three steps, for the same result": edit(
        "shop.chain", "shop/chain.py", "[start, 2, 3]", "[start, 2, 1 + 2]", "load", same=True
    ),
    "the version of a step": edit(
        "shop.chain", "shop/chain.py", "@step(retries=1)", "@step(version='2')", "total", same=True
    ),
    # Functions that are values.
    "what a closure holds": function(FUNCTIONS, "scaled_by(2)", "scaled_by(3)", "closes"),
    "the function of a closure": function(FUNCTIONS, "value * factor", "value + factor", "closes"),
    "a decorator": function(
        FUNCTIONS, "function(*args) + 1", "function(*args) + 2", "decorated", "decorated_step"
    ),
    "what a decorator wraps": function(FUNCTIONS, "value + 100", "value + 101", "decorated"),
    "a decorator that hides what it wraps": function(
        FUNCTIONS, "function(*args) - 1", "function(*args) - 2", "decorated_bare"
    ),
    "what such a decorator wraps": function(
        FUNCTIONS, "value + 200", "value + 201", "decorated_bare"
    ),
    "another decorator": function(
        FUNCTIONS, "@louder\ndef loud", "@quieter\ndef loud", "decorated"
    ),
    "no decorator": function(FUNCTIONS, "@louder\ndef loud", "def loud", "decorated"),
    "a decorator of a step": function(FUNCTIONS, "@step\n@louder\n", "@step\n", "decorated_step"),
    "an argument of a partial": function(FUNCTIONS, "exponent=2", "exponent=3", "partially"),
    "the function of a partial": function(
        FUNCTIONS, "base**exponent", "base * exponent", "partially"
    ),
    "a lambda": function(FUNCTIONS, 'text + "!"', 'text + "?"', "lambdas"),
    "one of two lambdas in a line": function(
        FUNCTIONS, "lambda value: value - 1", "lambda value: value - 2", "paired"
    ),
    "two lambdas in a line change places": function(
        FUNCTIONS,
        "(lambda value: value + 1, lambda value: value - 1)",
        "(lambda value: value - 1, lambda value: value + 1)",
        "paired",
    ),
    "a lambda in a table": function(FUNCTIONS, "value + 10,", "value + 11,", "tabled"),
    "a function in a list": function(
        "shop/handlers.py", "value * 3", "value * 4", "chained", "of_parts"
    ),
    "the order of functions in a list": function(
        FUNCTIONS, "= [first, second]", "= [second, first]", "chained"
    ),
    "a function that is remembered": function(FUNCTIONS, "value + 300", "value + 301", "caches"),
    "a context": function(FUNCTIONS, "value + 400", "value + 401", "in_context"),
    "the function for all types": function(FUNCTIONS, '"thing"', '"something"', "dispatches"),
    "a function for one type is added": Edit(
        "shop.functions",
        [
            added(
                "shop/more.py",
                "from shop.functions import described\n\n\n"
                "@described.register\ndef _(value: float) -> str:\n    return 'fraction'\n",
            ),
            replaced("main.py", "    patched()\n", "    import shop.more\n\n    patched()\n"),
        ],
        frozenset({"dispatches"}),
    ),
    "a function that compares": function(
        FUNCTIONS, "len(one) - len(other)", "len(other) - len(one)", "compares"
    ),
    "arguments of a call by name": function(FUNCTIONS, '5, "*"', '7, "*"', "calls_by_name"),
    "a place to get": function(FUNCTIONS, "itemgetter(0)", "itemgetter(1)", "gets_by_place"),
    "an attribute of a function": function(
        FUNCTIONS, "tuned.extra = 3", "tuned.extra = 4", "tunes"
    ),
    "a function made of text": function(FUNCTIONS, "value + 500", "value + 501", "of_text"),
    "the names of a function made of parts": function(
        FUNCTIONS, '{"first": second}', '{"first": first}', "of_parts"
    ),
    "the code of a function made of parts": function(
        FUNCTIONS, "value + first(0)", "value - 1 - first(0)", "of_parts"
    ),
    "a function that registers itself": function(
        "shop/registered.py", "value + 1", "value + 2", "registers"
    ),
    "another function registers itself under the name": Edit(
        "shop.functions",
        [
            added(
                "shop/registered.py",
                "\n\n@register\ndef adding(value: int) -> int:\n    return value + 9\n",
            )
        ],
        frozenset({"registers"}),
    ),
    "a function in a table of another module": function(
        "shop/handlers.py", "value * 5", "value * 7", "through_the_table"
    ),
    "a table of another module": function(
        "shop/handlers.py", '{"first": third}', '{"first": second}', "through_the_table"
    ),
}
