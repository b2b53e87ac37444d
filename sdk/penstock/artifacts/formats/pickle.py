"""Pickles: the formats of last resort, and the only place in penstock that unpickles.

Protocol 5. Buffers lie beside the stream and are used where they are, large ones as objects of
their own; the stream is read into memory, checked there, and loaded from these very bytes. Classes
and functions of the script that runs are pickled under the name by which others import it, and
found back in the script.
"""

from __future__ import annotations

import io
import pickle
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from types import FunctionType, SimpleNamespace
from typing import Any, ClassVar, Final

from penstock.artifacts.formats.data import reading
from penstock.artifacts.formats.framed import framed, unframed
from penstock.artifacts.formats.path import refuse_paths_inside
from penstock.artifacts.formats.reduced import reduced
from penstock.artifacts.formats.unpicklable import complaint
from penstock.artifacts.materializer import Composite, NotThisFormat, Objects
from penstock.artifacts.store import Buffer
from penstock.errors import CorruptArtifact, NotFound, PenstockError, UnsupportedValue
from penstock.model.names import module_name

SMALL: Final = 4096
"""Bytes below which a buffer is not worth a place of its own."""

MAIN: Final = ("__main__", "__mp_main__")
"""What the running script calls itself, here and in a child of multiprocessing."""


class Pickle(Composite[Any]):
    """Whatever plain pickle takes."""

    format: ClassVar[str] = "pickle/1"
    suffix: ClassVar[str] = ".pickle"
    runs_code: ClassVar[bool] = True

    def __init__(self, kind: type[Any] | None) -> None:
        super().__init__(kind)
        self._named: list[object] = []

    def names(self) -> Iterable[object]:
        return self._named

    def dump(self, value: Any, objects: Objects) -> Sequence[Buffer]:
        if isinstance(value, (list, tuple, dict, set, frozenset)):
            with suppress(RecursionError):  # a collection that contains itself
                refuse_paths_inside(value)
        try:
            stream, beside = self._pickled(value, _ByName)
        except Exception as error:  # a class may refuse with any error
            raise NotThisFormat(str(error)) from None
        return framed(0, stream, beside, objects.put)

    def load(self, data: Buffer, objects: Objects, folder: Callable[[], Path]) -> Any:
        with reading(self.format):
            _, stream, buffers = unframed(data, objects.get)
        return unpickle(stream, buffers)

    def _pickled(
        self, value: Any, pickler: Callable[..., Any]
    ) -> tuple[list[Buffer], list[memoryview]]:
        """The stream in pieces, and the buffers beside it."""
        pieces: list[Buffer] = []
        beside: list[memoryview] = []

        def place(buffer: pickle.PickleBuffer) -> bool:
            """Whether it goes into the stream; else it is kept."""
            raw = buffer.raw()
            if raw.nbytes >= SMALL:
                beside.append(raw)
            return raw.nbytes < SMALL

        # The pickler writes large bytes as they are: a list of pieces keeps them uncopied.
        sink = SimpleNamespace(write=pieces.append)
        active = pickler(sink, protocol=5, buffer_callback=place)
        active.dump(value)
        self._named = active.named
        return pieces, beside


class CloudPickle(Pickle):
    """What plain pickle refuses: classes and functions that nobody can import, by value.

    Their code is bytecode, which only the same minor version of Python can run.
    """

    format: ClassVar[str] = "cloudpickle/1"

    def dump(self, value: Any, objects: Objects) -> Sequence[Buffer]:
        try:
            stream, beside = self._pickled(value, _by_value())
        except Exception as error:  # a class may refuse with any error
            message, hint = complaint(value, _takes, error)
            raise UnsupportedValue(message, hint=hint) from error
        return framed(sys.version_info[1], stream, beside, objects.put)

    def load(self, data: Buffer, objects: Objects, folder: Callable[[], Path]) -> Any:
        with reading(self.format):
            minor, stream, buffers = unframed(data, objects.get)
        if minor != sys.version_info[1]:
            raise UnsupportedValue(
                f"The value was pickled with its code by Python 3.{minor}, and this is Python "
                f"3.{sys.version_info[1]}, which cannot run it.",
                hint="Run the step again here, or define its classes and functions at the top "
                "level of a module.",
            )
        return unpickle(stream, buffers)


