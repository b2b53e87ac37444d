"""Documents: the text is read by kfp and by any YAML library as what was compiled."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from drawn_jobs import compiled, job
from hypothesis import given, settings
from hypothesis import strategies as st
from large_graphs import chain, hello, spread

from penstock.errors import CannotRun
from penstock_kubeflow import document
from penstock_kubeflow.compiling import Compiled

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",)))
    | st.sampled_from(["yes", "No", "null", "~", "1", "1e5", "0x1", "a: b", "- a", "#", "{{", ""]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(data=st.dictionaries(st.text(min_size=1, max_size=5), values, min_size=1, max_size=3))
@settings(max_examples=200, deadline=None)
def test_any_data_comes_back_from_its_text(data: dict[str, Any]) -> None:
    text = document.text(Compiled(data, {"platforms": data}))
    assert [*yaml.safe_load_all(text)] == [data, {"platforms": data}]


def test_a_text_that_is_cut_short_is_noticed() -> None:
    text = document.text(compiled(hello.graph()))
    cut = yaml.safe_load(text[: len(text) // 2])
    assert cut != compiled(hello.graph()).spec


def test_what_is_of_kubernetes_is_a_second_document_only_if_there_is_any() -> None:
    assert len([*yaml.safe_load_all(document.text(compiled(hello.graph())))]) == 1
    drawn = job(hello.graph(), settings={"labels": {"a": "b"}})
    assert len([*yaml.safe_load_all(document.text(compiled(drawn)))]) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
def test_kfp_loads_the_text(tmp_path: Path) -> None:
    from kfp import components

    drawn = job(spread.graph(width=9), settings={"labels": {"a": "b"}}, ends=True)
    loaded = components.load_component_from_text(document.text(compiled(drawn)))
    assert loaded.name == "spread"
    assert list(loaded.component_spec.inputs or {}) == ["run"]
    assert loaded.platform_spec.platforms["kubernetes"].deployment_spec.executors


@pytest.mark.parametrize("place", ["root", "deploymentSpec", "platform", "config"])
def test_what_kfp_does_not_know_is_refused(place: str) -> None:
    made = compiled(job(hello.graph(), settings={"labels": {"a": "b"}}))
    document.checked(made)
    copy = json.loads(json.JSONEncoder().encode([made.spec, made.platform]))
    beside = copy[1]["platforms"]["kubernetes"]["deploymentSpec"]["executors"]["exec-step"]
    container = copy[0]["deploymentSpec"]["executors"]["exec-step"]["container"]
    where = {
        "root": copy[0]["root"],
        "deploymentSpec": container,
        "platform": copy[1]["platforms"]["kubernetes"],
        "config": beside,
    }
    where[place]["sharedMemorySize"] = "2Gi"
    with pytest.raises(CannotRun, match=r"kfp does not know .*sharedMemorySize"):
        document.checked(Compiled(*copy))


def test_without_kfp_it_is_said_how_to_get_it() -> None:
    code = (
        "import sys; sys.modules['kfp'] = None; sys.path += [sys.argv[1]]\n"
        "from large_graphs import hello\nfrom drawn_jobs import compiled\n"
        "from penstock_kubeflow import document\n"
        "from penstock.errors import MissingExtra\n"
        "try:\n    document.checked(compiled(hello.graph()))\n"
        "except MissingExtra as error:\n    print(error)"
    )
    argv = [sys.executable, "-c", code, str(Path(__file__).parent)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    assert "needs the library" in said
    assert "[kubeflow]" in said


def test_very_large_and_very_small_numbers_are_numbers() -> None:
    data = {"a": 1e300, "b": [0.1, [1e16]], "c": 5e-324, "d": -1.5e-7}
    assert yaml.safe_load(document.text(Compiled(data, {}))) == data


def test_a_thousand_steps_are_a_text_that_is_read_back_whole() -> None:
    made = compiled(chain.graph(length=1000))
    (read,) = yaml.load_all(
        document.text(made), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    )
    assert read == made.spec
