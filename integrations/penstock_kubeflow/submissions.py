"""Submissions: what Kubeflow has been handed for a run. It is known by its name there.

An id of our own would be no better: the API says that it gives them itself, and a second request
with the same one starts the same work again before it is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from penstock_kubeflow.experiments import equals
from penstock_kubeflow.within import Data, several, text, there

if TYPE_CHECKING:
    from penstock_kubeflow.api import Api

_LONGEST: Final = 100
"""Letters of a pipeline's name in that of what it is submitted as: databases take 191 in all."""


def title(pipeline: str, run: str) -> str:
    """What a run is called there. No name of a pipeline has a blank in it."""
    return f"{pipeline[:_LONGEST]} {run}"


def named(api: Api, title: str) -> Sequence[Data]:
    """All of that name, the oldest first."""
    return [each for each in _listed(api, "EQUALS", title) if each.get("display_name") == title]


def of_run(api: Api, run: str) -> Sequence[Data]:
    """All of a run, the oldest first. What somebody has cloned is named after it, and is a run of
    its own."""
    found = _listed(api, "IS_SUBSTRING", run)
    return [each for each in found if text(each, "display_name").split(" ")[1:] == [run]]


def run_of(data: Data) -> str:
    """The run that one was submitted for: the parameter that its pods are told; empty if it has
    none."""
    given = text(data, "runtime_config", "parameters", "run")
    spec = there(data, "pipeline_spec", "pipeline_spec") or there(data, "pipeline_spec")
    declared = there(spec, "root", "inputDefinitions", "parameters", "run")
    return given or text(declared, "defaultValue")


def _listed(api: Api, how: str, name: str) -> Sequence[Data]:
    query = {"filter": equals("display_name", name, how), "sort_by": "created_at asc"}
    space = {"namespace": api.namespace} if api.namespace else {}
    answer = api.get("runs", **query, **space, page_size="50")
    if not answer.is_it:
        raise api.refused(answer, f"look up {name!r} in Kubeflow")
    return [each for each in several(answer.data, "runs") if text(each, "run_id")]
