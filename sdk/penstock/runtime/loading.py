"""Loading user code by name: a name from a store leads to a step or pipeline, or to nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib import import_module
from typing import Any

from penstock.errors import NotFound, NotHere
from penstock.model.binding import Held
from penstock.model.names import module_name
from penstock.model.options import PipelineOptions
from penstock.model.signature import UNKNOWN, Signature
from penstock.model.step import Step

_importing: ContextVar[str] = ContextVar("importing", default="")


@contextmanager
def importing(what: str) -> Iterator[None]:
    """While this lasts, a worker is importing user code, and no run may start."""
    token = _importing.set(what)
    try:
        yield
    finally:
        _importing.reset(token)


def refuse_while_importing(what: str) -> None:
    """Raise `NotHere` if a worker is importing the file that asks for `what`."""
    if imported := _importing.get():
        raise NotHere(
            f"{what} is called while a worker imports {imported}: every step would start the "
            "whole pipeline again.",
            hint="Move it under `if __name__ == '__main__':`.",
        )


def find_step(reference: str) -> Step[..., Any]:
    """The step that `module:qualname` names. Nothing but a step is ever returned.

    Raises `NotFound`.
    """
    found = _find(reference)
    if not isinstance(found, Step):
        raise NotFound(
            f"{reference!r} is {'not a step' if found is not None else 'not there'}.",
            hint="A step that runs in another process must be at the top level of its module.",
        )
    return found


def find_options(reference: str) -> PipelineOptions:
    """What the pipeline that `module:qualname` names is told. Raises `NotFound`."""
    found = _find(reference)
    options = getattr(found, "options", None)
    if isinstance(found, Step) or not isinstance(options, PipelineOptions):
        raise NotFound(
            f"{reference!r} is {'no pipeline' if found is not None else 'not there'}.",
            hint="A pipeline with hooks must be at the top level of its module.",
        )
    return options


def hint(reference: str, output: str) -> Any:
    """The annotation of a step's output, if the step can be found without importing anything."""
    found = loaded(reference)
    if not isinstance(found, Step):
        return UNKNOWN
    hints = (item.hint for item in found.signature.outputs if item.name == output)
    return next(hints, UNKNOWN)


def list_hint(reference: str) -> dict[str, Any]:
    """The annotation of what a map of a step gives, under its name, if the step is loaded."""
    found = loaded(reference)
    if not isinstance(found, Step):
        return {}
    output = found.signature.list_output
    return {output.name: output.hint}


def hint_of_held(held: Held, otherwise: Any) -> Any:
    """The annotation that the step which made a value has for it, if the value says which that is,
    else this one."""
    if not held.step or held.origin is None:
        return otherwise
    try:
        step = find_step(held.step)
    except NotFound:  # a step of a notebook, or of a function
        return otherwise
    hints = (item.hint for item in step.signature.outputs if item.name == held.origin[2])
    return next(hints, otherwise)


def result_hint(reference: str) -> Any:
    """The return annotation of a pipeline, if it is loaded."""
    function = getattr(loaded(reference), "function", None)
    return Signature(function).tuple_type if function is not None else None


def _find(reference: str) -> Any:
    module, _, name = reference.partition(":")
    if _is_main(module):
        return _attribute(sys.modules["__main__"], name)
    try:
        with importing(repr(module)):
            imported = import_module(module)
    except ModuleNotFoundError as error:
        raise NotFound(
            f"The module {module!r} of step {name!r} cannot be imported: {error}.",
            hint="Start where the project's modules can be imported.",
        ) from error
    found = _attribute(imported, name)
    if found is None and hasattr(imported, "__path__") and _is_program(module):
        # What `python -m package` runs is known by the package's name.
        with importing(repr(module)):
            found = _attribute(import_module(f"{module}.__main__"), name)
    return found


def _is_program(package: str) -> bool:
    """Whether `python -m package` runs something."""
    from importlib.util import find_spec  # slow to import, and only for packages

    return find_spec(f"{package}.__main__") is not None


def loaded(reference: str) -> Any:
    """What `module:qualname` leads to, or None; nothing is imported for it."""
    module, _, name = reference.partition(":")
    main = sys.modules["__main__"] if _is_main(module) else sys.modules.get(module)
    return _attribute(main, name)


def _is_main(module: str) -> bool:
    return module in ("__main__", module_name("__main__"))


def _attribute(module: Any, name: str) -> Any:
    """What a dotted name leads to in a module; None if to nothing."""
    found = module
    for part in name.split("."):
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
    return found
