"""Edits of data that steps name, of files beside the code, and of objects that are passed on."""

from edit import Edit, added, edit, replaced

TABLES = "shop/tables.py"
OBJECTS = "shop/objects.py"


def data(old: str, new: str, *runs: str) -> Edit:
    return edit("shop.tables", TABLES, old, new, *runs)


def objects(old: str, new: str, *runs: str, exactly: bool = True) -> Edit:
    return edit("shop.objects", OBJECTS, old, new, *runs, exactly=exactly)


PREDICTING = ("evaluate", "evaluate_all")

EDITS = {
    "a number deep in a table": data('{"b": [1, 2]}', '{"b": [3, 2]}', "digs"),
    "a tuple becomes a list": edit(
        "shop.tables", TABLES, '"c": (1, 2)', '"c": [1, 2]', "digs", same=True
    ),
    "a word of a set": data('"three"}', '"four"}', "spells"),
    "the sign of a zero": data("ZERO = 0.0", "ZERO = -0.0", "zeroes"),
    "a global True becomes 1": data("FLAG = True", "FLAG = 1", "flags"),
    "a global 1 becomes 1.0": data("NUMBER = 1", "NUMBER = 1.0", "flags"),
    "a pattern": data('"[a-z]+"', '"[A-Z]+"', "finds"),
    "a flag of a pattern": data('"[a-z]+"', '"[a-z]+", re.IGNORECASE', "finds"),
    "a decimal": data('"1.10"', '"1.1"', "pays"),
    "a date": data("2026, 1, 2", "2026, 1, 3", "dates"),
    "a path": data('/ "one"', '/ "other"', "points"),
    "bytes": data('b"raw"', 'b"row"', "decodes"),
    "a range": data("range(1, 5)", "range(1, 6)", "spans"),
    "a mapping that cannot be written": data(
        'MappingProxyType({"a": 1})', 'MappingProxyType({"a": 2})', "proxies"
    ),
    "a namespace": data("depth=1", "depth=2", "spaces"),
    "the default of a context variable": edit(
        "shop.tables", TABLES, "default=2", "default=3", "varies", exactly=False
    ),
    "a variable that a global was made of": Edit(
        "shop.tables", [], frozenset({"of_the_environment"}), variables={"SHOP_RATE": "2"}
    ),
    "a variable that chooses a function": Edit(
        "shop.tables", [], frozenset({"chooses"}), variables={"SHOP_FAST": "1"}
    ),
    "one of two functions of which a variable chooses": data(
        "return value + 2", "return value + 3", "chooses"
    ),
    "the other one": edit("shop.tables", TABLES, "return value + 1", "return value + 7"),
    "a file that a global was read from": edit(
        "shop.tables", "shop/found.json", '"amount": 1', '"amount": 2', "of_a_file"
    ),
    "a file that a global refers to": edit(
        "shop.tables", "given.txt", "one", "two", "by_reference"
    ),
    "a global is changed by the program": Edit(
        "shop.tables",
        [
            replaced(
                "main.py",
                '    """What a program may do before it runs its pipeline."""',
                "    from shop import tables\n\n    tables.NESTED['a']['b'][0] = 9",
            ),
        ],
        frozenset({"digs"}),
    ),
    "a variable of cache_env": Edit(
        "shop.plain", [], frozenset({"zoned"}), variables={"SHOP_ZONE": "north"}
    ),
    # Objects that are passed on. Who made them does not run again: their bytes are what they were.
    "a method of an object's class": objects(
        "row * self.weight", "row * self.weight + 1", *PREDICTING, exactly=False
    ),
    "an attribute of an object's class": objects(
        "weight = 2", "weight = 3", *PREDICTING, exactly=False
    ),
    "a helper of a method of an object's class": objects(
        "value + BIAS", "value - BIAS", *PREDICTING, exactly=False
    ),
    "a constant of a helper of a method of an object's class": objects(
        "BIAS = 1", "BIAS = 2", *PREDICTING, exactly=False
    ),
    "a method is overridden in an object's class": objects(
        "self.size = size\n\n\n@dataclass",
        "self.size = size\n\n    def predict(self, rows):\n        return rows\n\n\n@dataclass",
        *PREDICTING,
        exactly=False,
    ),
    "a method of a record's class": objects(
        "self.price + fee()", "self.price - fee()", "billed", exactly=False
    ),
    "a helper of a method of a record's class": objects(
        "return 2", "return 3", "billed", exactly=False
    ),
    "who puts an object together": objects(
        "Packed(size + 1)", "Packed(size + 2)", "rebuilt", exactly=False
    ),
    "who reads the user's own format": objects(
        "Tiles(int(bytes(data)))", "Tiles(-int(bytes(data)))", "count_tiles", exactly=False
    ),
    "who writes the user's own format": objects(
        "str(value.count).encode()", "str(value.count * 2).encode()", "count_tiles", exactly=False
    ),
    "the program changes the class of an object": Edit(
        "shop.objects",
        [
            replaced(
                "main.py",
                '    """What a program may do before it runs its pipeline."""',
                "    from shop.objects import Linear\n\n    Linear.predict = lambda *given: [0]",
            ),
        ],
        frozenset(PREDICTING),
        exactly=False,
    ),
    "a file is added beside the code and read by a global": Edit(
        "shop.tables",
        [
            replaced(TABLES, 'with_name("found.json")', 'with_name("other.json")'),
            added("shop/other.json", '{"amount": 5}'),
        ],
        frozenset({"of_a_file"}),
    ),
}