def by_name(value: Any) -> bytes:
    """A value for another process of ours, which must find its classes; `unpickle` reads it."""
    return _stream(value, _ByName)


def by_value(value: Any, *, script: bool = False) -> bytes:
    """The same, with the code of what no other process can import.

    `script` says that none can import what the running script defines.
    """
    return _stream(value, _by_value(), script=script)


def _stream(value: Any, pickler: Callable[..., Any], **options: Any) -> bytes:
    pieces: list[Buffer] = []
    pickler(SimpleNamespace(write=pieces.append), protocol=5, **options).dump(value)
    return b"".join(pieces)


def unpickle(stream: bytes, buffers: Iterable[Buffer]) -> Any:
    """The value of a stream that the caller trusts. Nothing else in penstock unpickles."""
    try:
        return _Unpickler(io.BytesIO(stream), buffers=buffers).load()
    except PenstockError:
        raise
    except Exception as error:
        raise CorruptArtifact(
            f"The pickle cannot be loaded: {type(error).__name__}: {error}",
            hint="If one of its classes has changed since, run the step again.",
        ) from error


def find(module: str, qualname: str) -> Any:
    """The class or function of this name: in the script that runs, if that is its module.

    Pickles name this function, so neither its name nor its parameters can change.
    """
    main = sys.modules["__main__"]
    if module in MAIN or module == module_name("__main__"):
        try:
            return attrgetter(qualname)(main)
        except AttributeError:
            module = "__main__" if module in MAIN else module
    try:
        return attrgetter(qualname)(import_module(module))
    except (ImportError, AttributeError) as error:
        raise NotFound(
            f"The pickle needs {qualname!r} of the module {module!r}, which is not there: {error}.",
            hint="Define it in a module that can be imported here, or run the step again.",
        ) from error


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return find(module, name)


class _ByName(pickle.Pickler):
    """Plain pickle that remembers which classes and functions the stream names."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.named: list[object] = []

    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, (type, FunctionType)):
            self.named.append(value)
            return _in_script(value)
        return reduced(value)


def _in_script(value: Any) -> Any:
    """How to name what the running script defines; for anything else, `NotImplemented`."""
    if getattr(value, "__module__", None) not in MAIN:
        return NotImplemented
    module, name = module_name("__main__"), value.__qualname__
    try:
        found = attrgetter(name)(sys.modules["__main__"])
    except AttributeError:
        return NotImplemented
    # In a notebook or at a prompt there is no other name than "__main__".
    return (find, (module, name)) if found is value and module != "__main__" else NotImplemented


@cache
def _by_value() -> type[Any]:
    import cloudpickle  # heavy: needed for few values

    class ByValue(cloudpickle.Pickler):  # type: ignore[misc] # it has no types
        def __init__(self, *args: Any, script: bool = False, **options: Any) -> None:
            super().__init__(*args, **options)
            self.named: list[object] = []
            self._script = script

        def reducer_override(self, value: Any) -> Any:
            if isinstance(value, (type, FunctionType)):
                self.named.append(value)
                known = NotImplemented if self._script else _in_script(value)
            else:
                known = reduced(value)
            return super().reducer_override(value) if known is NotImplemented else known

    return ByValue


def _takes(value: Any) -> bool:
    """Whether the value can be pickled at all; the pickle itself is thrown away."""
    sink = SimpleNamespace(write=len)
    try:
        _by_value()(sink, protocol=5, buffer_callback=lambda _: None).dump(value)
    except Exception:
        return False
    return True
