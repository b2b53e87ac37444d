import re
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.artifacts.local import LocalArtifactStore
from penstock.errors import BadConfiguration, MissingReference
from penstock.model.component import Secret
from penstock.stack.component import ComponentSpec, literals
from penstock.stack.making import check, make, resolved

Oven = Callable[..., Any]

OWN = {"orchestrator": {"oven": "kitchen:Oven"}, "step-operator": {"grill": "kitchen:Grill"}}


def test_options_get_the_types_of_their_fields(oven: Oven) -> None:
    made = oven(host="http://oven", degrees="200", labels={"a": "b"}, key="${env:KEY}")

    assert (made.name, made.degrees, made.labels) == ("big", 200, {"a": "b"})
    assert made.key == Secret("${env:KEY}")


def test_a_list_of_secrets_is_a_tuple(oven: Oven) -> None:
    made = oven(host="x", key=["${env:NEW}", "${env:OLD}"])

    assert made.key == (Secret("${env:NEW}"), Secret("${env:OLD}"))


def test_references_resolve_when_the_component_is_made(
    oven: Oven, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEAT", "220")
    monkeypatch.setenv("HOST", "oven")

    made = oven(host="http://${env:HOST}:80", degrees="${env:HEAT}", labels={"a": "${env:HOST}"})

    assert (made.host, made.degrees, made.labels) == ("http://oven:80", 220, {"a": "oven"})


def test_a_secret_resolves_when_it_is_revealed(oven: Oven, monkeypatch: pytest.MonkeyPatch) -> None:
    made = oven(host="x", key="${env:KEY}")

    monkeypatch.setenv("KEY", "sesame")
    assert made.key.reveal() == "sesame"
    assert "sesame" not in repr(made)


def test_files_of_references_lie_in_the_project(oven: Oven, tmp_path: Path) -> None:
    (tmp_path / "host").write_text("http://oven\n")

    made = oven(tmp_path, host="${file:host}", key="${file:host}")

    assert made.host == "http://oven"
    assert made.key.reveal() == "http://oven"


def test_an_unset_variable_is_named_with_component_and_place(oven: Oven) -> None:
    with pytest.raises(MissingReference) as caught:
        oven(host="${env:NO_SUCH_HOST}")

    assert str(caught.value) == (
        "penstock.yaml:2:10: orchestrator 'big', option 'host': The environment variable "
        "'NO_SUCH_HOST' is not set (${env:NO_SUCH_HOST} needs it).\n"
        "export NO_SUCH_HOST=…"
    )


def test_misspelt_references_are_told_where_they_stand(oven: Oven) -> None:
    with pytest.raises(BadConfiguration) as caught:
        oven(host="http://${evn:HOST}", labels={"a": ["${env:}"]}, key="${ENV:KEY}")

    said = str(caught.value)
    assert (
        "penstock.yaml:2:10: orchestrator 'big', option 'host': '${evn:HOST}' is no reference: did "
        "you mean '${env:HOST}'?"
    ) in said
    assert "option 'labels': '${env:}' is no reference: it names no variable; write" in said
    assert "option 'key': '${ENV:KEY}' is no reference: did you mean '${env:KEY}'?" in said


def test_a_misspelt_reference_is_found_where_none_is_resolved() -> None:
    spec = ComponentSpec("artifact-store", "a", "local", {"path": "${env:A}/${evn:B}"})

    with pytest.raises(BadConfiguration, match=r"did you mean .\$\{env:B\}."):
        check(spec)


def test_a_dollar_that_is_no_reference_stays(oven: Oven) -> None:
    assert oven(host="http://${HOME}/$(date)").host == "http://${HOME}/$(date)"


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_a_file_that_cannot_be_read_is_a_missing_reference(
    oven: Oven, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "host").write_bytes(content)

    with pytest.raises(MissingReference, match=r"The file '.*host' cannot be read"):
        oven(tmp_path, host="${file:host}")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"degrees": "hot"}, "option 'degrees': 'hot' does not fit: a whole number is needed."),
        ({"degrees": 1.5}, "option 'degrees': 1.5 does not fit: a whole number is needed."),
        ({"host": 5}, "option 'host': 5 does not fit: text is needed."),
        (
            {"mode": "steam"},
            "option 'mode': 'steam' does not fit: one of 'fan', 'grill' is needed.",
        ),
        (
            {"labels": [1]},
            "option 'labels': [1] does not fit: a mapping, each value text is needed.",
        ),
        (
            {"trays": 0},
            "option 'trays': 0 does not fit: a whole number, greater than 0, is needed.",
        ),
        (
            {"key": {"literal": "sesame"}},
            (
                "option 'key': a secret, best as ${env:NAME} or ${file:PATH} or a list, each item "
                "a secret, best as ${env:NAME} or ${file:PATH} is needed."
            ),
        ),
        ({"degreees": 5}, "option 'degreees': there is no such option. Did you mean 'degrees'?"),
        (
            {"colour": 5},
            (
                "option 'colour': there is no such option. Options: 'host', 'degrees', 'mode', "
                "'labels', 'trays', 'key'."
            ),
        ),
    ],
)
def test_what_does_not_fit_is_told_in_plain_words(
    oven: Oven, options: dict[str, Any], text: str
) -> None:
    with pytest.raises(BadConfiguration) as caught:
        oven(**{"host": "x"} | options)

    column = 10 if "host" in options else 11
    assert str(caught.value) == f"penstock.yaml:2:{column}: orchestrator 'big', {text}"


