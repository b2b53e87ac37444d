"""Values in a file, read as the pipeline's annotations want them."""

from __future__ import annotations

from collections import abc
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, get_args

from penstock.api import scalars
from penstock.api.fields import Path, Said, fields_of
from penstock.api.scalars import UNREAD
from penstock.errors import MissingReference, did_you_mean, listed
from penstock.lazy import lazy
from penstock.model.fit import surely_wrong
from penstock.model.references import REFERENCE, resolve
from penstock.model.signature import REQUIRED, Signature, bare, class_in
from penstock.stack.complaints import Complaints
from penstock.stack.nodes import Node
from penstock.stack.shape import Shape, found_in

if TYPE_CHECKING:
    from penstock.api import words
    from penstock.stack import describe
else:
    describe = lazy("penstock.stack.describe")  # only when something is wrong
    words = lazy("penstock.api.words")  # only for references and keys

_LISTS: Final[Mapping[Any, type[Any]]] = {
    Any: list, object: list, list: list, tuple: tuple, set: set, frozenset: frozenset,
    abc.Sequence: list, abc.MutableSequence: list, abc.Iterable: list, abc.Collection: list,
    abc.Set: set, abc.MutableSet: set,
}  # fmt: skip
"""What a list becomes where a value of this class is wanted."""

_MAPPINGS: Final = (Any, object, dict, abc.Mapping, abc.MutableMapping)


