"""Recurring runs: what Kubeflow calls schedules, as its API has them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from penstock.stack.engine import Schedule, Timing
from penstock_kubeflow.experiments import equals

if TYPE_CHECKING:
    from penstock_kubeflow.api import Api

Data = Mapping[str, Any]
"""One of them (`V2beta1RecurringRun`)."""

_BEGIN: Final = "Made by penstock"
_MARK: Final = re.compile(rf"{_BEGIN}, mark (\S+)")

_PAGE: Final = "20"
"""How many are asked for at once: with each of them comes its whole pipeline."""


def description(mark: str) -> str:
    """What is said of one there, so that it is known again."""
    return f"{_BEGIN}, mark {mark}: penstock schedule list"


def trigger(timing: Timing) -> Data:
    """When it fires. Kubeflow's cron begins with seconds."""
    if timing.cron:
        return {"cron_schedule": {"cron": f"0 {timing.cron}"}}
    return {"periodic_schedule": {"interval_second": str(timing.every)}}


def named(api: Api, name: str) -> list[Data]:
    """All of that name, the oldest first."""
    return [each for each in _listed(api, "display_name", name, "EQUALS") if _name(each) == name]


def ours(api: Api) -> Iterator[Data]:
    """All that penstock has made, whoever used it, the oldest first."""
    return (each for each in _listed(api, "description", _BEGIN, "IS_SUBSTRING") if mark(each))


def mark(data: Data) -> str:
    """By what it is known again; empty if it is not penstock's."""
    found = _MARK.match(str(data.get("description") or ""))
    return found[1].removesuffix(":") if found else ""


def id_of(data: Data) -> str:
    return str(data.get("recurring_run_id") or "")


def schedule(api: Api, data: Data) -> Schedule:
    """One of them as penstock speaks of it."""
    id_ = id_of(data)
    return Schedule(
        remote_id=id_,
        name=_name(data),
        timing=_timing(data.get("trigger") or {}),
        is_active=_is_active(data),
        mark=mark(data),
        url=api.page(f"recurringrun/details/{id_}"),
    )


def _listed(api: Api, key: str, text: str, how: str) -> Iterator[Data]:
    query = {"filter": equals(key, text, how), "sort_by": "created_at asc", "page_size": _PAGE}
    if api.namespace:
        query["namespace"] = api.namespace
    token = ""
    while True:
        answer = api.get("recurringruns", **query, **({"page_token": token} if token else {}))
        if not answer.is_it:
            raise api.refused(answer, "look up the schedules")
        said = answer.data or {}
        # Servers have had two names for them.
        yield from said.get("recurringRuns") or said.get("recurring_runs") or ()
        token = str(said.get("next_page_token") or "")
        if not token:
            return


def _name(data: Data) -> str:
    return str(data.get("display_name") or "")


def _is_active(data: Data) -> bool:
    """Older servers say only how it was made."""
    said = str(data.get("status") or data.get("mode") or "").upper()
    return said in ("ENABLED", "ENABLE")


def _timing(data: Data) -> Timing:
    cron = str((data.get("cron_schedule") or {}).get("cron") or "")
    every = 0
    with suppress(ValueError):  # somebody else's
        every = int((data.get("periodic_schedule") or {}).get("interval_second") or 0)
    return Timing(cron.removeprefix("0 ") if len(cron.split()) == 6 else cron, every)
