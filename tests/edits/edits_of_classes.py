"""Edits of classes and of what makes them do what they do."""

from edit import Edit, added, edit, replaced

BASES = "shop/bases.py"
CLASSES = "shop/classes.py"
KINDS = "shop/kinds.py"
CONTENTS = "shop/contents.py"


def classes(file: str, old: str, new: str, *runs: str) -> Edit:
    return edit("shop.classes", file, old, new, *runs)


def kinds(old: str, new: str, *runs: str, same: bool = False) -> Edit:
    return edit("shop.kinds", KINDS, old, new, *runs, same=same)


def held(file: str, old: str, new: str, *runs: str) -> Edit:
    return edit("shop.containers", file, old, new, *runs)


OF_BASE = ("inherits", "calls_a_bound_method")

EDITS = {
    "an attribute of a class": classes(BASES, "rate = 2", "rate = 3", *OF_BASE, "mixes"),
    "a method of a base class": classes(BASES, "value * 3", "value * 4", *OF_BASE, "mixes"),
    "a method that is overridden": classes(
        CLASSES,
        "class Priced(Base):\n    pass",
        "class Priced(Base):\n    def tripled(self, value):\n        return value",
        *OF_BASE,
    ),
    "a method of a mixin": classes(BASES, '"hello"', '"hi"', "mixes"),
    "another base class": classes(
        CLASSES,
        "class Priced(Base)",
        "class Steep(Base):\n    rate = 5\n\n\nclass Priced(Steep)",
        *OF_BASE,
    ),
    "a metaclass": classes(BASES, "made.mark = 1", "made.mark = 2", "marks"),
    "no metaclass": classes(CLASSES, "class Marked(metaclass=Meta)", "class Marked", "marks"),
    "what a base class does to its children": classes(
        BASES, 'cls.__name__ + "."', 'cls.__name__ + "!"', "announces"
    ),
    "a property": classes(
        CLASSES, "self.size / 2", "self.size / 4", "halves", "thirds", "units", "doubles"
    ),
    "a property that is kept": classes(
        CLASSES, "self.size / 3", "self.size / 6", "halves", "thirds", "units", "doubles"
    ),
    "a helper of a property that is kept": classes(
        BASES, "MARGIN = 1", "MARGIN = 2", "halves", "thirds", "units", "doubles"
    ),
    "a method of the class": classes(
        CLASSES,
        "return cls()",
        "made = cls()\n        made.size = 5\n        return made",
        "halves",
        "thirds",
        "units",
        "doubles",
    ),
    "a static method": classes(CLASSES, '"cm"', '"mm"', "halves", "thirds", "units", "doubles"),
    "a descriptor": classes(BASES, "2 * int(", "3 * int(", "halves", "thirds", "units", "doubles"),
    "an operator": classes(
        CLASSES, "self.amount + other.amount", "self.amount - other.amount", "adds_up"
    ),
    "a decorator of a class": classes(BASES, '"a " + kind', '"the " + kind', "labels"),
    "no decorator of a class": classes(
        CLASSES, "@titled\nclass Box:", 'class Box:\n    label = "Box"\n', "labels"
    ),
    "a class in a class": classes(CLASSES, 'colour = "red"', 'colour = "blue"', "labels"),
    "the class of an object that is called": classes(
        CLASSES, "value + self.amount", "value - self.amount", "calls_an_object"
    ),
    "what an object that is called holds": classes(
        CLASSES, "adds = Adder(4)", "adds = Adder(5)", "calls_an_object"
    ),
    "a method found by a computed name": classes(CLASSES, '"started"', '"begun"', "says"),
    "an attribute that is set after the class": classes(
        CLASSES, "Late.level = 7", "Late.level = 8", "levels"
    ),
    "a method of a class that was made by a call": classes(
        CLASSES, '"round"', '"square"', "shapes"
    ),
    "a class is changed by the program": Edit(
        "shop.classes",
        [
            replaced(
                "main.py",
                '    """What a program may do before it runs its pipeline."""',
                "    from shop.bases import Base\n\n    Base.tripled = lambda self, value: value",
            ),
        ],
        frozenset({*OF_BASE, "mixes"}),
    ),
    "an object is changed by the program": Edit(
        "shop.classes",
        [
            replaced(
                "main.py",
                '    """What a program may do before it runs its pipeline."""',
                "    from shop.classes import adds\n\n    adds.amount = 9",
            ),
        ],
        frozenset({"calls_an_object"}),
    ),
    # Kinds of data.
    "a member of an enumeration": kinds('RED = "red"', 'RED = "dark red"', "colours"),
    "a member of an enumeration made by a call": kinds(
        '"LOW HIGH"', '"LOW MIDDLE HIGH"', "levelled"
    ),
    "a default of a dataclass": kinds("rate: float = 0.5", "rate: float = 0.75", "sets"),
    "who makes a default of a dataclass": kinds("return [1]", "return [2]", "sets"),
    "a default of a named tuple": kinds("y: int = 2", "y: int = 3", "places"),
    "a default of a named tuple made by a call": kinds("defaults=[4]", "defaults=[5]", "sizes"),
    "a pattern's arguments": kinds('("x", "y")', '("y", "x")', "matches"),
    "the base of an error": kinds("class Failing(Trouble)", "class Failing(Exception)", "catches"),
    "a virtual child": kinds("Shape.register(Square)", "", "virtual"),
    # Objects and functions inside of others.
    "the class of an object in an object in a table": held(
        CONTENTS, "return self.size", "return -self.size", "climbs", "makes"
    ),
    "the class of an object in a table": held(CONTENTS, "return sum(", "return -sum(", "climbs"),
    "what an object in a table holds": held("shop/containers.py", "Leaf(2)", "Leaf(5)", "climbs"),
    "another class in a table": held(
        "shop/containers.py", '{"leaf": Leaf}', '{"leaf": lambda size: Leaf(-size)}', "makes"
    ),
    "a function that an object holds": held(
        CONTENTS, "value * 2", "value * 4", "saves", "reserves"
    ),
    "a number that an object holds": held(
        "shop/containers.py", "Account(5, bank)", "Account(6, bank)", "saves", "reserves"
    ),
    "an object of another module": held(
        CONTENTS, "reserve = Account(50", "reserve = Account(70", "reserves"
    ),
    "a function that the program puts into an object": Edit(
        "shop.containers",
        [
            replaced(
                "main.py",
                '    """What a program may do before it runs its pipeline."""',
                "    from shop.containers import HELD\n\n    HELD.pay = abs",
            ),
        ],
        frozenset({"saves", "reserves"}),
    ),
    "a class is added to a table by another module": Edit(
        "shop.containers",
        [
            added(
                "shop/more.py",
                "from shop import containers\n\n\nclass Twig(containers.Leaf):\n"
                "    def height(self):\n        return 0\n\n\ncontainers.KINDS['leaf'] = Twig\n",
            ),
            replaced("main.py", "    patched()\n", "    import shop.more\n\n    patched()\n"),
        ],
        frozenset({"makes"}),
    ),
}
