"""`secrets:` of a stack: names that steps ask for, and what stands behind each."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock import LocalArtifactStore, LocalOrchestrator, Secret, Stack
from penstock.errors import BadConfiguration
from penstock.stack import secrets
from penstock.stack.project import Project
from penstock.stack.registry import Registered, Registry

FILE = """\
stacks:
  prod:
    orchestrator: default
    artifact_store: default
    secrets:
      DB_URL: "${env:PROD_DB_URL}"
      TOKEN: sesame
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(Project(tmp_path), Registered())


def stack(**written: object) -> Stack:
    return Stack(
        "a",
        orchestrator=LocalOrchestrator(),
        artifact_store=LocalArtifactStore(),
        secrets=written,  # type: ignore[arg-type]
    )


def complaints(registry: Registry, line: str) -> str:
    registry.project.file.write_text(FILE.replace("TOKEN: sesame", line))
    with pytest.raises(BadConfiguration) as caught:
        registry.stacks()
    return str(caught.value)


def test_a_file_has_references_and_literals(registry: Registry) -> None:
    registry.project.file.write_text(FILE)
    made = registry.stack("prod")

    assert made.secrets == {"DB_URL": Secret("${env:PROD_DB_URL}"), "TOKEN": Secret("sesame")}
    (note,) = made.notes
    assert note.endswith(
        "penstock.yaml:7:7: the stack 'prod' has the secret 'TOKEN' written out; ${env:NAME} or "
        "${file:PATH} would keep it out of files and history."
    )


def test_a_misspelt_reference_is_pointed_at(registry: Registry) -> None:
    assert complaints(registry, 'TOKEN: "${evn:TOKEN}"').endswith(
        "penstock.yaml:7:14: The stack 'prod': secrets: the secret 'TOKEN': '${evn:TOKEN}' is no "
        "reference: did you mean '${env:TOKEN}'?"
    )


def test_no_data_and_no_listing_shows_a_literal(registry: Registry) -> None:
    registry.project.file.write_text(FILE)
    made = registry.stack("prod")

    assert made.to_data()["secrets"] == {
        "DB_URL": "${env:PROD_DB_URL}",
        "TOKEN": f"${{env:{secrets.variable('TOKEN')}}}",
    }
    assert "sesame" not in repr(made) + repr(registry.stacks()) + json.dumps(made.to_data())


def test_a_stack_comes_back_from_its_data_with_its_secrets(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.project.file.write_text(FILE)
    again = registry.from_data(json.loads(json.dumps(registry.stack("prod").to_data())))
    monkeypatch.setenv("PROD_DB_URL", "one")
    monkeypatch.setenv(secrets.variable("TOKEN"), "sesame")

    assert {name: secret.reveal() for name, secret in again.secrets.items()} == {
        "DB_URL": "one",
        "TOKEN": "sesame",
    }


def test_a_stack_without_secrets_has_the_data_that_it_always_had(registry: Registry) -> None:
    assert "secrets" not in registry.stack("default").to_data()


@given(st.text("abcXYZ_019", min_size=1).filter(lambda name: not name[0].isdigit()))
def test_variables_of_different_secrets_differ(name: str) -> None:
    assert secrets.is_name(secrets.variable(name))
    assert secrets.variable(name) != secrets.variable(name.swapcase()) or name == name.swapcase()


@pytest.mark.parametrize(
    ("line", "where", "what"),
    [
        ("TOKEN: 1234", "7:14", "the secret 'TOKEN' must be text: ${env:NAME} or ${file:PATH}."),
        ("TOKEN: ''", "7:14", "the secret 'TOKEN' is empty"),
        ("TOKEN: {}", "7:14", "the secret 'TOKEN' must be text"),
        ("MY-TOKEN: x", "7:7", "the secret 'MY-TOKEN' cannot be a variable of the environment"),
        ("1TOKEN: x", "7:7", "the secret '1TOKEN' cannot be a variable"),
    ],
)
def test_what_can_be_no_secret_is_complained_of(
    registry: Registry, line: str, where: str, what: str
) -> None:
    said = complaints(registry, line)

    assert f"penstock.yaml:{where}: The stack 'prod': secrets: {what}" in said
    assert "1234" not in said


def test_code_is_checked_like_a_file() -> None:
    with pytest.raises(BadConfiguration, match="Stack 'a': the secret 'MY-TOKEN' cannot be"):
        stack(**{"MY-TOKEN": "x"})
    with pytest.raises(BadConfiguration, match="the secret 'TOKEN' must be text"):
        stack(TOKEN=1)


def test_a_text_in_code_becomes_a_secret() -> None:
    assert stack(TOKEN="${env:A}").secrets == {"TOKEN": Secret("${env:A}")}
    assert "x" * 9 not in repr(stack(TOKEN="x" * 9))
