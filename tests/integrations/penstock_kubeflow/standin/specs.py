"""Pipelines as they are submitted: read by kfp's own protobufs, and refused as the server does.

What the real server takes and then loses, or leaves as it is, is refused here, and the words say
"the stand-in".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import yaml
from gateway import internal, invalid
from placeholders import unresolved

SCHEMA: Final = "2.1.0"

_UNKNOWN: Final = "ErrorInvalidPipelineSpec: unknown template format: pipeline spec is invalid"

_KINDS: Final[Mapping[str, tuple[str, Any]]] = {
    "STRING": ("string", str),
    "NUMBER_DOUBLE": ("double", int | float),
    "NUMBER_INTEGER": ("integer", int | float),
    "BOOLEAN": ("bool", bool),
    "LIST": ("list", list),
    "STRUCT": ("struct", dict),
}
"""What a value has to be. A number with a fraction is an integer for the server."""


@dataclass(frozen=True, slots=True)
class Spec:
    """A pipeline in two documents."""

    pipeline: Mapping[str, Any]
    platform: Mapping[str, Any]
    read: Mapping[str, Any]
    """The pipeline in the names of its protobuf, whichever it was written in."""

    @property
    def name(self) -> str:
        """What its workflows are named after."""
        return str(self.read["pipelineInfo"]["name"]).rpartition("/")[2]

    @property
    def text(self) -> str:
        """The file that is carried out."""
        documents = [self.pipeline, *([self.platform] if self.platform else [])]
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # ten times as fast, where it is
        return str(yaml.dump_all(documents, Dumper=dumper, allow_unicode=True))

    @property
    def answer(self) -> Mapping[str, Any]:
        """As the server gives it back."""
        if not self.platform:
            return self.pipeline
        return {"pipeline_spec": self.pipeline, "platform_spec": self.platform}


def of_file(text: str) -> Spec:
    """What was uploaded."""
    try:
        found = [each for each in yaml.safe_load_all(text) if each]
    except yaml.YAMLError as error:
        raise invalid(f"Failed to create a pipeline: unknown template format: {error}") from error
    if not found or not all(isinstance(each, dict) for each in found):
        raise invalid("Failed to create a pipeline: unknown template format")
    return checked({"pipeline_spec": found[0], "platform_spec": (found[1:] or [{}])[0]}, invalid)


def checked(given: Any, refuse: Any = None) -> Spec:
    """What was submitted: a bare pipeline, or both documents."""
    refuse = refuse or (
        lambda text: internal(f"Failed to create a run due to error fetching manifest: {text}")
    )
    if not given or not isinstance(given, dict):
        raise refuse(_UNKNOWN)
    both = given if "pipeline_spec" in given else {"pipeline_spec": given}
    pipeline = both["pipeline_spec"]
    spec = Spec(pipeline, both.get("platform_spec") or {}, _read(pipeline, refuse))
    for problem in _loose_ends(spec.read):
        raise refuse(f"failed to compile: {problem}")
    for place, problem in _platform_problems(spec.platform):
        raise invalid(f"the stand-in: the server would lose {place} and say nothing: {problem}")
    if left := list(unresolved(spec.read, spec.platform)):
        raise invalid("the stand-in: not resolved by the real backend: " + "; ".join(left))
    return spec


def _parsed(data: Any, message: Any) -> Any:
    """Raises `ValueError`, whatever it is that was given."""
    from google.protobuf import json_format

    try:
        return json_format.ParseDict(data, message)
    except (json_format.ParseError, TypeError, AttributeError) as error:
        raise ValueError(str(error)) from error


def _read(pipeline: Any, refuse: Any) -> Any:
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2 as proto

    try:
        message = _parsed(pipeline, proto.PipelineSpec())
    except ValueError as error:
        raise refuse(f"{_UNKNOWN} ({error})") from error
    if not message.pipeline_info.name or not message.HasField("root"):
        raise refuse(_UNKNOWN)
    if message.schema_version != SCHEMA:
        raise refuse(
            f"invalid v2 pipeline spec: KFP only supports schema version {SCHEMA}, but the "
            f"pipeline spec has version {message.schema_version}"
        )
    if not re.search("[a-z0-9]([-a-z0-9]*[a-z0-9])?", message.pipeline_info.name):
        raise refuse("invalid v2 pipeline spec: name should consist of lower case alphanumeric")
    try:
        deployment = json_format.MessageToDict(message.deployment_spec)
        config = _parsed(deployment, proto.PipelineDeploymentConfig())
    except ValueError as error:
        raise refuse(f"failed to compile: unmarshalling deployment config: {error}") from error
    found = json_format.MessageToDict(message)
    return {**found, "deploymentSpec": json_format.MessageToDict(config)}


def _loose_ends(pipeline: Mapping[str, Any]) -> Iterator[str]:
    """Names that nothing has."""
    components = pipeline.get("components", {})
    executors = pipeline.get("deploymentSpec", {}).get("executors", {})
    for name, component in {"root": pipeline["root"], **components}.items():
        if (label := component.get("executorLabel")) and label not in executors:
            yield f"component {name}: missing executor {label}"
        tasks = component.get("dag", {}).get("tasks", {})
        for key, task in tasks.items():
            if (used := task.get("componentRef", {}).get("name")) not in components:
                yield f"task {key}: component {used!r} is not there"
            for each in task.get("dependentTasks", ()):
                if each not in tasks:
                    yield f"task {key}: depends on {each!r}, which is not there"


def _platform_problems(platform: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes
    from kfp.pipeline_spec import pipeline_spec_pb2 as proto

    if not platform:
        return
    try:
        _parsed(platform, proto.PlatformSpec())
        found = [*platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"].items()]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        yield "the platform spec", repr(error)
        return
    for name, config in found:
        try:
            _parsed(config, kubernetes.KubernetesExecutorConfig())
        except ValueError as error:
            yield f"what the platform spec has of {name}", str(error)


def check_workflow(spec: Spec, limit: int) -> None:
    """What Kubernetes refuses when the workflow is made."""
    if not re.fullmatch("[a-z0-9]([-a-z0-9.]*[a-z0-9])?", spec.name):
        raise internal(
            f"Failed to create a workflow for (): Workflow.argoproj.io {spec.name + '-abcde'!r} is "
            "invalid: metadata.generateName: a lowercase RFC 1123 subdomain must consist of lower "
            "case alphanumeric characters, '-' or '.'"
        )
    if (size := len(json.dumps(spec.answer))) > limit:
        raise internal(
            f"Failed to create a workflow for (): etcdserver: request is too large ({size} bytes)"
        )


def check_parameters(spec: Spec, given: Mapping[str, Any]) -> None:
    """What a run is given for the inputs of its pipeline."""
    known = spec.read["root"].get("inputDefinitions", {}).get("parameters", {})
    head = "Failed to generate the ExecutionSpec: invalid pipeline job inputs: "
    needed = [
        name
        for name, each in known.items()
        if "defaultValue" not in each and not each.get("isOptional")
    ]
    if needed and not given:
        raise invalid(
            f"{head}pipeline requiring input has no parameter(s) provided. Need parameter(s): "
            + ", ".join(needed)
        )
    for name in needed:
        if name not in given:
            raise invalid(
                f"{head}parameter {name} is not optional, yet has neither default value nor user "
                "provided value"
            )
    for name, value in given.items():
        if name not in known:
            raise invalid(f"{head}parameter {name} is not defined in the pipeline")
        word, kind = _KINDS.get(known[name].get("parameterType", ""), ("unspecified", ()))
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise invalid(
                f"{head}input parameter {name} requires type {word}, but the input parameter is "
                f"not of {word} value type"
            )