class Reading:
    """Takes nodes as values. What does not fit becomes a complaint at its own place."""

    def __init__(self, complaints: Complaints) -> None:
        self._complaints = complaints
        self._shape = Shape(complaints)

    def parameters(self, nodes: Mapping[str, Node], signature: Signature) -> Said:
        """What a file says of a pipeline's parameters and their fields."""
        known = signature.parameters
        for name in nodes.keys() - known.keys():
            rest = did_you_mean(name, known) or f"Parameters: {listed(known)}."
            text = f"The pipeline has no parameter {name!r}. {rest}"
            self._shape.at_key(nodes[name], text)
        return {
            path: value
            for name, parameter in known.items()
            if name in nodes
            for path, value in self._said(nodes[name], (name,), parameter.hint)
        }

    def refused(self, node: Node, what: str, error: Exception) -> None:
        """Complain of what a class has against its fields; of pydantic's, at the field."""
        if not hasattr(error, "errors"):
            self._shape.at_value(node, f"{what}: {error}")
            return
        for each in error.errors():
            found, place = _at(node, each["loc"])
            said = each["msg"].removeprefix("Value error, ").rstrip(".")
            self._shape.at_value(found, f"{what}{place}: {said}.")

    def value(self, node: Node, hint: Any, what: str) -> Any:
        """The value, or `UNREAD`."""
        kind = class_in(hint)
        if node.is_broken:
            return UNREAD
        if node.value is None and not surely_wrong(NoneType, hint):
            return None
        if isinstance(node.value, str) and REFERENCE.search(node.value):
            return self._typed(node, hint, what)
        if isinstance(node.value, list) and kind in _LISTS:
            return self._items(node, hint, _LISTS[kind], what)
        if isinstance(node.value, dict) and kind in _MAPPINGS:
            return self._pairs(node, hint, what)
        if isinstance(node.value, dict) and fields_of(kind) is not None:
            return self._object(node, kind, what)
        if isinstance(node.value, list | dict):
            return self._other(node, hint, what)
        try:
            return scalars.read(node.value, hint)
        except scalars.InCodeOnly:
            return self._in_code_only(node, hint, what)
        except ValueError:
            return self._unfit(node, hint, what)

    def _said(
        self, node: Node, path: Path, hint: Any, above: tuple[type, ...] = ()
    ) -> Iterator[tuple[Path, Any]]:
        """By fields wherever flags are by fields, so that a flag can change one of them."""
        kind, what = class_in(hint), f"Parameter {'.'.join(path)!r}"
        inner = fields_of(kind) if kind not in above else None
        if kind is None or inner is None or not isinstance(node.value, dict):
            if (value := self.value(node, hint, what)) is not UNREAD:
                yield path, value
            return
        for name, item in self._shape.mapping(node, what, inner).items():
            yield from self._said(item, (*path, name), inner[name][0], (*above, kind))

    def _typed(self, node: Node, hint: Any, what: str) -> Any:
        """What a reference leads to, taken as if it were typed on a command line."""
        try:
            return words.read(hint, resolve(node.value))
        except MissingReference as error:
            hint = error.hint and f"Type: {error.hint}"
            self._complaints.add(node.at, error.message, hint, MissingReference)
        except ValueError as error:
            self._shape.at_value(node, f"{what}, {node.value}: {error}")
        return UNREAD

    def _items(self, node: Node, hint: Any, make: type[Any], what: str) -> Any:
        inside: Sequence[Any] = get_args(bare(hint)) or (Any, Ellipsis)
        if make is not tuple or Ellipsis in inside:
            inside = [inside[0]] * len(node.value)
        if len(inside) != len(node.value):
            text = f"{what} must have {len(inside)} items; this has {len(node.value)}."
            self._shape.at_value(node, text)
            return UNREAD
        items = [
            self.value(item, each, f"{what}, item {number}")
            for number, (item, each) in enumerate(zip(node.value, inside, strict=True), 1)
        ]
        if any(item is UNREAD for item in items):
            return UNREAD
        try:
            return make(items)
        except TypeError:  # a set of lists
            self._shape.at_value(node, f"{what}: a set cannot hold lists or mappings.")
            return UNREAD

    def _pairs(self, node: Node, hint: Any, what: str) -> Any:
        of_key, of_value = get_args(bare(hint)) or (Any, Any)
        found = {}
        for key, item in node.value.items():
            try:
                name = key if class_in(of_key) in (str, Any, object) else words.read(of_key, key)
            except ValueError as error:
                self._shape.at_key(item, f"{what}, key {key!r}: {error}")
                name = UNREAD
            found[name] = self.value(item, of_value, f"{what}, key {key!r}")
        unread = UNREAD in found or any(item is UNREAD for item in found.values())
        return UNREAD if unread else found

    def _object(self, node: Node, kind: Any, what: str) -> Any:
        """A dataclass or a pydantic model that no flag names, such as an item of a list."""
        inner = fields_of(kind) or {}
        values = {
            name: self.value(item, inner[name][0], f"{what}, field {name!r}")
            for name, item in self._shape.mapping(node, what, inner).items()
        }
        for name, (_, default) in inner.items():
            if default is REQUIRED and name not in node.value:
                values[name] = UNREAD
                self._shape.at_value(node, f"{what}: {kind.__qualname__} needs {name!r}.")
        unknown = node.value.keys() - inner.keys()
        if unknown or any(each is UNREAD for each in values.values()):
            return UNREAD
        try:
            return kind(**values)
        except Exception as error:  # the class's own checks, and pydantic's
            self.refused(node, what, error)
            return UNREAD

    def _other(self, node: Node, hint: Any, what: str) -> Any:
        """A list or mapping where something else is wanted, or one of several things."""
        plain = self.value(node, Any, what)
        if plain is UNREAD:
            return UNREAD
        try:
            return scalars.of_pydantic(plain, hint)
        except scalars.InCodeOnly:
            return self._in_code_only(node, hint, what)
        except ValueError as error:
            inside: Any = error
            if class_in(hint) is None or not all(each["loc"] for each in inside.errors()):
                return self._unfit(node, hint, what)
            self.refused(node, what, error)
            return UNREAD

    def _unfit(self, node: Node, hint: Any, what: str) -> Any:
        needs_quotes = bare(hint) is str and not isinstance(node.value, list | dict | None)
        way_out = " Put it in quotes." if needs_quotes else ""
        text = f"{what} must be {describe.words(hint)}; this is {found_in(node)}.{way_out}"
        # Where nothing is written, the parser only knows where the next thing stands.
        (self._shape.at_key if node.value is None else self._shape.at_value)(node, text)
        return UNREAD

    def _in_code_only(self, node: Node, hint: Any, what: str) -> Any:
        text = f"{what} can be given in code only: it is {describe.words(hint)}."
        self._shape.at_value(node, text)
        return UNREAD


def _at(node: Node, place: Sequence[int | str]) -> tuple[Node, str]:
    """The node that a place of pydantic's leads to, as far as it leads into the file."""
    said = ""
    for part in place:
        inside: Any = node.value
        if isinstance(inside, dict) and part in inside:
            said += f", field {part!r}"
        elif isinstance(inside, list) and isinstance(part, int) and part < len(inside):
            said += f", item {part + 1}"
        else:
            break
        node = inside[part]
    return node, said
