"""Recurring runs: what the API does with them, and the clock that starts their runs."""

from __future__ import annotations

import re
import threading
import time
import traceback
import zlib
from collections.abc import Mapping
from typing import Any

import firing
import queries
import specs
from bodies import checked
from doors import check
from experiment_service import Experiments
from gateway import internal, invalid, not_found
from knowledge import Knowledge, new_id, suffix
from request import Request
from run_service import Runs
from workflows import stamp


class Recurring:
    """Each has the text of its pipeline as it was when it was made."""

    def __init__(self, knowledge: Knowledge, experiments: Experiments, runs: Runs) -> None:
        self._known = knowledge
        self._experiments = experiments
        self._runs = runs

    def create(self, asked: Request) -> Any:
        doing = "Failed to create a recurring run"
        body = checked("V2beta1RecurringRun", asked.body)
        if not body.get("display_name"):
            raise internal(f"{doing}: Recurring run's name cannot be empty")
        if not 1 <= (most := int(body.get("max_concurrency") or 0)) <= 10:
            raise invalid(
                f"{doing}: Max concurrency of a recurring run must be at least 1 and at most 10. "
                f"Received {most}"
            )
        _check_trigger(body.get("trigger") or {}, doing)
        experiment = self._experiments.of_new(asked, body, doing, "jobs")
        spec = self._runs.spec_of(body)
        given = (body.get("runtime_config") or {}).get("parameters") or {}
        specs.check_parameters(spec, given)
        specs.check_workflow(spec, self._known.options["size_limit"])
        now = time.time()
        name = re.sub("[^a-z0-9-]+", "", body["display_name"].lower())[:25] or "job-"
        if not re.match("[a-z0-9]", name):
            raise internal(f"{doing}: ScheduledWorkflow is invalid: metadata.generateName: {name}")
        row = {
            **body, "id": new_id(), "experiment_id": experiment, "created_at": now,
            "updated_at": now, "enabled": body.get("mode") == "ENABLE", "index": 0,
            "last_triggered": 0, "name": f"{name}{suffix()}", "text": spec.text,
            "pipeline_spec": spec.answer,
            "namespace": self._experiments.found(experiment, doing)["namespace"],
        }  # fmt: skip
        self._known.recurring.put(row["id"], row)
        return _shown(row)

    def _found(self, asked: Request, id_: str, doing: str, verb: str) -> dict[str, Any]:
        if not (row := self._known.recurring.get(id_)):
            raise not_found("Job", id_, f"Failed to {doing} a recurring run")
        check(self._known.options, asked.headers, row["namespace"], verb, "jobs")
        return row

    def get(self, asked: Request, id_: str) -> Any:
        return _shown(self._found(asked, id_, "get", "get"))

    def list(self, asked: Request) -> Any:
        rows = self._runs.in_scope([*self._known.recurring], asked, "jobs")
        known = [{**row, "status": "ENABLED" if row["enabled"] else "DISABLED"} for row in rows]
        shown, more = queries.page(known, queries.RECURRING, asked.query)
        return {"recurringRuns": [_shown(row) for row in shown], **more} if shown else more

    def delete(self, asked: Request, id_: str) -> Any:
        """What it has started goes on."""
        self._found(asked, id_, "delete", "delete")
        self._known.recurring.delete(id_)
        return {}

    def enable(self, asked: Request, id_: str) -> Any:
        self._found(asked, id_, "enable", "enable")
        self._known.recurring.change(id_, enabled=True, updated_at=time.time())
        return {}

    def disable(self, asked: Request, id_: str) -> Any:
        self._found(asked, id_, "disable", "disable")
        self._known.recurring.change(id_, enabled=False, updated_at=time.time())
        return {}

    def watch(self) -> None:
        """The clock, as long as the server lives."""
        threading.Thread(target=self._tick, daemon=True).start()

    def _tick(self) -> None:
        while True:
            time.sleep(0.1)
            for row in self._known.recurring:
                try:
                    self._look(row)
                except Exception:
                    traceback.print_exc()  # into the file `server`

    def _look(self, row: Mapping[str, Any]) -> None:
        if not row["enabled"] or (due := firing.due(row, time.time())) is None:
            return
        active = [
            run
            for run in self._known.runs
            if run["recurring_run_id"] == row["id"] and self._runs.is_under_way(run)
        ]
        if len(active) < int(row["max_concurrency"]):
            self.fire(row["id"], due)

    def fire(self, id_: str, at: float) -> str:
        """One run more, which is one of its own; its id."""
        with self._known.lock:
            if not (row := self._known.recurring.get(id_)):
                raise not_found("Job", id_, "Failed to fire a recurring run")
            # Written first: a firing may be lost with the server, but none happens twice.
            row = self._known.recurring.change(id_, index=row["index"] + 1, last_triggered=at)
            number = zlib.crc32(f"{row['name']}{row['index']}".encode())
            name = f"{row['name']}-{row['index']}-{number}"
            body = {**row, "display_name": name}
            found = self._runs.started(
                body, new_id(), row["experiment_id"], specs.of_file(row["text"]),
                recurring_run_id=id_, scheduled_at=at, workflow=name,
            )  # fmt: skip
        return str(found["id"])


def _check_trigger(trigger: Mapping[str, Any], doing: str) -> None:
    if cron := trigger.get("cron_schedule"):
        try:
            firing.Cron.parsed(cron.get("cron") or "")
        except ValueError as error:
            raise invalid(
                f"{doing}: Schedule cron is not a supported format"
                f"(https://godoc.org/github.com/robfig/cron). Error: {error}"
            ) from None
    every = trigger.get("periodic_schedule")
    if every and (seconds := int(every.get("interval_second") or 0)) < 1:
        raise invalid(
            f"{doing}: Found invalid period schedule interval {seconds}. Set at interval to least "
            "1 second"
        )


def _shown(row: Mapping[str, Any]) -> Mapping[str, Any]:
    trigger = {kind: dict(said) for kind, said in (row.get("trigger") or {}).items() if said}
    if every := trigger.get("periodic_schedule"):
        every["interval_second"] = str(every["interval_second"])
    optional = {
        each: row.get(each)
        for each in ("description", "runtime_config", "service_account", "namespace", "no_catchup")
    }
    return {
        "recurring_run_id": row["id"], "display_name": row["display_name"],
        "experiment_id": row["experiment_id"], "max_concurrency": str(row["max_concurrency"]),
        "trigger": trigger, "mode": "ENABLE" if row["enabled"] else "DISABLE",
        "status": "ENABLED" if row["enabled"] else "DISABLED",
        "created_at": stamp(row["created_at"]), "updated_at": stamp(row["updated_at"]),
        **{name: value for name, value in optional.items() if value},
        **(
            {"pipeline_version_reference": row["pipeline_version_reference"]}
            if row.get("pipeline_version_reference")
            else {"pipeline_spec": row["pipeline_spec"]}
        ),
    }  # fmt: skip
