"""FILE:NAME on a command line: a pipeline in a file, or in a module."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from types import ModuleType
from typing import Any

import click

from penstock.api.ending import remark
from penstock.api.pipeline import Pipeline
from penstock.errors import NotFound, PenstockError, RunError, did_you_mean, listed
from penstock.model.step import Step
from penstock.runtime import user_module
from penstock.runtime.run import Run


def find(target: str, typed: str) -> Pipeline[..., object]:
    """The pipeline that FILE:NAME, FILE or package.module:NAME means, after what was `typed`.

    Raises `NotFound`, `RunError` if the file fails, `click.UsageError` if FILE has several.
    """
    place, _, name = target.rpartition(":") if ":" in target else (target, "", "")
    module = _imported(place)
    found = {key: each for key, each in vars(module).items() if isinstance(each, Pipeline)}
    if not name:
        return _only(place, module, found, typed)
    if name in found:
        return found[name]
    other = vars(module).get(name)
    what = f"{name!r} in {place} is " + ("a step" if isinstance(other, Step) else "something else")
    said = f"{place} has no pipeline {name!r}" if other is None else f"{what}, and no pipeline"
    raise NotFound(f"{said}. Pipelines: {listed(found)}.", hint=did_you_mean(name, found))


def of_run(run: Run[Any], otherwise: str) -> Pipeline[..., object]:
    """The pipeline that a run was of. Raises as `module_of` does."""
    found = vars(module_of(run, otherwise)).get(run.record.reference.partition(":")[2])
    if isinstance(found, Pipeline):
        return found
    said = "is no pipeline any more" if found is not None else "is not there any more"
    raise NotFound(f"Run {run.id} is of {run.record.reference}, which {said}.", hint=otherwise)


def module_of(run: Run[Any], otherwise: str) -> ModuleType:
    """The module of a run's pipeline, looked for where commands look for modules.

    Raises `NotFound` with what to type `otherwise`, `RunError` if its file fails.
    """
    module, _, name = run.record.reference.partition(":")
    if module == "__main__" or "<locals>" in name:
        raise NotFound(
            f"Run {run.id} is of {run.record.reference}, which no command can find: it was defined "
            "in a notebook, at a prompt or inside a function.",
            hint=f"Go on there: .with_options(resume={run.id!r}).run(), or replay(…) of the run.",
        )
    try:
        return _called(user_module.of_name, module)
    except NotFound as error:
        raise NotFound(
            f"Run {run.id} is of {run.record.reference}, and there is no module {module!r} here.",
            hint=otherwise,
        ) from error


def _only(
    place: str, module: ModuleType, found: dict[str, Pipeline[..., object]], typed: str
) -> Pipeline[..., object]:
    """The one that the file defines, or else imports."""
    own = [key for key, each in found.items() if each.function.__module__ == module.__name__]
    names = own or list(found)
    if len(names) == 1:
        return found[names[0]]
    if not names:
        raise NotFound(f"{place} has no pipeline.", hint="Write @pipeline on top of a function.")
    lines = "".join(f"\n  {typed} {place}:{name}" for name in names)
    raise click.UsageError(f"{place} has {len(names)} pipelines. Type one of:{lines}")


def _imported(place: str) -> ModuleType:
    is_file = place.endswith(".py") or os.sep in place or os.path.exists(place)
    return _called(user_module.of_file if is_file else user_module.of_name, place)


def _called(imported: Callable[[str], ModuleType], place: str) -> ModuleType:
    try:
        return imported(place)
    except PenstockError:
        raise
    except (Exception, SystemExit) as error:
        user_module.trim(error)
        remark("".join(traceback.format_exception(error)).rstrip("\n"))
        said = f"{type(error).__qualname__}: {error}"
        raise RunError(
            f"{place} cannot be imported: it stopped with {said}",
            hint=user_module.way_to(error, place),
        ) from error
