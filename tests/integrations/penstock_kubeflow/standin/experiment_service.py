"""Experiments: what the API does with them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import queries
from bodies import checked
from doors import check, namespace_of
from gateway import ABORTED, EXISTS, Refused, internal, invalid, not_found
from knowledge import Knowledge, new_id
from request import Request
from workflows import stamp


class Experiments:
    """Each belongs to a namespace, and its runs with it."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._known = knowledge
        if not any(row["display_name"] == "Default" for row in knowledge.experiments):
            self._new("Default", "", "")

    def create(self, asked: Request) -> Any:
        body = checked("V2beta1Experiment", asked.body)
        doing = "Failed to create a new experiment"
        if not (name := body.get("display_name")):
            raise internal("Experiment name is empty. Please specify a valid name")
        namespace = namespace_of(self._known.options, body.get("namespace", ""), doing)
        check(self._known.options, asked.headers, namespace, "create", "experiments")
        with self._known.lock:
            for row in self._known.experiments:
                if (row["namespace"], row["display_name"].lower()) == (namespace, name.lower()):
                    raise Refused(
                        EXISTS,
                        f"{doing}: AlreadyExistError: The name {name} already exists. Please "
                        "specify a new name",
                    )
            return self._shown(self._new(name, namespace, body.get("description", "")))

    def _new(self, name: str, namespace: str, description: str) -> dict[str, Any]:
        row: dict[str, Any] = {
            "id": new_id(), "display_name": name, "namespace": namespace,
            "description": description, "created_at": time.time(), "storage_state": "AVAILABLE",
            "last_run_created_at": 0,
        }  # fmt: skip
        self._known.experiments.put(row["id"], row)
        return row

    def get(self, asked: Request, id_: str) -> Any:
        row = self.found(id_, "Failed to get an experiment")
        check(self._known.options, asked.headers, row["namespace"], "get", "experiments")
        return self._shown(row)

    def found(self, id_: str, doing: str) -> dict[str, Any]:
        """Refuses what is not there."""
        if not (row := self._known.experiments.get(id_)):
            raise not_found("Experiment", id_, doing)
        return row

    def list(self, asked: Request) -> Any:
        namespace = namespace_of(
            self._known.options, asked.query.get("namespace", ""), "Failed to list experiments"
        )
        check(self._known.options, asked.headers, namespace, "list", "experiments")
        rows = [row for row in self._known.experiments if row["namespace"] == namespace]
        shown, more = queries.page(rows, queries.EXPERIMENTS, asked.query)
        return {"experiments": [self._shown(row) for row in shown], **more} if shown else more

    def delete(self, asked: Request, id_: str) -> Any:
        row = self.found(id_, "Failed to delete an experiment")
        check(self._known.options, asked.headers, row["namespace"], "delete", "experiments")
        if row["display_name"] == "Default" and not row["namespace"]:
            raise Refused(ABORTED, "BadRequestError: the default experiment cannot be deleted")
        self._known.experiments.delete(id_)
        return {}

    def archive(self, asked: Request, id_: str) -> Any:
        """With its runs, and its recurring ones do not fire any more."""
        row = self.found(id_, "Failed to archive an experiment")
        check(self._known.options, asked.headers, row["namespace"], "archive", "experiments")
        self._known.experiments.change(id_, storage_state="ARCHIVED")
        for run in self._known.runs:
            if run["experiment_id"] == id_:
                self._known.runs.change(run["id"], storage_state="ARCHIVED")
        for job in self._known.recurring:
            if job["experiment_id"] == id_:
                self._known.recurring.change(job["id"], enabled=False)
        return {}

    def unarchive(self, asked: Request, id_: str) -> Any:
        row = self.found(id_, "Failed to unarchive an experiment")
        check(self._known.options, asked.headers, row["namespace"], "unarchive", "experiments")
        self._known.experiments.change(id_, storage_state="AVAILABLE")
        return {}

    def of_new(self, asked: Request, body: Mapping[str, Any], doing: str, kind: str) -> str:
        """The experiment of a run that is made; whoever makes it has to be let into it."""
        id_ = body.get("experiment_id")
        if not id_ and self._known.options["multi_user"]:
            raise invalid(f"{doing}: Experiment id can not be empty in multi-user mode")
        row = (
            self.found(id_, f"{doing}: Failed to fetch namespace for experiment {id_}")
            if (id_)
            else next(each for each in self._known.experiments if each["display_name"] == "Default")
        )
        given = body.get("namespace", "")
        if given and given != row["namespace"]:
            raise invalid(
                f"{doing}: Experiment {row['id']} belongs to namespace '{row['namespace']}' "
                f"instead of '{given}'"
            )
        check(self._known.options, asked.headers, row["namespace"], "create", kind)
        return str(row["id"])

    @staticmethod
    def _shown(row: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "experiment_id": row["id"], "display_name": row["display_name"],
            **({"description": row["description"]} if row["description"] else {}),
            **({"namespace": row["namespace"]} if row["namespace"] else {}),
            "created_at": stamp(row["created_at"]), "storage_state": row["storage_state"],
            "last_run_created_at": stamp(row["last_run_created_at"]),
        }  # fmt: skip
