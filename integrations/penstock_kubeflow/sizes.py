"""Sizes: what is too long for Linux to start a program with, or for Kubernetes to keep."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import CannotRun
from penstock_kubeflow import platform

if TYPE_CHECKING:
    from penstock_kubeflow.settings import Settings

ARGUMENT: Final = 128 * 1024
"""Bytes of one argument or one variable, with the 0 at its end (`MAX_ARG_STRLEN`, execve(2))."""
ANNOTATIONS: Final = 256 * 1024
"""Bytes of all annotations of a pod, keys and values (Kubernetes' validation)."""

_FOR_LINUX: Final = f"Linux takes no longer one than {ARGUMENT:,} bytes"
_DRIVER: Final = f"Kubeflow hands all of it to its driver as one argument, and {_FOR_LINUX}"
_CURE: Final = "Large data belongs into an artifact or into files: config_files, claims"

_text: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


def refused(made: Settings) -> Iterator[str]:
    """What is too long, a sentence each; what follows from the first is not told as well."""
    yield from [*_variables(made)] or [*_together(made)]


def check(container: Mapping[str, Any], beside: Mapping[str, Any]) -> None:
    """Raise `CannotRun` if the driver cannot be told of a pod: the command line counts as well."""
    parts = {"container, with command line and variables,": container, "Kubernetes part": beside}
    for what, data in parts.items():
        if (size := _bytes(_text(data))) >= ARGUMENT:
            raise CannotRun(
                f"The {what} of a pod takes {size:,} bytes. {_DRIVER}.",
                hint=f"{_CURE}. Options of the stack are in the command line: keep them short.",
            )


def _variables(made: Settings) -> Iterator[str]:
    for name, value in made.env.items():
        if (size := _bytes(f"{name}={value}") + 1) > ARGUMENT:
            yield f"setting 'env': {name!r} takes {size:,} bytes. {_FOR_LINUX}. {_CURE}."


def _together(made: Settings) -> Iterator[str]:
    noted = sum(map(_bytes, [*made.annotations, *made.annotations.values()]))
    if noted > ANNOTATIONS:
        yield (
            f"setting 'annotations': they take {noted:,} bytes in all, and Kubernetes keeps no "
            f"more than {ANNOTATIONS:,} of a pod."
        )
        return
    said = [{"name": name, "value": value} for name, value in made.env.items()]
    container = _bytes(_text([said, list(made.requirements or ())]))
    if container >= ARGUMENT:
        yield f"settings 'env' and 'requirements' take {container:,} bytes. {_DRIVER}. {_CURE}."
    if (rest := _bytes(_text(platform.config(made, None)))) >= ARGUMENT:
        largest = f", {noted:,} of them in 'annotations'" if noted else ""
        yield f"the settings of Kubernetes take {rest:,} bytes{largest}. {_DRIVER}."


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
