"""What settings become: each lands in the container or beside it, by kfp's own definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import pytest
from drawn_jobs import Pod, compiled, job, pods
from hypothesis import given, settings
from hypothesis import strategies as st
from large_graphs import hello

from penstock.model.resources import Resources
from penstock.stack.orchestrator import ENVIRONMENT
from penstock_kubeflow import document, platform, resources
from penstock_kubeflow.parts import (
    Claim,
    EmptyDir,
    Ephemeral,
    Files,
    Key,
    Match,
    NodeAffinity,
    SecurityContext,
    Toleration,
)
from penstock_kubeflow.references import claim_of, files_of, key_of
from penstock_kubeflow.settings import NAMES, Settings
from penstock_kubeflow.volumes import named

AFFINITY = {"labels": [{"key": "zone", "values": ["a", "b"]}], "weight": 7}
EPHEMERAL = {"size": "9Gi", "storage_class": "fast", "labels": {"a": "b"}}

LANDED: Mapping[str, tuple[Any, Callable[[Pod], object], object]] = {
    "image": ("own:1", lambda p: p.container.image, "own:1"),
    "requirements": (["numpy>=2"], lambda p: p.container.args[0], "numpy>=2"),
    "env": (
        {"A": "1"},
        lambda p: [(e.name, e.value) for e in p.container.env if e.name != ENVIRONMENT],
        [("A", "1")],
    ),
    "secret_env": (
        {"A": "s/k", "B": {"name": "s", "key": "l"}},
        lambda p: [
            (
                s.secret_name,
                s.secret_name_parameter.runtime_value.constant.string_value,
                *((k.secret_key, k.env_var) for k in s.key_to_env),
            )
            for s in p.config.secret_as_env
        ],
        [("s", "s", ("k", "A"), ("l", "B"))],
    ),
    "config_env": (
        {"A": {"name": "c", "key": "k", "optional": True}},
        lambda p: [
            (c.config_map_name, c.optional, k.config_map_key, k.env_var)
            for c in p.config.config_map_as_env
            for k in c.key_to_env
        ],
        [("c", True, "k", "A")],
    ),
    "field_env": (
        {"NODE": "spec.nodeName"},
        lambda p: [(f.name, f.field_path) for f in p.config.field_path_as_env],
        [("NODE", "spec.nodeName")],
    ),
    "secret_files": (
        {"/etc/tls": "tls"},
        lambda p: [(s.secret_name, s.mount_path, s.optional) for s in p.config.secret_as_volume],
        [("tls", "/etc/tls", False)],
    ),
    "config_files": (
        {"/etc/site": {"name": "site", "optional": True}},
        lambda p: [
            (c.config_map_name, c.mount_path, c.optional) for c in p.config.config_map_as_volume
        ],
        [("site", "/etc/site", True)],
    ),
    "cpu": (0.25, lambda p: p.container.resources.resource_cpu_request, "250m"),
    "cpu_limit": (3, lambda p: p.container.resources.resource_cpu_limit, "3"),
    "memory": ("1Gi", lambda p: p.container.resources.resource_memory_request, "1Gi"),
    "memory_limit": ("2Gi", lambda p: p.container.resources.resource_memory_limit, "2Gi"),
    "accelerator": (
        "amd.com/gpu",
        lambda p: (
            p.container.resources.accelerator.resource_type,
            p.container.resources.accelerator.resource_count,
        ),
        ("amd.com/gpu", "1"),
    ),
    "accelerator_count": (2, lambda p: p.container.resources.accelerator.resource_count, "2"),
    "node_selector": ({"a": "b"}, lambda p: dict(p.config.node_selector.labels), {"a": "b"}),
    "node_affinity": (
        [AFFINITY],
        lambda p: [
            (a.weight, m.key, m.operator, list(m.values))
            for a in p.config.node_affinity
            for m in a.match_expressions
        ],
        [(7, "zone", "In", ["a", "b"])],
    ),
    "tolerations": (
        [{"key": "gpu", "operator": "Exists", "effect": "NoExecute", "seconds": 0}],
        lambda p: [
            (t.key, t.operator, t.effect, t.toleration_seconds) for t in p.config.tolerations
        ],
        [("gpu", "Exists", "NoExecute", 0)],
    ),
    "claims": (
        {"/data": "images/train"},
        lambda p: [
            (
                c.constant,
                c.pvc_name_parameter.runtime_value.constant.string_value,
                c.mount_path,
                c.sub_path,
            )
            for c in p.config.pvc_mount
        ],
        [("images", "images", "/data", "train")],
    ),
    "empty_dirs": (
        {"/scratch": {"size": "5Gi", "medium": "Memory"}},
        lambda p: [
            (e.volume_name, e.mount_path, e.medium, e.size_limit) for e in p.config.empty_dir_mounts
        ],
        [("folder-scratch", "/scratch", "Memory", "5Gi")],
    ),
    "ephemeral_volumes": (
        {"/big": EPHEMERAL},
        lambda p: [
            (
                v.volume_name,
                v.mount_path,
                v.size,
                list(v.access_modes),
                v.storage_class_name,
                v.default_storage_class,
                dict(v.metadata.labels),
            )
            for v in p.config.generic_ephemeral_volume
        ],
        [("volume-big", "/big", "9Gi", ["ReadWriteOnce"], "fast", False, {"a": "b"})],
    ),
    "shared_memory": (
        "2Gi",
        lambda p: [(e.mount_path, e.medium, e.size_limit) for e in p.config.empty_dir_mounts],
        [("/dev/shm", "Memory", "2Gi")],
    ),
    "labels": ({"a": "b"}, lambda p: dict(p.config.pod_metadata.labels), {"a": "b"}),
    "annotations": ({"a": "b c"}, lambda p: dict(p.config.pod_metadata.annotations), {"a": "b c"}),
    "pull_policy": ("Always", lambda p: p.config.image_pull_policy, "Always"),
    "pull_secrets": (
        ["one", "two"],
        lambda p: [s.secret_name for s in p.config.image_pull_secret],
        ["one", "two"],
    ),
    "security_context": (
        {"run_as_user": 0, "run_as_group": 100, "run_as_non_root": False},
        lambda p: (
            p.config.security_context.run_as_user,
            p.config.security_context.run_as_group,
            p.config.security_context.HasField("run_as_non_root"),
        ),
        (0, 100, True),
    ),
    "deadline": (90.5, lambda p: p.config.active_deadline_seconds, 91),
}
"""Each setting: a value, where it lands, and as what."""

OTHERWISE = {
    "pods": "how many tasks there are: see test_compile",
    "service_account": "of the run: see test_compile",
}


def test_every_setting_lands_somewhere() -> None:
    assert {*LANDED, *OTHERWISE} == set(NAMES)


@pytest.mark.parametrize("name", LANDED)
def test_a_setting_lands_where_kubeflow_reads_it(name: str) -> None:
    value, landed, expected = LANDED[name]
    made = compiled(job(hello.graph(), settings={name: value}))
    document.checked(made)
    assert landed(pods(made)["load"]) == expected
    assert landed(pods(compiled(hello.graph()))["load"] if name != "requirements" else plain()) != (
        expected
    )


def plain() -> Pod:
    return pods(compiled(hello.graph()))["load"]


def test_all_at_once_are_known_to_kfp() -> None:
    together = {name: value for name, (value, _, _) in LANDED.items()}
    together["secret_env"] = {"B": "s/k"}
    together["config_env"] = {"C": "c/k"}
    made = compiled(job(hello.graph(), settings=together, ends=True))
    document.checked(made)
    assert len(made.spec["deploymentSpec"]["executors"]) == 2  # a step, and the end


def test_requirements_of_a_step_take_the_place_of_those_of_the_stack() -> None:
    made = compiled(job(hello.graph(), settings={"requirements": []}), requirements=["numpy"])
    assert "numpy" not in pods(made)["load"].container.args
    assert pods(compiled(hello.graph(), requirements=["numpy"]))["load"].container.args[0] == (
        "numpy"
    )


words = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=12).filter(
    lambda text: "{{" not in text
)
sizes = st.sampled_from(["1Gi", "500Mi", "1.5G", "7"])
paths = words.map(lambda word: f"/{word}")
numbers = st.integers(0, 2**40)


def mappings(values: st.SearchStrategy[Any], keys: st.SearchStrategy[str] = words) -> Any:
    return st.dictionaries(keys, values, max_size=3)


keys = st.one_of(
    st.tuples(words, words).map("/".join),
    st.builds(Key, name=words, key=words, optional=st.booleans()),
)
files = st.one_of(words, st.builds(Files, name=words, optional=st.booleans()))
matches = st.lists(
    st.one_of(
        st.builds(
            Match,
            key=words,
            operator=st.sampled_from(["In", "NotIn"]),
            values=st.lists(words, min_size=1, max_size=3),
        ),
        st.builds(Match, key=words, operator=st.sampled_from(["Exists", "DoesNotExist"])),
    ),
    min_size=1,
    max_size=2,
)
all_settings = st.builds(
    Settings,
    secret_env=mappings(keys),
    config_env=mappings(keys),
    field_env=mappings(texts),
    secret_files=mappings(files, paths),
    config_files=mappings(files, paths),
    claims=mappings(
        st.one_of(words, st.builds(Claim, name=words, sub_path=st.one_of(st.just(""), words))),
        paths,
    ),
    empty_dirs=mappings(
        st.one_of(sizes, st.builds(EmptyDir, size=sizes, medium=st.sampled_from(["", "Memory"]))),
        paths,
    ),
    ephemeral_volumes=mappings(
        st.builds(
            Ephemeral,
            size=sizes,
            access_modes=st.lists(st.sampled_from(["ReadWriteOnce", "ReadOnlyMany"]), min_size=1),
            storage_class=st.one_of(st.just(""), words),
            labels=mappings(words),
            annotations=mappings(texts),
        ),
        paths,
    ),
    node_selector=mappings(words),
    node_affinity=st.lists(
        st.builds(
            NodeAffinity, labels=matches, fields=matches, weight=st.none() | st.integers(1, 100)
        ),
        max_size=2,
    ),
    tolerations=st.lists(
        st.one_of(
            st.builds(Toleration, key=words, value=words, effect=st.just("NoSchedule")),
            st.builds(
                Toleration,
                operator=st.just("Exists"),
                effect=st.just("NoExecute"),
                seconds=st.none() | st.integers(-5, 2**40),
            ),
        ),
        max_size=3,
    ),
    labels=mappings(words),
    annotations=mappings(texts),
    pull_policy=st.sampled_from([None, "Always", "Never", "IfNotPresent"]),
    pull_secrets=st.lists(words, max_size=3),
    security_context=st.none()
    | st.builds(
        SecurityContext,
        run_as_user=st.none() | numbers,
        run_as_group=st.none() | numbers,
        run_as_non_root=st.none() | st.booleans(),
    ),
)


@given(made=all_settings, deadline=st.none() | st.integers(1, 2**40))
@settings(max_examples=60, deadline=None)
def test_any_settings_come_back_from_kfps_own_definitions(
    made: Settings, deadline: int | None
) -> None:
    from google.protobuf import json_format
    from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes

    config = json_format.ParseDict(
        platform.config(made, deadline), kubernetes.KubernetesExecutorConfig()
    )
    assert read_back(config) == canonical(made)
    assert config.active_deadline_seconds == (deadline or 0)


def canonical(made: Settings) -> dict[str, Any]:
    """The settings, with what is said in short said in full."""
    return {
        "secret_env": {name: asdict(key_of(said)) for name, said in made.secret_env.items()},
        "config_env": {name: asdict(key_of(said)) for name, said in made.config_env.items()},
        "field_env": dict(made.field_env),
        "secret_files": {path: asdict(files_of(said)) for path, said in made.secret_files.items()},
        "config_files": {path: asdict(files_of(said)) for path, said in made.config_files.items()},
        "claims": {path: asdict(claim_of(said)) for path, said in made.claims.items()},
        "empty_dirs": {
            path: asdict(EmptyDir(size=said) if isinstance(said, str) else said)
            for path, said in made.empty_dirs.items()
        },
        "ephemeral_volumes": {
            path: asdict(said)  # type: ignore[call-overload] # never a text here
            for path, said in made.ephemeral_volumes.items()
        },
        "node_selector": dict(made.node_selector),
        "node_affinity": [asdict(each) for each in made.node_affinity],
        "tolerations": [asdict(each) for each in made.tolerations],
        "labels": dict(made.labels),
        "annotations": dict(made.annotations),
        "pull_policy": made.pull_policy or "",
        "pull_secrets": list(made.pull_secrets),
        "security_context": asdict(made.security_context or SecurityContext()),
    }


def read_back(config: Any) -> dict[str, Any]:
    """The same, from kfp's `KubernetesExecutorConfig`."""
    who = config.security_context
    return {
        "secret_env": {
            key.env_var: {"name": s.secret_name, "key": key.secret_key, "optional": s.optional}
            for s in config.secret_as_env
            for key in s.key_to_env
        },
        "config_env": {
            k.env_var: {"name": c.config_map_name, "key": k.config_map_key, "optional": c.optional}
            for c in config.config_map_as_env
            for k in c.key_to_env
        },
        "field_env": {f.name: f.field_path for f in config.field_path_as_env},
        "secret_files": {
            s.mount_path: {"name": s.secret_name, "optional": s.optional}
            for s in config.secret_as_volume
        },
        "config_files": {
            c.mount_path: {"name": c.config_map_name, "optional": c.optional}
            for c in config.config_map_as_volume
        },
        "claims": {
            c.mount_path: {"name": c.constant, "sub_path": c.sub_path} for c in config.pvc_mount
        },
        "empty_dirs": {
            e.mount_path: {"size": e.size_limit, "medium": e.medium}
            for e in config.empty_dir_mounts
            if e.volume_name == named("folder", e.mount_path)
        },
        "ephemeral_volumes": {
            v.mount_path: {
                "size": v.size,
                "access_modes": list(v.access_modes),
                "storage_class": "" if v.default_storage_class else v.storage_class_name,
                "labels": dict(v.metadata.labels),
                "annotations": dict(v.metadata.annotations),
            }
            for v in config.generic_ephemeral_volume
        },
        "node_selector": dict(config.node_selector.labels),
        "node_affinity": [
            {
                "labels": [match(m) for m in a.match_expressions],
                "fields": [match(m) for m in a.match_fields],
                "weight": a.weight if a.HasField("weight") else None,
            }
            for a in config.node_affinity
        ],
        "tolerations": [
            {
                "key": t.key,
                "operator": t.operator,
                "value": t.value,
                "effect": t.effect,
                "seconds": t.toleration_seconds if t.HasField("toleration_seconds") else None,
            }
            for t in config.tolerations
        ],
        "labels": dict(config.pod_metadata.labels),
        "annotations": dict(config.pod_metadata.annotations),
        "pull_policy": config.image_pull_policy,
        "pull_secrets": [s.secret_name for s in config.image_pull_secret],
        "security_context": {
            name: getattr(who, name) if who.HasField(name) else None
            for name in ("run_as_user", "run_as_group", "run_as_non_root")
        },
    }


def match(m: Any) -> dict[str, Any]:
    values = list(m.values) if m.values else ()
    return {"key": m.key, "operator": m.operator, "values": values}


@given(cores=st.floats(0.001, 500), size=sizes, count=st.integers(0, 16))
@settings(max_examples=40, deadline=None)
def test_amounts_are_never_less_than_was_asked_for(cores: float, size: str, count: int) -> None:
    said = resources.of(Settings(), Resources(cpu=cores, memory=size, gpu=count))
    text = said["resourceCpuLimit"]
    written = float(text[:-1]) / 1000 if text.endswith("m") else float(text)
    assert cores - 1e-9 <= written <= cores + 0.001
    assert said["cpuLimit"] == written
    assert said.get("accelerator", {}).get("count") == (str(count) if count else None)
