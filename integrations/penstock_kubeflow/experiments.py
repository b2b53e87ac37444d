"""Experiments: what Kubeflow keeps runs and schedules under. One that is not there yet is made."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from penstock.errors import BadConfiguration
from penstock_kubeflow.within import Data, at, several, text

if TYPE_CHECKING:
    from penstock_kubeflow.api import Api
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

DEFAULT: Final = "Default"
"""Kubeflow's own. A server with several users has one in each namespace, once somebody made it."""

_encode: Final = json.JSONEncoder(ensure_ascii=True).encode


def experiment_id(api: Api, kubeflow: KubeflowOrchestrator) -> str | None:
    """Where runs of this orchestrator belong; None for the server's own default, which it knows.

    Raises `BadConfiguration` for one that is archived, else what `Api.refused` makes of the answer.
    """
    name = kubeflow.experiment or (DEFAULT if api.multi_user else "")
    if not name:
        return None
    found = _found(api, name, exactly=True) or _made(api, name)
    if text(found, "storage_state").upper() == "ARCHIVED":
        raise BadConfiguration(
            f"The experiment {name!r} of the orchestrator {kubeflow.name!r} is archived.",
            hint="Restore it on its page in Kubeflow, or write another one: experiment: …",
        )
    return str(found["experiment_id"])


def equals(key: str, value: str, how: str = "EQUALS") -> str:
    """A filter for what a server lists. It decodes a filter once more than others do, and so what
    that would change is written in other letters."""
    text = _encode({"predicates": [{"operation": how, "key": key, "stringValue": value}]})
    return text.replace("+", "\\u002b").replace("%", "\\u0025")


def _found(api: Api, name: str, *, exactly: bool) -> Data | None:
    """Servers take the same letters, large or small, for the same name; two users may not."""
    what = f"look up the experiment {name!r}"
    query = {"filter": equals("display_name", name), "page_size": "20"}
    answer = api.get("experiments", **query, **_space(api))
    if not answer.is_it:
        raise api.refused(answer, what)
    for each in several(answer.data, "experiments"):
        said = str(at(each, "display_name"))
        if said == name or (not exactly and said.casefold() == name.casefold()):
            return each
    return None


def _made(api: Api, name: str) -> Data:
    """Somebody else may make it at the same moment: then it is theirs."""
    body = {"display_name": name, **_space(api)}
    answer = api.post("experiments", body)
    if answer.is_it and text(answer.data, "experiment_id"):
        return answer.data or {}
    if (answer.status == 409 or answer.unsure) and (found := _found(api, name, exactly=False)):
        return found
    raise api.refused(answer, f"make the experiment {name!r}")


def _space(api: Api) -> dict[str, str]:
    return {"namespace": api.namespace} if api.namespace else {}
