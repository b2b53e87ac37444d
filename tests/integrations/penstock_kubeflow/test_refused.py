"""What Kubernetes, Linux or pip would surely refuse is refused before; and nothing else is."""

from __future__ import annotations

import posixpath
import re
import subprocess
from itertools import product
from typing import Any

import pytest
from drawn_jobs import compiled, job
from hypothesis import given
from hypothesis import strategies as st
from large_graphs import hello
from packaging.requirements import InvalidRequirement, Requirement

from penstock import Resources
from penstock.errors import CannotRun
from penstock_kubeflow import mounts
from penstock_kubeflow.settings import problems
from penstock_kubeflow.shapes import is_image, is_requirement
from penstock_kubeflow.sizes import ARGUMENT


def wrong(values: dict[str, Any], **options: Any) -> list[str]:
    return list(problems("step train", values, **options))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"cpu": 2, "cpu_limit": 1}, "'cpu_limit': 1.0 is less than what is asked for by 'cpu'"),
        ({"memory": "4Gi", "memory_limit": "1Gi"}, "'1Gi' is less than what is asked for by"),
        (
            {"claims": {"/dev/shm": "a"}, "shared_memory": "1Gi"},
            "'shared_memory': the folder '/dev/shm' is in 'claims' as well.",
        ),
        (
            {"empty_dirs": {"/dev/shm/": "1Gi"}, "shared_memory": "1Gi"},
            "is in 'empty_dirs' as well, as '/dev/shm/'.",
        ),
        ({"claims": {"/a": "one", "/a/": "two"}}, "'/a/' is in 'claims' as well, as '/a'."),
        ({"claims": {"/a": "one", "/a/": "one"}}, "'/a/' is in 'claims' as well, as '/a'."),
        ({"claims": {"/a": "one"}, "secret_files": {"//a": "tls"}}, "the folder '/a' is in"),
        ({"claims": {"/a/../b": "one"}}, "has '..' in it. Write '/b'."),
        ({"claims": {"/a": "one/../b"}}, "'../b' of '/a' is no folder in the volume."),
        ({"claims": {"/a": {"name": "one", "sub_path": "/b"}}}, "'/b' of '/a' is no folder"),
        ({"env": {"A": "1\0"}}, "'A' has a NUL in it"),
        ({"secret_env": {"PENSTOCK_ENVIRONMENT": "a/b"}}, "is penstock's own: leave it out."),
        ({"field_env": {"A": "spec.bogus"}}, "Kubernetes has no 'spec.bogus' for 'A'. There are"),
        ({"field_env": {"A": "status.podIp"}}, "Did you mean 'status.podIP'?"),
        ({"accelerator": "gpu"}, "for example 'nvidia.com/gpu' is needed."),
        ({"image": "UPPER/Case:1"}, "'UPPER/Case:1' is no name of an image."),
        ({"image": "ünï:1"}, "'ünï:1' is no name of an image."),
        ({"requirements": ["not a req !!"]}, "'not a req !!' is no requirement"),
        ({"memory": "4"}, "a unit (that is 4 bytes), for example '4Gi', is needed."),
        ({"tolerations": [{"key": "bad key"}]}, "'bad key' cannot be a key there."),
        (
            {"node_affinity": [{"labels": [{"key": "a b", "values": ["c"]}]}]},
            "'a b' cannot be a key there.",
        ),
        (
            {"node_affinity": [{"labels": [{"key": "a", "operator": "Gt", "values": ["1", "2"]}]}]},
            "Gt of 'a' takes one whole number, for example values: ['8'].",
        ),
        ({"annotations": {"a": "x" * 300_000}}, "they take 300,001 bytes in all"),
        ({"annotations": {"a": "x" * 200_000}}, "200,001 of them in 'annotations'"),
        ({"env": {"A": "x" * 200_000}}, "'A' takes 200,003 bytes. Linux takes no longer one than"),
        ({"env": dict.fromkeys("AB", "x" * 70000)}, "Kubeflow hands all of it to its driver"),
        ({"requirements": ["x" * 70_000] * 2}, "'env' and 'requirements' take 140,0"),
    ],
)
def test_what_surely_is_refused_later_is_refused_now(values: dict[str, Any], said: str) -> None:
    (complaint,) = wrong(values)
    assert said in complaint


@pytest.mark.parametrize(
    "values",
    [
        {"cpu": 1, "cpu_limit": 1, "memory": "1024Mi", "memory_limit": "1Gi"},
        {"cpu_limit": 1, "memory_limit": "1Gi"},
        {"claims": {"/dev/shm": "a"}},
        {"claims": {"/a": "one/b", "/a/b": "two", "/a..b": "three"}},
        {"field_env": {"A": "metadata.labels['example.com/team']", "B": "status.hostIPs"}},
        {"deadline": 2**31 - 1},
        {"node_affinity": [{"labels": [{"key": "a/b", "operator": "Lt", "values": ["8"]}]}]},
        {"env": {"A": "x" * 100_000}, "annotations": {"a": "x" * 100_000}},
        {"accelerator": "habana.ai/gaudi"},
    ],
)
def test_what_may_go_well_is_let_through(values: dict[str, Any]) -> None:
    assert wrong(values) == []


