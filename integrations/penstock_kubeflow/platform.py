"""What of a pod is Kubernetes': settings as a `KubernetesExecutorConfig` of kfp's, as data.

Numbers of 64 bits are text, as everywhere in the JSON of protobuf. A Secret is named twice, because
Kubeflow reads the parameter, and older ones only the name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from penstock_kubeflow import volumes
from penstock_kubeflow.parts import Ephemeral, Files, Key, Match, NodeAffinity, Toleration
from penstock_kubeflow.references import claim_of, files_of, key_of
from penstock_kubeflow.settings import Settings

Data = dict[str, Any]


def config(made: Settings, deadline: int | None) -> Data:
    """What stands beside the container; `deadline` in seconds."""
    said: Data = {
        "secretAsEnv": _from_keys(made.secret_env, "secret", "secretKey"),
        "configMapAsEnv": _from_keys(made.config_env, "configMap", "configMapKey"),
        "fieldPathAsEnv": [
            {"name": name, "fieldPath": path} for name, path in made.field_env.items()
        ],
        "secretAsVolume": _files(made.secret_files, "secret"),
        "configMapAsVolume": _files(made.config_files, "configMap"),
        "pvcMount": list(_claims(made)),
        "emptyDirMounts": list(_empty_dirs(made)),
        "genericEphemeralVolume": [
            _ephemeral(path, volume) for path, volume in volumes.ephemeral_volumes(made).items()
        ],
        "nodeSelector": made.node_selector and {"labels": dict(made.node_selector)},
        "nodeAffinity": [_affinity(each) for each in made.node_affinity],
        "tolerations": [_toleration(each) for each in made.tolerations],
        "podMetadata": _metadata(made.labels, made.annotations),
        "imagePullPolicy": made.pull_policy,
        "imagePullSecret": [_named("secret", name) for name in made.pull_secrets],
        "securityContext": _security(made),
        "activeDeadlineSeconds": deadline and str(deadline),
    }
    return {name: value for name, value in said.items() if value}


def _named(kind: str, name: str) -> Data:
    constant = {"runtimeValue": {"constant": name}}
    return {f"{kind}Name": name, f"{kind}NameParameter": constant}


def _from_keys(said: Mapping[str, str | Key], kind: str, word: str) -> list[Data]:
    """One entry for each Secret or ConfigMap, in the order of the variables."""
    found: dict[tuple[str, bool], list[Data]] = {}
    for name, value in said.items():
        key = key_of(value)
        variables = found.setdefault((key.name, key.optional), [])
        variables.append({word: key.key, "envVar": name})
    return [
        {**_named(kind, name), "keyToEnv": variables, "optional": optional}
        for (name, optional), variables in found.items()
    ]


def _files(said: Mapping[str, str | Files], kind: str) -> list[Data]:
    found = ((path, files_of(files)) for path, files in said.items())
    return [
        {**_named(kind, files.name), "mountPath": path, "optional": files.optional}
        for path, files in found
    ]


def _claims(made: Settings) -> Iterator[Data]:
    for path, said in made.claims.items():
        claim = claim_of(said)
        constant = {"runtimeValue": {"constant": claim.name}}
        place = {"mountPath": path, **({"subPath": claim.sub_path} if claim.sub_path else {})}
        yield {"constant": claim.name, "pvcNameParameter": constant, **place}


def _empty_dirs(made: Settings) -> Iterator[Data]:
    for path, folder in volumes.empty_dirs(made).items():
        said = {"medium": folder.medium, "sizeLimit": folder.size}
        said = {name: value for name, value in said.items() if value}
        yield {"volumeName": volumes.named("folder", path), "mountPath": path, **said}


def _ephemeral(path: str, volume: Ephemeral) -> Data:
    said: Data = {
        "volumeName": volumes.named("volume", path),
        "mountPath": path,
        "accessModes": list(volume.access_modes),
        "size": volume.size,
    }
    if volume.storage_class:
        said["storageClassName"] = volume.storage_class
    else:
        said["defaultStorageClass"] = True
    metadata = _metadata(volume.labels, volume.annotations)
    return {**said, **({"metadata": metadata} if metadata else {})}


def _metadata(labels: Mapping[str, str], annotations: Mapping[str, str]) -> Data:
    said = {"labels": dict(labels), "annotations": dict(annotations)}
    return {name: value for name, value in said.items() if value}


def _affinity(each: NodeAffinity) -> Data:
    said: Data = {"matchExpressions": _matches(each.labels), "matchFields": _matches(each.fields)}
    if each.weight is not None:
        said["weight"] = each.weight
    return {name: value for name, value in said.items() if value}


def _matches(matches: Sequence[Match]) -> list[Data]:
    return [
        {
            "key": each.key,
            "operator": each.operator,
            **({"values": list(each.values)} if each.values else {}),
        }
        for each in matches
    ]


def _toleration(each: Toleration) -> Data:
    said = {"key": each.key, "operator": each.operator, "value": each.value, "effect": each.effect}
    found: Data = {name: value for name, value in said.items() if value}
    if each.seconds is not None:
        found["tolerationSeconds"] = str(each.seconds)
    return found


def _security(made: Settings) -> Data:
    who = made.security_context
    if who is None:
        return {}
    said: Data = {
        "runAsUser": None if who.run_as_user is None else str(who.run_as_user),
        "runAsGroup": None if who.run_as_group is None else str(who.run_as_group),
        "runAsNonRoot": who.run_as_non_root,
    }
    return {name: value for name, value in said.items() if value is not None}
