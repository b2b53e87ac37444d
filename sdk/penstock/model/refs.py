"""References: what a step call returns while a pipeline is being drawn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from penstock.errors import ReferenceUsed


class StoredValue:
    """Something that a store holds already and that may be an argument in place of the value."""


_set = object.__setattr__


class Reference:
    """An output of a step that has not run yet. It refuses every use as a value."""

    __slots__ = ("_call", "_draft", "_hint", "_output", "_pipeline", "_where")
    _call: str
    _draft: object
    _hint: Any
    _output: str
    _pipeline: str
    _where: str

    def __init__(
        self, draft: object, pipeline: str, call: str, output: str, hint: Any, where: str
    ) -> None:
        _set(self, "_draft", draft)
        _set(self, "_pipeline", pipeline)
        _set(self, "_call", call)
        _set(self, "_output", output)
        _set(self, "_hint", hint)
        _set(self, "_where", where)

    def __repr__(self) -> str:
        return f"<output {self._output!r} of step {self._call}>"

    def __setattr__(self, name: str, value: object) -> NoReturn:
        _refuse(self, f"its attribute {name!r} cannot be set")

    def __getattr__(self, name: str) -> NoReturn:
        # Debuggers, IPython and numpy probe attributes; the error is an AttributeError, too.
        _refuse(self, f"its attribute {name!r} cannot be read")


def _refuse(ref: Reference, what: str) -> NoReturn:
    call = object.__getattribute__(ref, "_call")
    raise ReferenceUsed(
        f"The output of step {call} is not there yet while the pipeline "
        f"{ref._pipeline!r} is drawn: {what} (the step is called at {ref._where}).",
        hint="Move that line into a @step.",
    )


def _refusing(what: str) -> Callable[..., NoReturn]:
    def refuse(self: Reference, *args: object, **kwargs: object) -> NoReturn:
        _refuse(self, what)

    return refuse


REFUSED = {
    "it cannot be tested in a condition": ["bool"],
    "it cannot be compared": ["eq", "ne", "lt", "le", "gt", "ge"],
    "it cannot be calculated with": [
        *["neg", "pos", "abs", "invert", "round", "trunc", "floor", "ceil"],
        *[
            f"{side}{operator}"
            for operator in (
                *["add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow"],
                *["matmul", "and", "or", "xor", "lshift", "rshift"],
            )
            for side in ("", "r", "i")
            if (side, operator) != ("i", "divmod")
        ],
    ],
    "it cannot be made a number": ["int", "float", "complex", "index"],
    "it cannot be iterated over or unpacked": ["iter", "next", "reversed", "aiter", "anext"],
    "it has no length yet": ["len", "length_hint"],
    "it cannot be searched with 'in'": ["contains"],
    "it cannot be indexed": ["getitem", "setitem", "delitem"],
    "it cannot be called": ["call"],
    "it cannot be made text": ["str", "format", "bytes", "fspath"],
    "it cannot be made an array": ["array", "array_ufunc", "array_function", "buffer"],
    "it cannot be used with 'with'": ["enter", "exit", "aenter", "aexit"],
    "it cannot be awaited": ["await"],
    "it cannot be copied or pickled": ["copy", "deepcopy", "reduce_ex", "getstate"],
    "it cannot be a key or in a set": ["hash"],
    "its attributes cannot be deleted": ["delattr"],
}
"""Why → the special methods that are refused for that reason."""

for _reason, _methods in REFUSED.items():
    for _method in _methods:
        setattr(Reference, f"__{_method}__", _refusing(_reason))
