"""Every placeholder in a pipeline is one that the real backend resolves: see `placeholders`."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from placeholders import unresolved

JOB = "{{$.pipeline_job_uuid}}"
CALL = "{{$.inputs.parameters['call']}}"

COMPILED = sorted(Path(__file__).parent.rglob("*.yaml"))
"""The pipelines that are kept beside the tests of the compiler."""


def spec(**container: Any) -> dict[str, Any]:
    """One step, as it is compiled, and what its container has besides."""
    inputs = {
        "call": {"runtimeValue": {"constant": "train"}},
        "job": {"runtimeValue": {"constant": JOB}},
    }
    task = {"componentRef": {"name": "comp"}, "inputs": {"parameters": inputs}}
    parameters = {"call": {"parameterType": "STRING"}, "job": {"parameterType": "STRING"}}
    argv = {"command": ["python"], "args": ["--call", CALL], **container}
    return {
        "components": {
            "comp": {"executorLabel": "exec", "inputDefinitions": {"parameters": parameters}}
        },
        "deploymentSpec": {"executors": {"exec": {"container": argv}}},
        "root": {"dag": {"tasks": {"train": task}}},
    }


@pytest.mark.parametrize("file", COMPILED, ids=[file.stem for file in COMPILED])
def test_a_compiled_pipeline_has_none_that_stays_as_it_is(file: Path) -> None:
    documents = [*yaml.safe_load_all(file.read_text()), {}]
    assert JOB in file.read_text()
    assert list(unresolved(documents[0], documents[1])) == []


def test_an_input_in_an_argument_and_the_job_as_an_input_are_resolved() -> None:
    assert list(unresolved(spec(), {})) == []
    assert list(unresolved(spec(args=[f"--call={CALL}"]), {})) == []


@pytest.mark.parametrize(
    ("planted", "found"),
    [
        ({"args": ["--job", JOB]}, f"container/args/1: {JOB}"),
        ({"command": [f"python-{JOB}"]}, f"container/command/0: python-{JOB}"),
        ({"args": ["{{$.inputs.parameters['run']}}"]}, "args/0: {{$.inputs.parameters['run']}}"),
        ({"env": [{"name": "CALL", "value": CALL}]}, f"env/0/value: {CALL}"),
        ({"image": "{{$.inputs.parameters['call']}}"}, f"image: {CALL}"),
        ({"args": ["{{workflow.name}}"]}, "args/0: {{workflow.name}}"),
    ],
)
def test_one_in_the_wrong_place_is_found(planted: dict[str, Any], found: str) -> None:
    (said,) = unresolved(spec(**planted), {})
    assert said.endswith(found)


def test_the_job_as_a_part_of_an_input_is_found() -> None:
    planted = copy.deepcopy(spec())
    inputs = planted["root"]["dag"]["tasks"]["train"]["inputs"]["parameters"]
    inputs["job"]["runtimeValue"]["constant"] = f"job-{JOB}"
    assert len(list(unresolved(planted, {}))) == 1


def test_one_in_the_platform_spec_is_found() -> None:
    assert len(list(unresolved(spec(), {"labels": {JOB: JOB}}))) == 2
