"""Given: what a step is given, told apart by all that the step could see of it.

The bytes of a pickle are not equal whenever the values are: sets, and functions that no other
process can import, have other ones in each process.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any, Final

from penstock.digest import digest
from penstock.model import plain
from penstock.model.records import Artifact
from penstock.runtime.fingerprints import insides
from penstock.runtime.fingerprints.libraries import is_project
from penstock.runtime.fingerprints.places import NOWHERE
from penstock.runtime.fingerprints.values import LONG, Definitions, Token, Walk

Canonical = Callable[[Any, Artifact], str]
"""What a cache key says of a value in place of the digest of its artifact, or nothing."""

_ATOMS: Final = frozenset({type(None), bool, int, str, bytes})

_NAMED: Final = (type, FunctionType, BuiltinFunctionType, ModuleType)

_OWN_PICKLING: Final = frozenset({"__reduce__", "__reduce_ex__", "__getstate__"})


class Given(Walk):
    """A walk through a value that is given. The order of a dict does not count in it.

    A step may change what it is given: one list in two places is not the same as two equal ones.
    """

    def __init__(self, definitions: Definitions) -> None:
        super().__init__(definitions, "", NOWHERE)
        self._met: dict[int, tuple[Any, int]] = {}
        """Also keeps what is made on the way, so that nothing else gets its id."""

    def token(self, value: Any) -> Token:
        kind = type(value)
        if kind in _ATOMS:
            text = plain.canonical(value)
            return text if len(text) < LONG else digest("plain/1", text)
        if kind is float:
            return f"float {struct.pack('>d', value).hex()}"
        if isinstance(value, _NAMED) or _is_a_value(kind):
            return self._found(value, kind)
        if (met := self._met.get(id(value))) is not None:
            return f"={met[1]}"
        self._met[id(value)] = (value, len(self._met))
        return self._found(value, kind)

    def _found(self, value: Any, kind: type) -> Token:
        if kind is dict:
            # By the keys: what stands for an item may depend on what was met before.
            pairs = [(self.token(key), item) for key, item in value.items()]
            pairs.sort(key=lambda pair: pair[0])
            tokens = [part for key, item in pairs for part in (key, self.token(item))]
            return digest("dict/2", *tokens)
        return super()._found(value, kind)

    def _instance(self, value: Any, kind: type) -> Token:
        found = super()._instance(value, kind)
        if kept := insides.kept(value):  # it may be of what the object was before
            found = digest("kept/1", found, self.state(kept))
        if any(_OWN_PICKLING & vars(base).keys() for base in kind.__mro__ if _is_own(base)):
            return digest("pickled/1", found, self._reduced(value, kind))
        return found


def _is_a_value(kind: type) -> bool:
    """Whether nobody sees if there is one or two of it: it has a hash of its own, as numbers,
    dates, paths and members of enums have."""
    own: Any = kind.__hash__  # None where there is none, whatever its declaration says
    return own is not None and own is not object.__hash__


def _is_own(kind: type) -> bool:
    return is_project(kind.__module__)
