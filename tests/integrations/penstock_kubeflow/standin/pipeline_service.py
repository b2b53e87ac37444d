"""Pipelines that were uploaded, and their versions."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Mapping
from email import message_from_bytes, policy
from typing import Any

import queries
import specs
from bodies import checked
from doors import check, namespace_of
from gateway import EXISTS, Refused, invalid, not_found
from knowledge import Knowledge, new_id
from request import Request
from workflows import stamp


class Pipelines:
    """A pipeline is a name; what it does is in its versions."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._known = knowledge

    def upload(self, asked: Request) -> Any:
        """A file, as the first version of a new pipeline."""
        text = _file(asked)
        specs.of_file(text)
        pipeline = self._new(asked, asked.query.get("name") or "")
        self._version(pipeline, asked.query, text)
        return self._shown(pipeline)

    def upload_version(self, asked: Request) -> Any:
        text = _file(asked)
        specs.of_file(text)
        pipeline = self._found(asked.query.get("pipelineid", ""))
        return _shown_version(self._version(pipeline, asked.query, text))

    def create(self, asked: Request) -> Any:
        """One without a version."""
        body = checked("V2beta1Pipeline", asked.body)
        return self._shown(self._new(asked, body.get("display_name") or "", body))

    def _new(
        self, asked: Request, name: str, said: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        said = asked.query if said is None else said
        doing = "Failed to create a pipeline"
        if not name:
            raise invalid(f"{doing}: name cannot be empty")
        namespace = said.get("namespace", "") if self._known.options["multi_user"] else ""
        check(self._known.options, asked.headers, namespace, "create", "pipelines")
        with self._known.lock:
            if any(
                (row["display_name"], row["namespace"]) == (name, namespace)
                for row in self._known.pipelines
            ):
                raise Refused(
                    EXISTS,
                    f"{doing}: AlreadyExistError: The name {name} already exist. Please specify a "
                    "new name",
                )
            row: dict[str, Any] = {
                "id": new_id(), "display_name": name, "namespace": namespace,
                "description": said.get("description", ""), "created_at": time.time(),
            }  # fmt: skip
            self._known.pipelines.put(row["id"], row)
        return row

    def _version(
        self, pipeline: Mapping[str, Any], said: Mapping[str, str], text: str
    ) -> dict[str, Any]:
        row = {
            "id": new_id(), "pipeline_id": pipeline["id"], "text": text,
            "display_name": said.get("name") or pipeline["display_name"],
            "description": said.get("description", ""), "created_at": time.time(),
        }  # fmt: skip
        self._known.versions.put(row["id"], row)
        return row

    def _found(self, id_: str) -> dict[str, Any]:
        if not (row := self._known.pipelines.get(id_)):
            raise not_found("Pipeline", id_, "Failed to get a pipeline")
        return row

    def get(self, asked: Request, id_: str) -> Any:
        return self._shown(self._found(id_))

    def by_name(self, asked: Request, name: str) -> Any:
        for row in self._known.pipelines:
            if row["display_name"] == name:
                return self._shown(row)
        raise not_found("Pipeline", name, "Failed to get a pipeline by its name")

    def list(self, asked: Request) -> Any:
        given = asked.query.get("namespace", "")
        namespace = namespace_of(self._known.options, given, "Failed to list pipelines")
        rows = [row for row in self._known.pipelines if row["namespace"] == namespace]
        shown, more = queries.page(rows, queries.PIPELINES, asked.query)
        return {"pipelines": [self._shown(row) for row in shown], **more} if shown else more

    def delete(self, asked: Request, id_: str) -> Any:
        self._found(id_)
        for version in self._known.versions:
            if version["pipeline_id"] == id_:
                self._known.versions.delete(version["id"])
        self._known.pipelines.delete(id_)
        return {}

    def versions(self, asked: Request, id_: str) -> Any:
        self._found(id_)
        rows = [row for row in self._known.versions if row["pipeline_id"] == id_]
        shown, more = queries.page(rows, queries.PIPELINES, asked.query)
        found = [_shown_version(row) for row in shown]
        return {"pipeline_versions": found, **more} if shown else more

    def version(self, asked: Request, id_: str, version: str) -> Any:
        row = self._known.versions.get(version)
        if not row or row["pipeline_id"] != id_:
            raise not_found("PipelineVersion", version, "Failed to get a pipeline version")
        return _shown_version(row)

    @staticmethod
    def _shown(row: Mapping[str, Any]) -> Mapping[str, Any]:
        return {
            "pipeline_id": row["id"], "display_name": row["display_name"],
            "name": row["display_name"], "created_at": stamp(row["created_at"]),
            **({"description": row["description"]} if row["description"] else {}),
            **({"namespace": row["namespace"]} if row["namespace"] else {}),
        }  # fmt: skip


def _shown_version(row: Mapping[str, Any]) -> Mapping[str, Any]:
    return {
        "pipeline_id": row["pipeline_id"], "pipeline_version_id": row["id"],
        "display_name": row["display_name"], "name": row["display_name"],
        "created_at": stamp(row["created_at"]), "pipeline_spec": specs.of_file(row["text"]).answer,
    }  # fmt: skip


def _file(asked: Request) -> str:
    """The file of a form; YAML, or in a zip."""
    head = f"Content-Type: {asked.headers.get('Content-Type', '')}\r\n\r\n".encode()
    message = message_from_bytes(head + asked.data, policy=policy.HTTP)
    for part in message.iter_parts() if message.is_multipart() else ():
        if part.get_param("name", header="content-disposition") == "uploadfile":
            data: Any = part.get_payload(decode=True)
            if data.startswith(b"PK\x03\x04"):
                with zipfile.ZipFile(io.BytesIO(data)) as archive:
                    data = archive.read(archive.namelist()[0])
            return str(data.decode())
    raise invalid("Failed to upload a pipeline: Failed to read pipeline from form file")
