"""Names that code reads: chains of attributes, imports, and what nobody can follow."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from types import CodeType
from typing import Any, Final, NamedTuple

from penstock.runtime.fingerprints import syntax
from penstock.runtime.fingerprints.source import all_codes
from penstock.runtime.fingerprints.unit import DOCSTRINGS, SOURCE

Chain = tuple[str, ...]
"""A name and the attributes that are read of it: `a.b.c`."""

_READ_DOCSTRINGS: Final = frozenset({"__doc__", "getdoc"})
_READ_SOURCE: Final = frozenset(
    {"getsource", "getsourcelines", "getcomments", "findsource", "getblock", "linecache"}
)
"""Names of what reads docstrings and source, of `inspect` and others."""

FRAMES: Final = frozenset(
    {"__globals__", "__code__", "f_globals", "f_locals", "f_back", "_getframe", "currentframe"}
)
"""Names by which code comes to the globals of a function or frame, or to another function."""

_IN_TEXT: Final = re.compile(r"@([^\W\d]\w*(?:\.[^\W\d]\w*)*)")

CLOSED: Final = "__subclasses__"
"""The attribute by which a class leads to classes that it does not know."""


class Import(NamedTuple):
    """An import that happens when the code runs."""

    module: str
    level: int
    """Dots in front of it."""
    names: tuple[str, ...] = ()
    """What is imported from it."""


@dataclass(slots=True)
class Names:
    """What a piece of code reads by name."""

    chains: dict[Chain, tuple[int, bool]] = field(default_factory=dict)
    """The line where it is read, and whether `getattr` is asked for a computed attribute of it."""
    imports: dict[Import, int] = field(default_factory=dict)
    loose: dict[str, int] = field(default_factory=dict)
    """Names of which nobody knows what they are an attribute of: it can be any module."""
    subclasses: int = 0
    """The line in which subclasses are asked for."""
    reads: int = 0
    """What of other code is read, nobody knows of which: nothing, docstrings or source."""
    frames: int = 0
    """The line in which the globals of a function or frame are asked for."""
    texts: dict[Chain, int] = field(default_factory=dict)
    """What is named in text behind an @, as in the queries of pandas."""

    def add(self, node: ast.AST, known: Container[str] | None = None) -> None:
        """Note what is in a syntax tree; of single names only `known` ones, if that is given."""
        _Reader(self, known).visit(node)

    def settled(self) -> Names:
        """The same in an order that does not depend on the text."""
        return Names(
            dict(sorted(self.chains.items())),
            dict(sorted(self.imports.items())),
            dict(sorted(self.loose.items())),
            self.subclasses,
            self.reads,
            self.frames,
            dict(sorted(self.texts.items())),
        )

    def add_annotation(self, node: ast.expr | None) -> None:
        """Note what an annotation names, also one that is text."""
        _Reader(self, None).annotation(node)

    def add_texts(self, code: CodeType) -> None:
        """Note what the text in some code names."""
        for item in all_codes(code):
            for chain in in_text(item.co_consts):
                self.texts.setdefault(chain, item.co_firstlineno)

    def add_code(self, code: CodeType) -> None:
        """Note what loaded code may read, which is more than it does read."""
        for item in all_codes(code):
            self.loose.update(dict.fromkeys(item.co_names, item.co_firstlineno))
            for found in _imports(item):
                self.imports.setdefault(found, item.co_firstlineno)
        self.subclasses = self.loose.get(CLOSED, 0)
        self.frames = max((self.loose.get(name, 0) for name in FRAMES), default=0)
        self.add_texts(code)
        self.reads = max(map(_reading, self.loose), default=0)


def in_text(constants: Iterable[object]) -> Iterator[Chain]:
    """The chains that are named in texts."""
    for item in constants:
        if isinstance(item, tuple | frozenset):
            yield from in_text(item)
        elif isinstance(item, str) and "@" in item:
            yield from (tuple(found.split(".")) for found in _IN_TEXT.findall(item))


def _reading(name: str) -> int:
    return SOURCE if name in _READ_SOURCE else DOCSTRINGS if name in _READ_DOCSTRINGS else 0


def _imports(code: CodeType) -> Iterator[Import]:
    """The imports in loaded code: a level and a list of names are pushed before each."""
    import dis  # rarely needed

    pushed: list[Any] = []
    for instruction in dis.get_instructions(code):
        if instruction.opname == "IMPORT_NAME":
            level, names = pushed[-2:]
            yield Import(str(instruction.argval), level, tuple(names or ()))
        elif instruction.opname == "LOAD_CONST":
            pushed.append(instruction.argval)


_EMPTY: Final = frozenset(
    {ast.Load, ast.Store, ast.Del, ast.Constant, ast.Pass, ast.Break, ast.Continue}
    | {kind for base in (ast.operator, ast.cmpop, ast.boolop, ast.unaryop)
       for kind in base.__subclasses__()}
)  # fmt: skip
"""Nodes in which nothing is named."""


_ways: dict[type[ast.AST], Any] = {}
"""How nodes are visited, by their types."""


class _Reader(ast.NodeVisitor):
    def __init__(self, names: Names, known: Container[str] | None) -> None:
        self._names = names
        self._known = known

    def visit(self, node: ast.AST) -> None:
        kind = type(node)
        way: Any = _ways.get(kind)
        if way is None:
            way = getattr(type(self), f"visit_{kind.__name__}", type(self).generic_visit)
            _ways[kind] = way
        way(self, node)

    def generic_visit(self, node: ast.AST) -> None:
        inside = vars(node)
        for name in node._fields:
            value = inside.get(name)
            if type(value) is list:
                for item in value:
                    if type(item) not in _EMPTY and isinstance(item, ast.AST):
                        self.visit(item)
            elif type(value) not in _EMPTY and isinstance(value, ast.AST):
                self.visit(value)

    def visit_Name(self, node: ast.Name) -> None:
        self._add((node.id,), node.lineno)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == CLOSED:
            self._names.subclasses = node.lineno
        if (chain := _chain(node)) is None:
            self._reads(node.attr)
            self.visit(node.value)
        else:
            self._add(chain, node.lineno)

    def visit_Call(self, node: ast.Call) -> None:
        called = _chain(node.func)
        last = called[-1] if called else ""
        first = node.args[0] if node.args else None
        known = isinstance(first, ast.Constant) and _is_absolute(first.value)
        alone = len(node.args) == 1 and not node.keywords
        if last in ("import_module", "__import__") and known and alone:
            self._names.imports.setdefault(Import(first.value, 0), node.lineno)  # type: ignore[union-attr]
            return
        if called in (("getattr",), ("hasattr",)) and len(node.args) >= 2:
            self._attribute(node, node.args[1])
            return
        self.generic_visit(node)

    def _attribute(self, node: ast.Call, name: ast.expr) -> None:
        of = _chain(node.args[0])
        self._add(("getattr",), node.lineno)
        if of is None:
            self.visit(node.args[0])
        elif isinstance(name, ast.Constant) and isinstance(name.value, str):
            self._add((*of, name.value), node.lineno)
        else:
            self._add(of, node.lineno, computed=True)
        for item in node.args[1:]:
            self.visit(item)

    def visit_Import(self, node: ast.Import) -> None:
        for item in node.names:
            self._names.imports.setdefault(Import(item.name, 0), node.lineno)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        names = tuple(item.name for item in node.names)
        self._names.imports.setdefault(Import(node.module or "", node.level, names), node.lineno)

    def visit_arg(self, node: ast.arg) -> None:
        self.annotation(node.annotation)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.annotation(node.annotation)
        self.visit(node.target)
        if node.value is not None:
            self.visit(node.value)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for child in (*node.decorator_list, node.args, *node.body):
            self.visit(child)
        self.annotation(node.returns)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815 # ast names it

    def annotation(self, node: ast.expr | None) -> None:
        """The names in an annotation, also in those that are text."""
        for item in ast.walk(node) if node is not None else ():
            if isinstance(item, ast.Constant) and isinstance(item.value, str):
                try:
                    text = syntax.expression(item.value)
                except (SyntaxError, ValueError, RecursionError):
                    continue
                ast.fix_missing_locations(text)
                Names.add(self._names, text)
        if node is not None:
            # No code object has the names of an annotation.
            Names.add(self._names, node)

    def _add(self, chain: Chain, line: int, *, computed: bool = False) -> None:
        reads = max(map(_reading, chain))
        if not FRAMES.isdisjoint(chain):
            self._names.frames = line
        if self._known is None or chain[0] in self._known:
            if reads and chain[-1] == "__doc__":  # of something that is known
                reads = 0
            before = self._names.chains.get(chain)
            if before is None or computed:
                self._names.chains[chain] = (line, computed)
        self._names.reads = max(self._names.reads, reads)

    def _reads(self, name: str) -> None:
        self._names.reads = max(self._names.reads, _reading(name))


def _chain(node: ast.expr) -> Chain | None:
    path = []
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    return (node.id, *reversed(path)) if isinstance(node, ast.Name) else None


def _is_absolute(name: object) -> bool:
    return isinstance(name, str) and bool(name) and not name.startswith(".")