def test_every_problem_of_a_component_is_told_at_once(oven: Oven) -> None:
    with pytest.raises(BadConfiguration) as caught:
        oven(degrees="hot", mod="fan", labels={"a": "${env:NO_SUCH}"})

    assert str(caught.value) == (
        "The orchestrator 'big' has 4 problems:\n"
        "  penstock.yaml:2:11: orchestrator 'big', option 'mod': there is no such option. "
        "Did you mean 'mode'?\n"
        "  penstock.yaml:2:3: orchestrator 'big' needs the option 'host'.\n"
        "  penstock.yaml:2:10: orchestrator 'big', option 'degrees': 'hot' does not fit: "
        "a whole number is needed.\n"
        "  penstock.yaml:2:12: orchestrator 'big', option 'labels': The environment variable "
        "'NO_SUCH' is not set (${env:NO_SUCH} needs it).\n"
        "    export NO_SUCH=…"
    )


def test_only_unset_references_are_a_missing_reference(oven: Oven) -> None:
    with pytest.raises(MissingReference, match="has 2 problems"):
        oven(host="${env:NO_SUCH}", mode="${env:NO_SUCH}")


@pytest.mark.usefixtures("kitchen")
def test_a_complaint_of_the_class_itself_has_the_place() -> None:
    with pytest.raises(BadConfiguration) as caught:
        make(ComponentSpec("step-operator", "cold", "grill", where="penstock.yaml:4:3"), OWN)

    assert str(caught.value) == "penstock.yaml:4:3: it has to be hot"


@pytest.mark.usefixtures("kitchen")
def test_whatever_a_class_raises_when_it_is_made_is_told_with_its_place() -> None:
    with pytest.raises(BadConfiguration) as caught:
        make(ComponentSpec("step-operator", "broken", "grill", where="penstock.yaml:4:3"), OWN)

    assert re.fullmatch(
        r"penstock.yaml:4:3: step operator 'broken' cannot be made: LookupError: no coal "
        r"\(.*kitchen.py:\d+\)",
        str(caught.value),
    )


def test_a_flavor_that_cannot_be_loaded_is_told_with_its_place() -> None:
    own = {"step-operator": {"grill": "no_such_kitchen:Grill"}}
    with pytest.raises(BadConfiguration, match=r"^penstock.yaml:4:3: The step operator flavor 'gr"):
        make(ComponentSpec("step-operator", "a", "grill", where="penstock.yaml:4:3"), own)


def test_a_missing_option_is_said_without_options_too(oven: Oven) -> None:
    with pytest.raises(BadConfiguration, match=r"^penstock.yaml:2:3: .* needs the option 'host'.$"):
        oven()


text = st.text(st.characters(exclude_characters="$", exclude_categories=["Cs"]))


@settings(deadline=None)  # the first example imports pydantic
@given(
    host=text,
    degrees=st.integers(-(10**6), 10**6),
    labels=st.dictionaries(text, text),
    key=st.none() | st.just("${env:A}") | st.just(("${env:A}", "${file:b}")),
)
def test_a_component_is_made_again_from_its_spec(
    kitchen: ModuleType, host: str, degrees: int, labels: dict[str, str], key: Any
) -> None:
    secret = tuple(map(Secret, key)) if isinstance(key, tuple) else key and Secret(key)
    made = kitchen.Oven(name="a", host=host, degrees=degrees, labels=labels, key=secret)

    spec = ComponentSpec.of(made)

    assert make(ComponentSpec.from_data(spec.to_data()), OWN) == made


def test_a_literal_secret_becomes_the_variable_that_carries_it() -> None:
    store = LocalArtifactStore(name="a-b", signing_key=(Secret("${env:K}"), Secret("sesame")))

    variable = "PENSTOCK_SECRET_ARTIFACT_STORE_A_B_SIGNING_KEY_1"
    assert ComponentSpec.of(store).options == {"signing_key": ["${env:K}", f"${{env:{variable}}}"]}
    assert list(literals(store)) == [("signing_key", variable, Secret("sesame"))]


def test_an_option_that_no_file_could_hold_is_refused(kitchen: ModuleType) -> None:
    with pytest.raises(BadConfiguration, match="cannot be written down"):
        ComponentSpec.of(kitchen.Oven(host=object()))


def test_a_component_given_in_code_is_told_of_a_misspelt_reference() -> None:
    with pytest.raises(MissingReference, match=r"did you mean .\$\{env:PLACE\}."):
        resolved(LocalArtifactStore(path="${evn:PLACE}"))


def test_a_component_given_in_code_may_have_a_dollar_in_its_texts() -> None:
    store = LocalArtifactStore(path="/a/$b")

    assert resolved(store) == store
