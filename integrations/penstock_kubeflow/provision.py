"""Provision: `up` makes the Secrets that pods need, `down --force` takes away what it has made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

from penstock.errors import EngineError, MissingReference, PenstockError, StackError
from penstock.model.component import Left
from penstock_kubeflow import kube, ways
from penstock_kubeflow.cluster import Cluster, Secret
from penstock_kubeflow.wanted import Wanted, wanted

if TYPE_CHECKING:
    from penstock_kubeflow.orchestrator import KubeflowOrchestrator

_TRIES: Final = 5
"""Looks at a Secret that somebody else is changing at the same time."""


def site(kubeflow: KubeflowOrchestrator) -> str:
    """The Secrets by their names, and where they are; empty if none is needed."""
    names = _and([each.name for each in wanted(kubeflow)])
    if not names:
        return ""
    return f"{names} {_place(kubeflow)}"


def up(kubeflow: KubeflowOrchestrator) -> Sequence[str]:
    """Make what is missing. Nothing is made if something is not known, and nothing that is there
    is written over."""
    needed = wanted(kubeflow)
    if not needed:
        return ()
    try:
        cluster = _cluster(kubeflow)
    except _Unknown as error:
        lines = "; ".join(each.command(kubeflow.namespace) for each in needed)
        names = _and([each.name for each in needed])
        return (Left(f"left {names}: {error}; or type: {lines}"),)
    with cluster:
        found = {each.name: cluster.secret(each.name) for each in needed}
        _check(kubeflow, needed, found)
        return _all_made(cluster, needed, found, _place(kubeflow))


def down(kubeflow: KubeflowOrchestrator, *, force: bool) -> Sequence[str]:
    """With `force`, take away what `up` has made and nobody has changed since."""
    needed = wanted(kubeflow)
    if not force or not needed:
        return ()
    with _cluster(kubeflow) as cluster:
        return [text for each in needed for text in _removed(cluster, each.name)]


class _Unknown(StackError):
    """Which cluster it is."""


def _cluster(kubeflow: KubeflowOrchestrator) -> Cluster:
    """Never a cluster that nobody has named: what is sent there is secret."""
    if kubeflow.host and not kubeflow.kube_context:
        raise _Unknown("which cluster the host belongs to is not said. Write kube_context: …")
    if not kube.is_there(kubeflow) and not ways.is_pod():
        raise _Unknown("no cluster is known here. Write kube_context: …")
    return Cluster(kubeflow)


def _check(
    kubeflow: KubeflowOrchestrator,
    needed: Sequence[Wanted],
    found: Mapping[str, Secret | None],
) -> None:
    lacking: list[tuple[str, str]] = []
    for each in needed:
        there = found[each.name]
        lacking += each.lacks(there.values if there else None, kubeflow.namespace)
    if lacking:
        lines = [text for text, _ in lacking]
        raise MissingReference(
            f"The orchestrator {kubeflow.name!r} needs in the namespace {kubeflow.namespace!r} "
            + "\n  ".join(["what is not known here:", *lines] if lines[1:] else lines),
            hint="; ".join(dict.fromkeys(hint for _, hint in lacking)),
        )


def _all_made(
    cluster: Cluster, needed: Sequence[Wanted], found: Mapping[str, Secret | None], place: str
) -> Sequence[str]:
    said: list[str] = []
    try:
        for each in needed:
            said += _made(cluster, each, found[each.name], place)
    except PenstockError as error:
        if said:
            error.message += f" Before that: {'; '.join(said)}."
        raise
    return said


def _made(cluster: Cluster, each: Wanted, found: Secret | None, place: str) -> Iterator[str]:
    """What was made, and what was left; a Secret without keys is not ours to make."""
    for _ in range(_TRIES):
        if found is None:
            if not each.values:
                return
            if cluster.make(each.name, each.values):
                yield f"made {_secret(each.name)} ({', '.join(each.values)}) {place}"
                return
        else:
            missing = {key: each.values[key] for key in each.values if key not in found.values}
            if not missing or cluster.change(found, missing):
                if missing:
                    yield f"made {', '.join(missing)} of {_secret(each.name)} {place}"
                yield from _different(each, found)
                return
        found = cluster.secret(each.name)
    raise _busy(each.name)


def _different(each: Wanted, found: Secret) -> Iterator[str]:
    """Pods may well have other credentials than this machine: but one should know."""
    for key, value in each.values.items():
        if key in found.values and found.values[key] != value:
            variables = " and ".join(each.variables[key])
            yield Left(f"left {key} of {_secret(each.name)}: {variables} is another one here")


def _removed(cluster: Cluster, name: str) -> Iterator[str]:
    for _ in range(_TRIES):
        found = cluster.secret(name)
        if found is None:
            return
        others = [key for key in found.values if key not in found.ours]
        if found.is_ours and not others:
            if cluster.remove(found):
                yield f"removed {_secret(name)}"
                return
        elif not found.ours or cluster.change(found, dict.fromkeys(found.ours)):
            if found.ours:
                yield f"removed {', '.join(found.ours)} of {_secret(name)}"
            if others:
                yield f"left {', '.join(others)} of {_secret(name)}, which is not of its making"
            return
    raise _busy(name)


def _busy(name: str) -> EngineError:
    return EngineError(f"Somebody changes {_secret(name)} again and again.", hint="Try it anew.")


def _secret(name: str) -> str:
    return f"the Secret {name}"


def _and(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(map(_secret, names))
    return f"the Secrets {', '.join(names[:-1])} and {names[-1]}"


def _place(kubeflow: KubeflowOrchestrator) -> str:
    context = "" if kubeflow.host and not kubeflow.kube_context else kube.context(kubeflow)
    of = f"the context {context!r}" if context else "its cluster"
    return f"in the namespace {kubeflow.namespace} of {of}"
