"""Settings: plain data becomes settings, or complaints that say what to write instead."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import CannotRun
from penstock.stack import describe
from penstock_kubeflow import settings
from penstock_kubeflow.foreign import ABSENT, FOREIGN, IMPOSSIBLE
from penstock_kubeflow.parts import Key, Toleration
from penstock_kubeflow.settings import NAMES, Settings, joined, merged, problems, read


def wrong(values: dict[str, Any], **options: Any) -> list[str]:
    return list(problems("step train (train.py:3)", values, **options))


def test_nothing_said_is_the_defaults_and_brings_no_library() -> None:
    assert read({}) == Settings()
    code = (
        "import sys; from penstock_kubeflow import settings; settings.joined({}, {}, {}); "
        "list(settings.problems('', {})); print({'pydantic', 'kfp', 'yaml'} & set(sys.modules))"
    )
    argv = [sys.executable, "-c", code]
    assert subprocess.run(argv, capture_output=True, text=True, check=True).stdout == "set()\n"


def test_plain_data_becomes_what_the_types_say() -> None:
    made = read(
        {
            "cpu": 2,
            "secret_env": {"A": "s/k", "B": {"name": "s", "key": "k", "optional": True}},
            "tolerations": [{"key": "gpu", "operator": "Exists"}],
        }
    )
    assert (made.cpu, type(made.cpu)) == (2.0, float)
    assert made.secret_env == {"A": "s/k", "B": Key(name="s", key="k", optional=True)}
    assert list(made.tolerations) == [Toleration(key="gpu", operator="Exists")]


def test_tuples_are_as_good_as_lists() -> None:
    assert list(read({"pull_secrets": ("a", "b")}).pull_secrets) == ["a", "b"]


def test_none_is_as_if_nothing_was_said() -> None:
    assert read({"image": None, "env": None, "pods": None}) == Settings()
    assert joined({"image": "a", "env": {"A": "1"}}, {}, {"image": None, "env": None}) == Settings()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"imge": "a"}, "there is no setting 'imge'. Did you mean 'image'?"),
        ({"qqqq": 1}, "there is no setting 'qqqq'. Settings: 'image', "),
        ({"image_pull_policy": "Always"}, "Here that is 'pull_policy'."),
        ({"gpu_limit": 1}, "Here that is 'accelerator_count'."),
        ({"node_selectors": {}}, "Here that is 'node_selector'."),
        ({"k8s_env": {}}, "Here that is 'secret_env'."),
        ({"kubeflow_hostname": "x"}, "penstock orchestrator update NAME --host."),
        ({"kubernetes_namespace": "x"}, "penstock orchestrator update NAME --namespace."),
        ({"retries": 3}, "Here that is an option of the step: @step(retries=3)."),
        ({"pod_affinity": []}, "its driver reads only the affinity to nodes."),
        ({"cap_drop": ["ALL"]}, "it drops all capabilities by itself."),
        ({"read_only_root_filesystem": True}, "Kubeflow Pipelines has no place for it"),
        ({"cpu": "2"}, "setting 'cpu': '2' does not fit: a number is needed."),
        ({"cpu": -1}, "'cpu': -1.0 does not fit: a positive number is needed."),
        ({"memory": "4 GB"}, "'memory': '4 GB' does not fit: for example '4Gi' is needed."),
        ({"memory": 4}, "'memory': 4 does not fit: text is needed. Write '4Gi'."),
        ({"memory": 2**32}, "4294967296 does not fit: text is needed. Write '4294967296'."),
        ({"cpu": "500m"}, "'500m' does not fit: a number is needed. Write 0.5."),
        ({"env": {"A": 5}}, "'env.A': 5 does not fit: text is needed. Write '5'."),
        ({"env": {"A": True}}, "True does not fit: text is needed. Write 'true'."),
        ({"labels": {"a": 1000}}, "1000 does not fit: text is needed. Write '1000'."),
        ({"pull_secrets": "a"}, "a list, each item text is needed. Write ['a']."),
        ({"deadline": "10m"}, "a number is needed. Write 600, which is seconds."),
        ({"deadline": 1e12}, "at most 2,147,483,647, or none at all, is needed."),
        ({"security_context": {"run_as_user": 2**31}}, "at most 2,147,483,647 is needed."),
        ({"security_context": {"run_as_user": "5"}}, "a whole number is needed. Write 5, without"),
        ({"security_context": {"run_as_non_root": "True"}}, "Write true, without quotes."),
        ({"pods": 0}, "'pods': 0 does not fit: 1 to 1,000 is needed."),
        ({"pods": True}, "'pods': True does not fit: a whole number is needed."),
        ({"pods": 2.5}, "'pods': 2.5 does not fit: a whole number is needed."),
        ({"deadline": "10m"}, "'deadline': '10m' does not fit: a number is needed."),
        ({"pull_policy": "always"}, "one of 'Always', 'IfNotPresent', 'Never' is needed."),
        ({"env": ["A=1"]}, "setting 'env': a mapping, each value text is needed."),
        ({"env": {"A B": "1"}}, "'A B' is no name of an environment variable."),
        ({"secret_env": {"A": "s"}}, "'A' needs 'name/key', the name of a Secret and a key"),
        ({"config_env": {"A": "s/"}}, "'A' needs 'name/key', the name of a ConfigMap and a key"),
        (
            {"secret_env": {"A": {"name": "s"}}},
            "setting 'secret_env.A': 'key' is missing in it.",
        ),
        (
            {"secret_env": {"A": {"name": "s", "key": "k", "optional": "yes"}}},
            "setting 'secret_env.A.optional'",
        ),
        ({"tolerations": [{"operater": "Exists"}]}, "there is no 'operater' in it."),
        ({"tolerations": [{}]}, "without a key, the operator must be 'Exists'."),
        (
            {"tolerations": [{"key": "a", "seconds": 5}]},
            "seconds are only for the effect 'NoExecute'.",
        ),
        ({"node_affinity": [{}]}, "labels or fields are needed."),
        (
            {"node_affinity": [{"labels": [{"key": "a"}]}]},
            "In of 'a' takes values.",
        ),
        (
            {"node_affinity": [{"labels": [{"key": "a", "values": ["b"]}], "weight": 0}]},
            "the weight 0 is not from 1 to 100.",
        ),
        ({"claims": {"data": "images"}}, "'data' is no absolute path of a folder."),
        ({"claims": {"/": "images"}}, "'/' is no absolute path of a folder."),
        ({"claims": {"/data": "My.Claim"}}, "'My.Claim' cannot be the name of a volume"),
        ({"claims": {"/data": "s3-scratch"}}, "'s3-scratch' cannot be the name of a volume"),
        ({"claims": {"/.cache/": "images"}}, "at '/.cache/' Kubeflow mounts a folder of its own."),
        ({"empty_dirs": {"/a": "much"}}, "'much' does not fit: for example '20Gi' is needed."),
        ({"ephemeral_volumes": {"/a": ""}}, "'' does not fit: for example '20Gi' is needed."),
        (
            {"secret_files": {"/a": "tls", "/b": "tls"}},
            "'tls' is mounted 2 times. Kubeflow names a volume after what is in it",
        ),
        (
            {"secret_files": {"/a": "site"}, "config_files": {"/b": "site"}},
            "setting 'config_files': 'site' is mounted 2 times.",
        ),
        (
            {"env": {"A": "1"}, "secret_env": {"A": "s/k"}},
            "setting 'secret_env': the environment variable 'A' is in 'env' as well.",
        ),
        (
            {"claims": {"/a": "one"}, "empty_dirs": {"/a": "1Gi"}},
            "setting 'empty_dirs': the folder '/a' is in 'claims' as well.",
        ),
        ({"labels": {"a": "no good value"}}, "'no good value' of 'a' cannot be a value there."),
        ({"annotations": {"a b": "fine"}}, "'a b' cannot be a key there."),
        ({"labels": {"pipeline/runid": "1"}}, "Kubeflow knows its own pods."),
        ({"pull_secrets": ["My_Secret"]}, "'My_Secret' is no name that Kubernetes has."),
        ({"security_context": {"run_as_user": -1}}, "-1 does not fit: 0 or more is needed."),
        (
            {"security_context": {"privileged": True}},
            "there is no 'privileged' in it. Kubeflow Pipelines has no place for it",
        ),
        (
            {"security_context": {"runAsUser": 1}},
            "'security_context': there is no 'runAsUser' in it. Here that is 'run_as_user'.",
        ),
        (
            {"security_context": {"qqq": 1}},
            "in it. There are 'run_as_user', 'run_as_group', 'run_as_non_root'.",
        ),
        (
            {"tolerations": [{"key": "a", "tolerationSeconds": 5}]},
            "'tolerations[0]': there is no 'tolerationSeconds' in it. Here that is 'seconds'.",
        ),
        (
            {"node_affinity": [{"labels": [{"key": "a", "vals": ["b"]}]}]},
            "'node_affinity[0].labels[0]': there is no 'vals' in it. Did you mean 'values'?",
        ),
        ({"claims": {"/a": {"claimName": "a"}}}, "'claims./a': there is no 'claimName' in it. "),
        (
            {"secret_env": {"A": {"s": "k"}}},
            "there is no 's' in it. There are 'name', 'key', 'optional', or as text: 'NAME/KEY'.",
        ),
        ({"secret_env": {"A": "S_/k"}}, "'A' has before the '/' what is no name of a Secret"),
        ({"config_env": {"A": "s/a b"}}, "'A' has after the '/' what is no key of a ConfigMap"),
        ({"secretEnv": {}}, "there is no setting 'secretEnv'. Here that is 'secret_env'."),
        ({"runAsUser": 5}, "there is no setting 'runAsUser'. Here that is 'security_context'."),
        ({"podAffinity": []}, "its driver reads only the affinity to nodes."),
        ({"accelerator": "a b"}, "for example 'nvidia.com/gpu' is needed."),
        ({"accelerator_count": -1}, "0 or more is needed."),
        ({"requirements": ["--index-url=x"]}, "'--index-url=x' is no requirement"),
        ({"requirements": "numpy"}, "'numpy' does not fit: a list"),
        ({"image": "my image"}, "'my image' is no name of an image."),
        ({"env": {"A": "{{workflow.name}}"}}, "takes for a placeholder of its own."),
        ({"annotations": {"a": "{{x"}}, "setting 'annotations' holds '{{'"),
        ({"cpu": float("nan")}, "'cpu'"),
        ({"image": b"bytes"}, "'image'"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(values: dict[str, Any], said: str) -> None:
    complaints = wrong(values)
    assert len(complaints) == 1, complaints
    assert complaints[0].startswith("step train (train.py:3): ")
    assert said in complaints[0]


def test_everything_is_told_at_once() -> None:
    assert len(wrong({"imge": "a", "cpu": "many", "pods": "few"})) == 3
    with pytest.raises(CannotRun) as caught:
        read({"imge": "a", "cpu": "many"}, "pipeline p")
    assert str(caught.value).count("pipeline p: ") == 2


def test_a_value_of_a_variable_is_never_shown() -> None:
    (complaint,) = wrong({"env": {"PIN": 74_113}})
    assert complaint.endswith("setting 'env.PIN': text is needed. Write it in quotes.")
    (complaint,) = wrong({"secret_env": {"PIN": "74113_X/pin"}})
    assert "74113" not in complaint


def test_a_service_account_is_of_a_run() -> None:
    assert "'a b' is no name" in wrong({"service_account": "a b"}, of_step=False)[0]
    assert "Give it to the pipeline" in wrong({"service_account": "trainer"})[0]
    assert wrong({"service_account": "trainer"}, of_step=False) == []


@pytest.mark.parametrize("name", [*FOREIGN, *ABSENT, *IMPOSSIBLE])
def test_no_word_of_another_tool_is_one_of_ours(name: str) -> None:
    assert name not in NAMES
    assert FOREIGN.get(name, "image") in NAMES


def test_every_setting_has_a_help_text() -> None:
    told = describe.descriptions(Settings)
    assert [item.name for item in fields(Settings) if len(told.get(item.name, "")) < 15] == []


def test_mappings_are_taken_together_and_all_else_is_replaced() -> None:
    made = joined(
        {"env": {"A": "1", "B": "1"}, "pull_secrets": ["a"], "cpu": 1},
        {"env": {"B": "2"}, "pull_secrets": ["b"]},
        {"env": {"C": "3"}},
    )
    assert made.env == {"A": "1", "B": "2", "C": "3"}
    assert list(made.pull_secrets) == ["b"]
    assert made.cpu == 1


def test_a_variable_that_comes_from_elsewhere_now_is_not_both() -> None:
    made = joined({"env": {"A": "1", "B": "1"}}, {}, {"secret_env": {"A": "database/url"}})
    assert (made.env, made.secret_env) == ({"B": "1"}, {"A": "database/url"})


def test_a_folder_that_comes_from_elsewhere_now_is_not_both() -> None:
    made = joined({"claims": {"/data": "images"}}, {"empty_dirs": {"/data": "1Gi"}}, {})
    assert (made.claims, made.empty_dirs) == ({}, {"/data": "1Gi"})


layers = st.dictionaries(
    st.sampled_from(["env", "secret_env", "image", "labels"]),
    st.one_of(st.none(), st.dictionaries(st.sampled_from("ABC"), st.text("xyz", max_size=2))),
)


@given(one=layers, two=layers, three=layers)
def test_layers_can_be_taken_together_in_any_grouping(one: Any, two: Any, three: Any) -> None:
    whole = merged(one, two, three)
    assert merged(merged(one, two), {k: v for k, v in three.items() if v is not None}) == merged(
        one, two, {k: v for k, v in three.items() if v is not None}
    )
    assert all(value is not None for value in whole.values())


def test_all_names_are_listed() -> None:
    assert set(NAMES) == {item.name for item in fields(Settings)}
    assert Settings().pods == settings.PODS
