"""Writes what is compiled now into the files beside this one:

    python tests/integrations/penstock_kubeflow/golden/anew.py

Whoever does that reads the difference: Kubeflow is told exactly this.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).resolve().parent
sys.path += [str(HERE.parent)]

import large_graphs  # noqa: E402
from drawn_jobs import job  # noqa: E402

from penstock_kubeflow import KubeflowOrchestrator, document  # noqa: E402
from penstock_kubeflow.compiling import compile  # noqa: E402

EVERYTHING: Final[dict[str, Any]] = {
    "image": "registry.example/team/gpu:7",
    "env": {"MODE": "fast"},
    "secret_env": {"DB_URL": "database/url", "DB_USER": "database/user"},
    "config_env": {"TZ": {"name": "site", "key": "timezone", "optional": True}},
    "field_env": {"NODE": "spec.nodeName"},
    "secret_files": {"/etc/tls": "certificates"},
    "config_files": {"/etc/site": "settings"},
    "cpu": 1.5,
    "cpu_limit": 4,
    "memory": "2Gi",
    "memory_limit": "8Gi",
    "accelerator": "nvidia.com/gpu",
    "accelerator_count": 2,
    "node_selector": {"pool": "a100"},
    "node_affinity": [
        {"labels": [{"key": "zone", "values": ["a", "b"]}]},
        {"fields": [{"key": "metadata.name", "operator": "NotIn", "values": ["old"]}], "weight": 5},
    ],
    "tolerations": [
        {"key": "gpu", "operator": "Exists", "effect": "NoSchedule"},
        {"key": "spot", "value": "yes", "effect": "NoExecute", "seconds": 60},
    ],
    "claims": {"/data": "images", "/models": {"name": "models", "sub_path": "v2"}},
    "empty_dirs": {"/scratch": "20Gi"},
    "ephemeral_volumes": {"/big": {"size": "500Gi", "storage_class": "fast"}},
    "shared_memory": "2Gi",
    "labels": {"team": "vision"},
    "annotations": {"example.com/why": "nightly: 100 %"},
    "pull_policy": "Always",
    "pull_secrets": ["registry"],
    "security_context": {"run_as_user": 1000, "run_as_group": 0, "run_as_non_root": True},
    "deadline": 3600,
    "requirements": ["numpy>=2", "scikit-learn==1.5"],
}

GOLDEN: Final[Mapping[str, Callable[[], str]]] = {
    "hello": lambda: text(job(large_graphs.hello.graph())),
    "map": lambda: text(job(large_graphs.spread.graph(width=10), done=["double.0", "double.1"])),
    "known-later": lambda: text(job(large_graphs.known_later.graph(), settings={"pods": 2})),
    "settings": lambda: text(job(large_graphs.hello.graph(), settings=EVERYTHING)),
    "exit": lambda: text(job(large_graphs.chain.graph(length=3), ends=True)),
    "retries": lambda: text(job(large_graphs.hard.graph())),
    "nested": lambda: text(job(large_graphs.wide.graph(width=12)), limit=2500),
}


def text(drawn: Any, **options: Any) -> str:
    orchestrator = KubeflowOrchestrator(image="registry.example/team/python:3")
    return document.text(compile(drawn, orchestrator, **options))


def main() -> None:
    for name, made in GOLDEN.items():
        (HERE / f"{name}.yaml").write_text(made())


if __name__ == "__main__":
    main()
