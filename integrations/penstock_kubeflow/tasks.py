"""Tasks: what becomes a pod of its own. A call, or a share of the items of a map."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from penstock.model.graph import Call
from penstock_kubeflow.settings import Settings

if TYPE_CHECKING:
    from penstock.model.plan import Plan


@dataclass(frozen=True, slots=True)
class Task:
    """One pod."""

    name: str
    """What its entry point is told: `train`, or `train:0/4` for the first quarter of its items."""
    call: Call
    """Or one of those that it stands for: they are all of one step."""
    upstream: tuple[str, ...]
    """The names of the tasks that must be done before."""
    items: int | None = 1
    """How many calls run in it one after the other; None if nobody knows yet."""


def tasks(plan: Plan, pending: Sequence[str], settings: Mapping[int, Settings]) -> Sequence[Task]:
    """The pods of the pending calls, in an order in which they can run. `settings` by step."""
    calls = plan.graph.calls
    shares = _shares(calls, pending, settings)
    grouped: dict[str, list[str]] = {}
    names: dict[str, list[str]] = {}
    sizes: dict[str, int | None] = {}
    for id in pending:
        call = calls[id]
        made = settings[_step(call)]
        if call.over:
            names[id] = [f"{id}:{i}/{made.pods}" for i in range(made.pods)]
            sizes.update(dict.fromkeys(names[id]))
        elif id in shares:
            names[id] = [(share := shares[id])[0]]
            sizes[share[0]] = share[1]
        else:
            names[id] = [id]
        for name in names[id]:
            grouped.setdefault(name, []).append(id)
    return [
        Task(name, calls[ids[0]], _upstream(calls, ids, names), sizes.get(name, 1))
        for name, ids in grouped.items()
    ]


def _step(call: Call) -> int:
    return id(call.step)


def _upstream(
    calls: Mapping[str, Call], ids: Iterable[str], names: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Only what is in the same pipeline: the rest is done."""
    found = {name for id in ids for up in calls[id].upstream for name in names.get(up, ())}
    return tuple(sorted(found))


def _shares(
    calls: Mapping[str, Call], pending: Sequence[str], settings: Mapping[int, Settings]
) -> dict[str, tuple[str, int]]:
    """Of items that share their pods: the name of the share and how many it may hold at most."""
    waiting: dict[str, list[str]] = {}
    for id in pending:
        if calls[id].item:
            waiting.setdefault(_family(id), []).append(id)
    found: dict[str, tuple[str, int]] = {}
    for family, ids in waiting.items():
        pods = settings[_step(calls[ids[0]])].pods
        if len(ids) > pods:
            found.update(_shared(family, ids, pods, len(list(_items(family, calls)))))
    return found


def _family(item: str) -> str:
    return item.rpartition(".")[0]


def _items(family: str, calls: Mapping[str, Call]) -> Iterator[str]:
    place = 0
    while f"{family}.{place}" in calls and calls[f"{family}.{place}"].item:
        yield f"{family}.{place}"
        place += 1


def _shared(
    family: str, ids: Iterable[str], pods: int, count: int
) -> Iterator[tuple[str, tuple[str, int]]]:
    """The I-th share has the items from I*n//K to (I+1)*n//K."""
    for id in ids:
        place = int(id.rpartition(".")[2])
        share = ((place + 1) * pods - 1) // count
        yield id, (f"{family}:{share}/{pods}", -(-count // pods))
