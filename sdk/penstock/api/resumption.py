"""Resumption: a pipeline as it goes on with an earlier run."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from penstock.runtime import parameters, resuming
from penstock.runtime.ledger import Ledger
from penstock.stack.project import Project
from penstock.stack.registry import Registry

if TYPE_CHECKING:
    from penstock.api.pipeline import Pipeline

P = ParamSpec("P")
R = TypeVar("R")


def applied(
    pipeline: Pipeline[P, R], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Pipeline[P, R], tuple[Any, ...], dict[str, Any]]:
    """The pipeline, told the record of the run to go on with, and its arguments: what is not given
    is what that run was given. Nothing is written.

    Raises `NotFound`, `RunError` if the run still runs, or `BadArguments`.
    """
    options, signature = pipeline.options, pipeline.signature
    stack = Registry(Project.find()).stack(options.stack, options.chosen_by)
    ledger = Ledger(stack.artifact_store, make=False)
    record = resuming.wanted(options.resume, pipeline.name, ledger)
    given = {*signature.names[: len(args)], *kwargs}
    before = parameters.again(record, signature, given, pipeline.name)
    told = type(pipeline)(pipeline.function, replace(options, resume=record))
    return told, *signature.completed(args, kwargs, before)
