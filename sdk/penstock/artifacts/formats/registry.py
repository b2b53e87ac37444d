"""Which formats there are, and which one takes a value. A format is loaded when it is needed.

Asked in this order: what users registered with `@materializer`; for the value's class, then for
each of its bases, what penstock or an installed package brings (see `installed`); and pickle, which
takes the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from inspect import isabstract
from types import NoneType
from typing import Any, Final, TypeVar

from penstock.artifacts.formats import installed
from penstock.artifacts.formats.installed import ID, FormatClass
from penstock.artifacts.materializer import Composite, Materializer
from penstock.errors import BadConfiguration, MissingExtra, NameTaken, UnsupportedValue, listed
from penstock.model.signature import class_in

BUILT_IN: Final[Mapping[str, str]] = {
    "json/1": "penstock.artifacts.formats.json:Json",
    "text/1": "penstock.artifacts.formats.text:Text",
    "bytes/1": "penstock.artifacts.formats.bytes:Bytes",
    "bytearray/1": "penstock.artifacts.formats.bytes:ByteArray",
    "memoryview/1": "penstock.artifacts.formats.bytes:MemoryView",
    "memoryview-shaped/1": "penstock.artifacts.formats.bytes:ShapedView",
    "npy/1": "penstock.artifacts.formats.npy:Npy",
    "npy-strided/1": "penstock.artifacts.formats.npy:NpyStrided",
    "npy-scalar/1": "penstock.artifacts.formats.npy:NpyScalar",
    "torch/1": "penstock.artifacts.formats.torch:Torch",
    "arrow/1": "penstock.artifacts.formats.arrow:Arrow",
    "pandas-arrow/1": "penstock.artifacts.formats.frames.first:FirstFrame",
    "pandas-arrow/2": "penstock.artifacts.formats.pandas:PandasFrame",
    "pandas-series-arrow/1": "penstock.artifacts.formats.frames.first:FirstSeries",
    "pandas-series-arrow/2": "penstock.artifacts.formats.pandas:PandasSeries",
    "polars-arrow/1": "penstock.artifacts.formats.polars:PolarsFrame",
    "polars-series-arrow/1": "penstock.artifacts.formats.polars:PolarsSeries",
    "path/1": "penstock.artifacts.formats.path:PathFormat",
    "file/1": "penstock.artifacts.formats.file:FileFormat",
    "files/1": "penstock.artifacts.formats.files:Files",
    "dataclass/1": "penstock.artifacts.formats.dataclass:Dataclass",
    "pydantic/1": "penstock.artifacts.formats.pydantic:Pydantic",
    "failure/1": "penstock.artifacts.formats.failure:FailureFormat",
    "items/1": "penstock.artifacts.formats.items:Items",
    "items-signed/1": "penstock.artifacts.formats.items:SignedItems",
    "pickle/1": "penstock.artifacts.formats.pickle:Pickle",
    "cloudpickle/1": "penstock.artifacts.formats.pickle:CloudPickle",
}

PICKLES: Final = ("pickle/1", "cloudpickle/1")

EXACT: Final[Mapping[type, tuple[str, ...]]] = {
    **dict.fromkeys((NoneType, bool, int, float), ("json/1",)),
    str: ("text/1", "json/1", *PICKLES),
    **dict.fromkeys((list, dict, tuple), ("json/1", "files/1", *PICKLES)),
    **dict.fromkeys((set, frozenset), ("json/1", *PICKLES)),
    bytes: ("bytes/1",),
    bytearray: ("bytearray/1",),
    memoryview: ("memoryview/1", "memoryview-shaped/1"),
}
"""Formats of Python's own types. A subclass is another type, and would come back as this one."""

BY_NAME: Final[Mapping[str, str | tuple[str, ...]]] = {
    "numpy.ndarray": ("npy/1", "npy-strided/1"),
    "numpy.generic": "npy-scalar/1",
    "torch.Tensor": "torch/1",
    "pyarrow.lib.Table": "arrow/1",
    "pandas.DataFrame": "pandas-arrow/2",
    "pandas.core.frame.DataFrame": "pandas-arrow/2",
    "pandas.Series": "pandas-series-arrow/2",
    "pandas.core.series.Series": "pandas-series-arrow/2",
    "polars.dataframe.frame.DataFrame": "polars-arrow/1",
    "polars.series.series.Series": "polars-series-arrow/1",
    "pathlib.Path": "path/1",
    "pathlib._local.Path": "path/1",
    "penstock.model.file.File": "file/1",
    "pydantic.main.BaseModel": "pydantic/1",
}
"""Formats of classes, and perhaps their subclasses, that may not even be installed."""

