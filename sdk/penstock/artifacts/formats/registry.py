"""Which formats there are, and which one takes a value. A format is loaded when it is needed.

Asked in this order: what users registered with `@materializer`, what penstock brings, what
installed packages bring (entry points `penstock.materializers`), and pickle, which takes the rest.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import NoneType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from penstock.artifacts.materializer import Composite, Materializer
from penstock.errors import BadConfiguration, MissingExtra, NameTaken, UnsupportedValue, listed
from penstock.model.signature import class_in

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

GROUP: Final = "penstock.materializers"
"""Entry points: the name is the format's id, the value its class, which has `types`."""

BUILT_IN: Final[Mapping[str, str]] = {
    "json/1": "penstock.artifacts.formats.json:Json",
    "text/1": "penstock.artifacts.formats.text:Text",
    "bytes/1": "penstock.artifacts.formats.bytes:Bytes",
    "bytearray/1": "penstock.artifacts.formats.bytes:ByteArray",
    "memoryview/1": "penstock.artifacts.formats.bytes:MemoryView",
    "npy/1": "penstock.artifacts.formats.npy:Npy",
    "npy-scalar/1": "penstock.artifacts.formats.npy:NpyScalar",
    "arrow/1": "penstock.artifacts.formats.arrow:Arrow",
    "pandas-arrow/1": "penstock.artifacts.formats.pandas:PandasFrame",
    "pandas-series-arrow/1": "penstock.artifacts.formats.pandas:PandasSeries",
    "polars-arrow/1": "penstock.artifacts.formats.polars:PolarsFrame",
    "polars-series-arrow/1": "penstock.artifacts.formats.polars:PolarsSeries",
    "path/1": "penstock.artifacts.formats.path:PathFormat",
    "dataclass/1": "penstock.artifacts.formats.dataclass:Dataclass",
    "pydantic/1": "penstock.artifacts.formats.pydantic:Pydantic",
    "failure/1": "penstock.artifacts.formats.failure:FailureFormat",
    "pickle/1": "penstock.artifacts.formats.pickle:Pickle",
    "cloudpickle/1": "penstock.artifacts.formats.pickle:CloudPickle",
}

PICKLES: Final = ("pickle/1", "cloudpickle/1")

EXACT: Final[Mapping[type, tuple[str, ...]]] = {
    **dict.fromkeys((NoneType, bool, int, float), ("json/1",)),
    str: ("text/1", "json/1", *PICKLES),
    **dict.fromkeys((list, dict, tuple, set, frozenset), ("json/1", *PICKLES)),
    bytes: ("bytes/1",),
    bytearray: ("bytearray/1",),
    memoryview: ("memoryview/1", *PICKLES),
}
"""Formats of Python's own types. A subclass is another type, and would come back as this one."""

BY_NAME: Final[Mapping[str, str]] = {
    "numpy.ndarray": "npy/1",
    "numpy.generic": "npy-scalar/1",
    "pyarrow.lib.Table": "arrow/1",
    "pandas.DataFrame": "pandas-arrow/1",
    "pandas.core.frame.DataFrame": "pandas-arrow/1",
    "pandas.Series": "pandas-series-arrow/1",
    "pandas.core.series.Series": "pandas-series-arrow/1",
    "polars.dataframe.frame.DataFrame": "polars-arrow/1",
    "polars.series.series.Series": "polars-series-arrow/1",
    "pathlib.Path": "path/1",
    "pathlib._local.Path": "path/1",
    "pydantic.main.BaseModel": "pydantic/1",
}
"""Formats of classes, and perhaps their subclasses, that may not even be installed."""

LIBRARIES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("npy/1", "npy-scalar/1"), ("numpy",)),
    "arrow/1": ("pyarrow",),
    **dict.fromkeys(("pandas-arrow/1", "pandas-series-arrow/1"), ("pandas", "pyarrow")),
    **dict.fromkeys(("polars-arrow/1", "polars-series-arrow/1"), ("polars", "pyarrow")),
    "pydantic/1": ("pydantic",),
    "cloudpickle/1": ("cloudpickle",),
}
"""What must be installed to load a format."""

FormatClass = type[Materializer[Any]] | type[Composite[Any]]
C = TypeVar("C", bound="type[Materializer[Any]] | type[Composite[Any]]")

_ID: Final = re.compile(r"[a-z0-9][a-z0-9._-]*/[0-9]+")
_log: Final = logging.getLogger("penstock.artifacts")

_by_type: dict[type, FormatClass] = {}
_by_format: dict[str, FormatClass] = {}
_simple: dict[type, tuple[str, ...]] = dict(EXACT)
"""Those of `EXACT` that no user's format comes before: one lookup is enough for them."""


def candidates(value: object, hint: Any = None) -> Iterator[Materializer[Any] | Composite[Any]]:
    """Formats to try for a value, in order. `hint` is the annotation that a reader will have."""
    kind = type(value)
    if ids := _simple.get(kind):
        for id in ids:
            yield _built_in(id)(kind)
        return
    for format in _formats(kind):
        if not format.needs_kind or class_in(hint) is kind:
            yield format(kind)


def for_format(id: str, kind: type[Any] | None) -> Materializer[Any] | Composite[Any]:
    """The format to load with. Raises `UnsupportedValue`, or `MissingExtra` without its library."""
    for library in LIBRARIES.get(id, ()):
        try:
            import_module(library)
        except ImportError as error:
            raise MissingExtra(
                f"Values of format {id!r} are loaded with {library!r}, which is not installed.",
                hint=f"pip install {library}",
            ) from error
    format = _find(id)
    if format is None:
        raise UnsupportedValue(
            f"No format named {id!r} is known here. Known: "
            f"{listed(sorted({*BUILT_IN, *_by_format, *_installed()}))}.",
            hint="Import the module whose class with @materializer writes it, "
            "or install the package that brings it.",
        )
    return format(kind)


