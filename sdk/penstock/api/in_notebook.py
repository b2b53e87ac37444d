"""How a notebook shows a pipeline: its graph, or what must be given before there is one."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from penstock.api.pipeline import Pipeline
from penstock.model.signature import REQUIRED, Parameter
from penstock.pictures import markup, notebook
from penstock.pictures.markup import Markup, text


def of_pipeline(pipeline: Pipeline[Any, Any]) -> str | None:
    """HTML, or nothing if the pipeline's own function raises while it is drawn."""
    return notebook.shown(lambda: _parts(pipeline))


def _parts(pipeline: Pipeline[Any, Any]) -> Iterable[Markup]:
    parameters = pipeline.signature.parameters.values()
    yield markup.title(f"pipeline {pipeline.name}")
    yield markup.verbatim(f"{pipeline.function.__name__}{inspect.signature(pipeline.function)}")
    if any(each.default is REQUIRED for each in parameters):
        yield markup.table(["parameter", "type", "default"], map(_row, parameters))
        yield markup.sentence(f"{pipeline.name}.graph(…) draws it.")
    else:
        graph = pipeline.graph()
        yield from notebook.picture(pipeline.name, *graph.pictured())


def _row(parameter: Parameter) -> list[Markup]:
    required = parameter.default is REQUIRED
    hint = inspect.formatannotation(parameter.hint)
    return [text(parameter.name), text(hint), text("" if required else repr(parameter.default))]