def test_a_limit_below_the_resources_of_a_step_is_refused() -> None:
    asked = Resources(cpu=2, memory="4Gi")

    (cpu,) = wrong({"cpu_limit": 1}, resources=asked)
    (memory,) = wrong({"memory_limit": "1Gi"}, resources=asked)

    assert "1.0 is less than what is asked for by Resources(cpu=2), and Kubernetes" in cpu
    assert "Resources(memory='4Gi')" in memory
    assert wrong({"cpu": 1, "cpu_limit": 1, "memory_limit": "4Gi"}, resources=asked) == []


@pytest.mark.parametrize(("size", "starts"), [(ARGUMENT - 3, True), (ARGUMENT - 2, False)])
def test_linux_starts_a_program_exactly_if_a_variable_is_not_too_long(
    size: int, starts: bool
) -> None:
    value = "x" * size
    said = [text for text in wrong({"env": {"A": value}}) if "'A' takes" in text]

    assert said == [] if starts else len(said) == 1
    try:
        subprocess.run(["/bin/true"], env={"A": value}, check=True)
    except OSError:
        assert not starts
    else:
        assert starts


def test_a_command_line_that_is_too_long_is_refused_with_its_size() -> None:
    many = [f"library-{number}=={number}" for number in range(10_000)]

    with pytest.raises(CannotRun, match=r"The container.* of a pod takes \d{3},\d{3} bytes"):
        compiled(job(hello.graph()), requirements=many)


@pytest.mark.parametrize(
    ("image", "fits"),
    [
        ("python", True),
        ("python:3.11-slim", True),
        ("localhost/x", True),
        ("Registry.example:5000/team/a__b/c-d.e:1.0", True),
        (f"ghcr.io/acme/ml:3@sha256:{'a' * 64}", True),
        ("ghcr.io/Acme/ml", False),
        ("ml:", False),
        ("ml:a b", False),
        ("ml@sha256:abc", False),
        ("https://ghcr.io/acme/ml", False),
        ("a" * 600, False),
        ("a-" * 200 + "!", False),
    ],
)
def test_images_are_called_as_those_who_fetch_them_want_it(image: str, fits: bool) -> None:
    assert is_image(image) is fits


SLOTS = (
    ("numpy", "a.b_c-1", "A", "a_", "é"),
    ("", "[x]", "[ x, y_z ]", "[]", "[x"),
    ("", " ", "\t"),
    ("", ">=2", "==1.*", "~=1.0,<3", "( >= 1 , != 2 )", "===x", "=> 2", ">=1,", " 1!2+local"),
    ("", " ; python_version < '3.12'", ";os_name=='nt' and extra == 'x'", ";"),
)


def is_readable(text: str) -> bool:
    try:
        Requirement(text)
    except InvalidRequirement:
        return False
    return True


@given(text=st.tuples(*map(st.sampled_from, SLOTS)).map("".join))
def test_every_requirement_that_pip_can_read_is_one(text: str) -> None:
    assert is_requirement(text) or not is_readable(text)


def test_a_shape_that_knows_no_extras_is_noticed() -> None:
    """As it would be by the test above, which draws from the same."""
    drawn = ["".join(parts) for parts in product(*SLOTS)]
    narrow = re.compile(r"[A-Za-z0-9._-]+\s*([=~!<>]+.*|\(.*)?(\s*;.*)?")

    assert any(is_readable(text) and not narrow.fullmatch(text) for text in drawn)
    assert not all(map(is_readable, drawn))


@pytest.mark.parametrize("text", ["", " ", "-r x", "a b", "a ==", "a\0", "!a", "a[", ">=2"])
def test_what_pip_cannot_read_is_none(text: str) -> None:
    assert not is_requirement(text)


@pytest.mark.parametrize("text", ["/wheels/a b.whl", "./a", "git+https://example.com/a@main#egg=a"])
def test_paths_and_addresses_are_left_to_pip(text: str) -> None:
    assert is_requirement(text)


@given(parts=st.lists(st.sampled_from(["a", "b", ".", "", "dev"]), min_size=1, max_size=6))
def test_one_place_has_one_spelling(parts: list[str]) -> None:
    path = f"/{'/'.join(parts)}"
    one = mounts.folder(path)

    assert mounts.folder(one) == mounts.folder(f"{path}/") == mounts.folder(f"/{path}") == one
    assert one == posixpath.normpath(f"/{path.strip('/')}")


@pytest.mark.parametrize("pods", [0, 1001])
def test_shares_are_as_many_as_a_pipeline_has_room_for(pods: int) -> None:
    (problem,) = problems("step train", {"pods": pods})
    assert "1 to 1,000" in problem


@pytest.mark.parametrize(
    "requirement",
    [
        "pkg @ https://tok:OTHERSECRET123456@example.org/y.whl",
        "pkg @ git+https://:tok123@example.org/y",
    ],
)
def test_a_requirement_with_credentials_is_refused_and_does_not_show_them(requirement: str) -> None:
    (problem,) = problems("step train", {"requirements": [requirement]})
    assert "has credentials in it" in problem
    assert "OTHERSECRET" not in problem
    assert "tok123" not in problem