LIBRARIES: Final[Mapping[str, tuple[str, ...]]] = {
    **dict.fromkeys(("npy/1", "npy-strided/1", "npy-scalar/1"), ("numpy",)),
    "torch/1": ("torch",),
    "arrow/1": ("pyarrow",),
    **dict.fromkeys(("pandas-arrow/1", "pandas-series-arrow/1"), ("pandas", "pyarrow")),
    **dict.fromkeys(("pandas-arrow/2", "pandas-series-arrow/2"), ("pandas", "pyarrow")),
    **dict.fromkeys(("polars-arrow/1", "polars-series-arrow/1"), ("polars", "pyarrow")),
    "pydantic/1": ("pydantic",),
    "cloudpickle/1": ("cloudpickle",),
}
"""What must be installed to load a format."""

C = TypeVar("C", bound="type[Materializer[Any]] | type[Composite[Any]]")

_OURS: Final = {
    *(name.partition(".")[0] for name in BY_NAME if name != "pydantic.main.BaseModel"),
    *("__main__", "builtins"),
}
"""Modules for whose classes no other package is asked: asking takes some time."""

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
            f"{listed(sorted({*BUILT_IN, *_by_format, *installed.ids()}))}.",
            hint="Import the module whose class with @materializer writes it, or install the "
            f"package that brings it{_named_for(id)}.",
        )
    return format(kind)


def runs_code(id: str) -> bool:
    """Whether loading this format can run code; of an unknown one the worst is believed."""
    format = _find(id)
    return format is None or format.runs_code


def surely_runs_code(hint: Any) -> bool:
    """Whether no value of the class that an annotation names can be stored in a way that does not,
    as far as is known before there is one."""
    kind = class_in(hint)
    if kind in (None, object, Any) or isabstract(kind) or getattr(kind, "_is_protocol", False):
        return False
    if any(issubclass(each, kind) for each in _by_type):  # perhaps it will be one of these
        return False
    return all(format.runs_code for format in _formats(kind))


def is_known(id: str) -> bool:
    """Whether values of this format can be loaded here, if its library is installed."""
    return _find(id) is not None


def suffix(id: str) -> str:
    """The ending of a file with the bytes of this format."""
    format = _find(id)
    return format.suffix if format is not None else ".bin"


def is_outside(id: str) -> bool:
    """Whether values of this format lie outside of the store, and only references in it."""
    format = _find(id)
    return format is not None and format.outside


def is_composite(id: str) -> bool:
    """Whether values of this format are several objects."""
    format = _find(id)
    return format is not None and issubclass(format, Composite)


def declared(hint: Any) -> str:
    """The id of the format that a user registered for the annotation's class, or ''."""
    kind = class_in(hint)
    format = None if kind is None else registered(kind)
    return format.format if format else ""


def registered(kind: type) -> FormatClass | None:
    """The format that a user registered for a class or one of its bases."""
    if not _by_type:
        return None
    return next((_by_type[base] for base in kind.__mro__ if base in _by_type), None)


def registrations() -> Mapping[type, FormatClass]:
    """What users registered so far."""
    return _by_type


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
    if not isinstance(id, str) or not ID.fullmatch(id):
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
    for base in kind.__mro__[:-1]:  # not for `object`
        yield from _of_class(base)
    if hasattr(kind, "__dataclass_fields__"):
        yield _built_in("dataclass/1")
    yield from map(_built_in, PICKLES)


def _of_class(kind: type) -> Iterator[FormatClass]:
    """The formats that penstock, or else an installed package, brings for this very class."""
    name = f"{kind.__module__}.{kind.__qualname__}"
    if ids := BY_NAME.get(name):
        yield from map(_built_in, (ids,) if isinstance(ids, str) else ids)
    elif name.partition(".")[0] not in _OURS and (format := installed.find(name)):
        yield format


def _find(id: str) -> FormatClass | None:
    if id in BUILT_IN:
        return _built_in(id)
    return _by_format.get(id) or installed.find(id)


@cache
def _built_in(id: str) -> FormatClass:
    module, _, name = BUILT_IN[id].partition(":")
    found: FormatClass = getattr(import_module(module), name)
    return found


def _named_for(id: str) -> str:
    """Who brings a format, if its id begins with a package's name, as it should."""
    package, dot, _ = id.partition("/")[0].rpartition(".")
    return f" (by its name: {package!r})" if dot else ""
