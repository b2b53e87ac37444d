"""A better way into a pickle for values whose own way copies their memory, or loses some of it.

By the name of the class, so that no library is imported for it. Pickles name the functions that
make such values again; neither their names nor their parameters can change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, Final

WAYS: Final[Mapping[str, str]] = {
    "_io.TextIOWrapper": "penstock.artifacts.formats.reduced_plain:text_file",
    "array.array": "penstock.artifacts.formats.reduced_plain:array",
    "builtins.memoryview": "penstock.artifacts.formats.reduced_plain:view",
    "numpy.ndarray": "penstock.artifacts.formats.reduced_numpy:array",
    "penstock.model.file.File": "penstock.artifacts.formats.file:refuse_inside",
    "torch.Tensor": "penstock.artifacts.formats.reduced_torch:tensor",
    "torch.storage.UntypedStorage": "penstock.artifacts.formats.reduced_torch:untyped",
    "torch.storage.TypedStorage": "penstock.artifacts.formats.reduced_torch:typed",
}
"""For values of these classes and of their subclasses."""


def reduced(value: Any) -> Any:
    """The function that makes the value again, and its arguments, as `__reduce__` gives them.

    `NotImplemented` where the value's own way is as good.
    """
    way = _way(type(value))  # type: ignore[arg-type] # a class has a hash
    return NotImplemented if way is None else way(value)


@lru_cache(maxsize=512)
def _way(kind: type) -> Callable[[Any], Any] | None:
    for base in kind.__mro__:
        if target := WAYS.get(f"{base.__module__}.{base.__qualname__}"):
            module, _, name = target.partition(":")
            way: Callable[[Any], Any] = getattr(import_module(module), name)
            return way
    return None