def runs_code(id: str) -> bool:
    """Whether loading this format can run code; of an unknown one the worst is believed."""
    format = _find(id)
    return format is None or format.runs_code


def suffix(id: str) -> str:
    """The ending of a file with the bytes of this format."""
    format = _find(id)
    return format.suffix if format is not None else ".bin"


def is_composite(id: str) -> bool:
    """Whether values of this format are several objects."""
    format = _find(id)
    return format is not None and issubclass(format, Composite)


def declared(hint: Any) -> str:
    """The id of the format that a user registered for the annotation's class, or ''."""
    kind = class_in(hint)
    mro = () if kind is None else kind.__mro__
    return next((_by_type[base].format for base in mro if base in _by_type), "")


def materializer(*types: type) -> Callable[[C], C]:
    """Register a format for values of these classes and their subclasses, before all others."""

    def register(format: C) -> C:
        _check(format, types)
        _forget(format)
        _by_format[format.format] = format
        _by_type.update(dict.fromkeys(types, format))
        for kind in EXACT:
            if issubclass(kind, types):
                _simple.pop(kind, None)
        return format

    return register


def _forget(format: FormatClass) -> None:
    """Drop the same class from an earlier run of a notebook's cell."""
    tables: tuple[dict[Any, FormatClass], ...] = (_by_type, _by_format)
    for table in tables:
        for key in [key for key, other in table.items() if _same_name(other, format)]:
            del table[key]


def _check(format: Any, types: tuple[type, ...]) -> None:
    name = getattr(format, "__qualname__", repr(format))
    if not isinstance(format, type) or not issubclass(format, (Materializer, Composite)):
        raise BadConfiguration(f"{name!r} is neither a Materializer nor a Composite.")
    if not types or not all(isinstance(kind, type) for kind in types):
        raise BadConfiguration(
            f"{name!r} is registered for {listed(map(str, types))}.",
            hint="Write the classes whose values it stores: @materializer(Image).",
        )
    id = getattr(format, "format", None)
    if not isinstance(id, str) or not _ID.fullmatch(id):
        raise BadConfiguration(
            f"The format of {name!r} is {id!r}, which is not a name and a number.",
            hint='Write format = "png/1", for example.',
        )
    if id in BUILT_IN:
        raise NameTaken(f"The format {id!r} of {name!r} is one of penstock's own.")
    _check_free(format, repr(id), _by_format.get(id))
    for kind in types:
        _check_free(format, f"values of {kind.__qualname__!r}", _by_type.get(kind))


def _check_free(format: FormatClass, what: str, held: FormatClass | None) -> None:
    if held is not None and not _same_name(held, format):
        raise NameTaken(
            f"{format.__module__}.{format.__qualname__} cannot be the format for {what}: "
            f"{held.__module__}.{held.__qualname__} is."
        )


def _same_name(one: type, other: type) -> bool:
    return (one.__module__, one.__qualname__) == (other.__module__, other.__qualname__)


def _formats(kind: type) -> Iterator[FormatClass]:
    """Every format that could take values of a class, lazily: the costly ones are last."""
    yield from (_by_type[base] for base in kind.__mro__ if base in _by_type)
    if kind in EXACT:
        yield from map(_built_in, EXACT[kind])
        return
    names = [f"{base.__module__}.{base.__qualname__}" for base in kind.__mro__]
    yield from (_built_in(BY_NAME[name]) for name in names if name in BY_NAME)
    if hasattr(kind, "__dataclass_fields__"):
        yield _built_in("dataclass/1")
    yield from _brought(names)
    yield from map(_built_in, PICKLES)


def _find(id: str) -> FormatClass | None:
    if id in BUILT_IN:
        return _built_in(id)
    if id in _by_format:
        return _by_format[id]
    return _loaded(id) if id in _installed() else None


@cache
def _built_in(id: str) -> FormatClass:
    module, _, name = BUILT_IN[id].partition(":")
    found: FormatClass = getattr(import_module(module), name)
    return found


@cache
def _installed() -> Mapping[str, EntryPoint]:
    """Formats of installed packages: names, nothing loaded yet."""
    from importlib.metadata import entry_points  # heavy: it reads every installed distribution

    return {entry.name: entry for entry in entry_points(group=GROUP)}


@cache
def _loaded(id: str) -> FormatClass:
    entry = _installed()[id]
    try:
        format: FormatClass = entry.load()
    except Exception as error:
        raise MissingExtra(
            f"The format {id!r} ({entry.value}) cannot be loaded: {error}"
        ) from error
    if getattr(format, "format", None) != id:
        raise BadConfiguration(f"The format {id!r} ({entry.value}) does not have this id.")
    return format


@cache
def _by_installed_type() -> Mapping[str, FormatClass]:
    """Formats of installed packages by the names of their types.

    One that is broken must not stand in the way of values that it has nothing to do with.
    """
    found: dict[str, FormatClass] = {}
    for id in _installed():
        try:
            format = _loaded(id)
        except (MissingExtra, BadConfiguration) as error:
            _log.warning("%s", error)
        else:
            found.update(dict.fromkeys(getattr(format, "types", ()), format))
    return found


def _brought(names: list[str]) -> Iterator[FormatClass]:
    brought = _by_installed_type()
    yield from (brought[name] for name in names if name in brought)
