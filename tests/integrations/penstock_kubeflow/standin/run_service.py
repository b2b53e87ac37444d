"""Runs: what the API does with them."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

import queries
import specs
from bodies import checked
from doors import check
from experiment_service import Experiments
from gateway import ABORTED, Refused, internal, invalid, not_found
from knowledge import Knowledge, new_id, suffix
from request import Request
from specs import Spec
from workflows import Workflow, stamp

_UNDER_WAY = ("PENDING", "RUNNING", "PAUSED", "RUNTIME_STATE_UNSPECIFIED")


class Runs:
    """Each is carried out as soon as it is made."""

    def __init__(self, knowledge: Knowledge, experiments: Experiments) -> None:
        self._known = knowledge
        self._experiments = experiments

    def create(self, asked: Request) -> Any:
        doing = "Failed to create a new run"
        body = checked("V2beta1Run", asked.body)
        if not body.get("display_name"):
            raise internal(
                f"{doing}: Failed to convert a API run detail to its internal representation: Run "
                "name cannot be empty"
            )
        experiment = self._experiments.of_new(asked, body, doing, "runs")
        spec = self.spec_of(body)
        given = (body.get("runtime_config") or {}).get("parameters") or {}
        specs.check_parameters(spec, given)
        specs.check_workflow(spec, self._known.options["size_limit"])
        with self._known.lock:
            if (id_ := body.get("run_id") or new_id()) and self._known.runs.get(id_):
                # The real one has started a second workflow by now, which nobody can see.
                raise internal(f"Failed to store run {id_} to table: Duplicate entry '{id_}'")
            shown = dict(self._shown(self.started(body, id_, experiment, spec)))
        # It may run by now: nobody has heard of that yet.
        shown.pop("run_details", None)
        return {**shown, "state": "PENDING", "state_history": shown["state_history"][:1]}

    def started(
        self, body: Mapping[str, Any], id_: str, experiment: str, spec: Spec, **more: Any
    ) -> dict[str, Any]:
        """A new run, on its way."""
        now = time.time()
        row = {
            "id": id_, "display_name": body["display_name"], "experiment_id": experiment,
            "description": body.get("description", ""), "created_at": now, "scheduled_at": now,
            "service_account": body.get("service_account") or "pipeline-runner",
            "runtime_config": body.get("runtime_config"), "storage_state": "AVAILABLE",
            "pipeline_spec": spec.answer, "text": spec.text, "recurring_run_id": "",
            "pipeline_version_reference": body.get("pipeline_version_reference"),
            "workflow": f"{spec.name[:58]}-{suffix()}", **more,
        }  # fmt: skip
        self._known.runs.put(id_, row)
        self._known.experiments.change(experiment, last_run_created_at=now)
        self._known.start(row)
        return row

    def spec_of(self, body: Mapping[str, Any]) -> Spec:
        """Inline, or of a version that was uploaded."""
        if not (reference := body.get("pipeline_version_reference")):
            return specs.checked(body.get("pipeline_spec"))
        pipeline, version = reference.get("pipeline_id"), reference.get("pipeline_version_id")
        rows = [
            row
            for row in self._known.versions
            if version in (None, row["id"]) and pipeline in (None, row["pipeline_id"])
        ]
        if not rows:
            raise not_found("PipelineVersion", version or pipeline, "Failed to create a new run")
        return specs.of_file(max(rows, key=lambda row: row["created_at"])["text"])

    def _found(self, asked: Request, id_: str, doing: str, verb: str) -> dict[str, Any]:
        if not (row := self._known.runs.get(id_)):
            raise not_found("Run", id_, doing)
        check(self._known.options, asked.headers, self._namespace(row), verb, "runs")
        return row

    def _namespace(self, row: Mapping[str, Any]) -> str:
        experiment = self._known.experiments.get(row["experiment_id"])
        return str(experiment["namespace"]) if experiment else ""

    def get(self, asked: Request, id_: str) -> Any:
        return self._shown(self._found(asked, id_, "Failed to get a run", "get"))

    def list(self, asked: Request) -> Any:
        rows = self.in_scope([*self._known.runs], asked, "runs")
        with_states = [self._with_state(row) for row in rows]
        shown, more = queries.page(with_states, queries.RUNS, asked.query)
        return {"runs": [self._shown(row) for row in shown], **more} if shown else more

    def in_scope(
        self, rows: Sequence[dict[str, Any]], asked: Request, kind: str
    ) -> Sequence[dict[str, Any]]:
        """Those of an experiment, or a namespace."""
        namespace = asked.query.get("namespace", "")
        experiment = asked.query.get("experiment_id", "")
        if experiment:
            found = self._experiments.found(experiment, f"Failed to list {kind}")
            check(self._known.options, asked.headers, found["namespace"], "list", kind)
            return [row for row in rows if row["experiment_id"] == experiment]
        if not self._known.options["multi_user"]:
            return rows
        if not namespace:
            raise invalid(f"Failed to list {kind}: A namespace cannot be empty in multi-user mode")
        check(self._known.options, asked.headers, namespace, "list", kind)
        return [row for row in rows if self._namespace(row) == namespace]

    def terminate(self, asked: Request, id_: str) -> Any:
        row = self._found(asked, id_, "Failed to terminate a run", "terminate")
        with self._known.lock:
            if self._state(row, self._known.workflow(row)) not in _UNDER_WAY:
                raise invalid(
                    f"Failed to terminate a run: InvalidInputError: Failed to terminate a run "
                    f"{id_}. Row not found"
                )
            row = self._known.runs.change(id_, terminated=time.time())
        self._known.end(row)
        return {}

    def delete(self, asked: Request, id_: str) -> Any:
        """With its pods, if it has any."""
        row = self._found(asked, id_, "Failed to delete a run", "delete")
        self._known.runs.delete(id_)
        self._known.end(row)
        return {}

    def archive(self, asked: Request, id_: str) -> Any:
        self._found(asked, id_, "Failed to archive a run", "archive")
        self._known.runs.change(id_, storage_state="ARCHIVED")
        return {}

    def unarchive(self, asked: Request, id_: str) -> Any:
        self._found(asked, id_, "Failed to unarchive a run", "unarchive")
        self._known.runs.change(id_, storage_state="AVAILABLE")
        return {}

    def retry(self, asked: Request, id_: str) -> Any:
        """The same job once more, under the same id."""
        row = self._found(asked, id_, "Failed to retry a run", "retry")
        if self._state(row, self._known.workflow(row)) not in ("FAILED", "CANCELED"):
            raise Refused(ABORTED, f"Failed to retry a run {id_}: BadRequestError: cannot retry")
        row = self._known.runs.change(id_, tries=row.get("tries", 1) + 1, terminated=None)
        self._known.start(row)
        return {}

    def older(self, asked: Request, id_: str) -> Any:
        """As the API before this one shows it: the workflow of Argo is in it."""
        row = self._found(asked, id_, "Failed to get a run", "get")
        workflow = self._known.workflow(row)
        run = {
            "id": id_, "name": row["display_name"], "created_at": stamp(row["created_at"]),
            "status": self._state(row, workflow).capitalize(),
        }  # fmt: skip
        manifest = json.dumps(workflow.manifest(id_, self._namespace(row) or "kubeflow"))
        return {"run": run, "pipeline_runtime": {"workflow_manifest": manifest}}

    def is_under_way(self, row: Mapping[str, Any]) -> bool:
        return not self._known.workflow(row).over

    def _with_state(self, row: Mapping[str, Any]) -> dict[str, Any]:
        workflow = self._known.workflow(row)
        over = workflow.over["at"] if workflow.over else 0
        state = self._state(row, workflow)
        return {**row, "state": state, "finished_at": over, "namespace": self._namespace(row)}

    def _state(self, row: Mapping[str, Any], workflow: Workflow) -> str:
        if not row.get("terminated"):
            return workflow.state
        if not workflow.over:
            return "CANCELING"
        if workflow.over["code"] == 0:
            return "SUCCEEDED"  # it was faster
        return str(self._known.options["ended_word"])

    def _history(self, row: Mapping[str, Any], workflow: Workflow) -> Sequence[dict[str, Any]]:
        found = [(row["created_at"], "PENDING")]
        if workflow.begun:
            found.append((workflow.begun, "RUNNING"))
        if row.get("terminated") and self._known.options["shows_canceling"]:
            found.append((row["terminated"], "CANCELING"))
        if workflow.over:
            found.append((workflow.over["at"], self._state(row, workflow)))
        return [
            {"update_time": stamp(at), "state": state}
            for at, state in sorted(found, key=lambda each: each[0])
        ]

    def _shown(self, row: Mapping[str, Any]) -> Mapping[str, Any]:
        workflow = self._known.workflow(row)
        details = workflow.details(row["id"])
        source = (
            {"pipeline_version_reference": row["pipeline_version_reference"]}
            if row["pipeline_version_reference"]
            else {"pipeline_spec": row["pipeline_spec"]}
        )
        optional = {
            "description": row["description"], "recurring_run_id": row["recurring_run_id"],
            "runtime_config": row["runtime_config"],
            "run_details": {"task_details": details} if details else None,
        }  # fmt: skip
        return {
            "experiment_id": row["experiment_id"], "run_id": row["id"],
            "display_name": row["display_name"], "storage_state": row["storage_state"],
            **{name: value for name, value in optional.items() if value}, **source,
            "service_account": row["service_account"], "created_at": stamp(row["created_at"]),
            "scheduled_at": stamp(row["scheduled_at"]),
            "finished_at": stamp(workflow.over["at"] if workflow.over else 0),
            "state": self._state(row, workflow), "state_history": self._history(row, workflow),
        }  # fmt: skip
