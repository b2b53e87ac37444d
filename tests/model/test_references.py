from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import MissingReference
from penstock.model.component import Secret
from penstock.model.references import REFERENCE, misspelt, resolve


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("${evn:X}", "${env:X}"),
        ("${ENV:X}", "${env:X}"),
        ("${en:X}", "${env:X}"),
        ("${envv:X}", "${env:X}"),
        ("${ env:X }", "${env:X}"),
        ("${env :X}", "${env:X}"),
        ("${env.X}", "${env:X}"),
        ("${{ env.X }}", "${env:X}"),
        ("$(env:X)", "${env:X}"),
        ("${env:X", "${env:X}"),
        ("${environment:X}", "${env:X}"),
        ("${fiel:~/key}", "${file:~/key}"),
        ("${File:a b}", "${file:a b}"),
        ("http://${env:HOST}:${evn:PORT}/", "${env:PORT}"),
    ],
)
def test_what_is_nearly_a_reference_is_told_as_the_one_that_is_meant(text: str, meant: str) -> None:
    assert misspelt(text).endswith(f"is no reference: did you mean '{meant}'?")


@pytest.mark.parametrize("text", ["${env:}", "${ env: }", "${file:}", "${env.}"])
def test_a_reference_to_nothing_is_told_how_it_is_written(text: str) -> None:
    assert misspelt(text).startswith(f"{text!r} is no reference: it names no ")


@pytest.mark.parametrize(
    "text",
    [
        "$HOME", "${HOME}", "${var:-x}", "$(date)", "pa$$word", "${profile:x}", "{env:X}",
        "$env:PATH", "${name.first}", "US$ 5: x", "${env:X}", "a ${file:~/b} c", "", "env:X",
    ],
)  # fmt: skip
def test_any_other_text_is_text(text: str) -> None:
    assert misspelt(text) == ""


@given(st.sampled_from(["env", "file"]), st.text(min_size=1).filter(lambda text: "}" not in text))
def test_no_reference_is_misspelt(kind: str, name: str) -> None:
    text = f"${{{kind}:{name}}}"

    assert REFERENCE.fullmatch(text)
    assert misspelt(f"a {text} b") == ""


def test_a_misspelt_reference_leads_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", "1")

    with pytest.raises(MissingReference, match="did you mean"):
        resolve("${env:X} ${evn:X}")
    with pytest.raises(MissingReference, match="did you mean"):
        Secret("${evn:X}").reveal()


def test_references_are_replaced_where_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b").write_text("2\n")
    monkeypatch.setenv("A", "1")

    assert resolve(f"${{env:A}}-${{file:{tmp_path}/b}}-$A") == "1-2-$A"
