"""Capacity: what an orchestrator has for steps, and what they ask of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Final

from penstock.model.graph import Call
from penstock.model.resources import Resources, memory_bytes
from penstock.orchestrators.machine import Machine, numbered

Amounts = tuple[int, int, int]
"""Millionths of cores, bytes, GPUs. Whole numbers: they add up again to what they were."""

KINDS: Final = ("cpu", "memory", "gpu")

_CORE: Final = 1_000_000


class Capacity:
    """What is declared; of what is not, what the machine has, found out when it is asked for."""

    def __init__(self, declared: Resources | None, machine: Machine) -> None:
        self.declared = declared or Resources()
        self._machine = machine

    @cached_property
    def seen(self) -> tuple[str, ...]:
        """The GPUs that this process sees."""
        return self._machine.gpus()

    @cached_property
    def gpus(self) -> tuple[str, ...]:
        """The GPUs for steps, each as `CUDA_VISIBLE_DEVICES` names it: the first that are seen, or
        by number where none is, but some are declared."""
        count = self.declared.gpu
        if count is None:
            return self.seen
        return self.seen[:count] if self.seen else numbered(count)

    def has(self, kind: str) -> int:
        """How much there is of one kind, as in `Amounts`."""
        if kind == "gpu":
            return len(self.gpus)
        if kind == "cpu":
            return _cores(self.declared.cpu or self._machine.cores())
        memory = self.declared.memory
        return self._machine.memory() if memory is None else memory_bytes(memory)

    def of(self, asked: Iterable[Amounts]) -> Amounts:
        """How much there is of every kind that is asked for; 0 of the others."""
        wanted = map(any, zip(*asked, strict=True))
        cpu, memory, gpu = (
            self.has(kind) if want else 0 for kind, want in zip(KINDS, wanted, strict=True)
        )
        return cpu, memory, gpu


def amounts(call: Call) -> Amounts:
    """What a call asks for."""
    asked = call.step.options.resources
    if asked is None:
        return 0, 0, 0
    cpu = _cores(asked.cpu) if asked.cpu else 0
    return cpu, memory_bytes(asked.memory) if asked.memory else 0, asked.gpu or 0


def problems(capacity: Capacity, calls: Iterable[Call], who: str) -> Iterator[str]:
    """The steps that never fit, a sentence each, and then what helps."""
    most: dict[str, tuple[int, Call]] = {}
    steps = {id(call.step): call for call in reversed(list(calls))}  # of a map the first item
    for call in reversed(steps.values()):
        for kind, amount in zip(KINDS, amounts(call), strict=True):
            if amount and amount > capacity.has(kind):
                has = written(kind, capacity.has(kind)) if capacity.has(kind) else "none"
                yield (
                    f"step {call.id} ({call.where}) asks for {spoken(kind, amount)}; "
                    f"{who} has {has}"
                )
                most[kind] = max(most.get(kind, (0, call)), (amount, call), key=lambda at: at[0])
    if most:
        more = ", ".join(f"{kind}: {_asked(kind, call)}" for kind, (_, call) in most.items())
        kind, (_, call) = next(iter(most.items()))
        less = written(kind, capacity.has(kind))
        place = "configuration of the run" if call.told else "stack"  # the former wins
        yield (
            f"Declare more at the orchestrator, resources: {{{more}}}, or ask for less: "
            f"steps: {{{call.step.name}: {{resources: {{{kind}: {less}}}}}}} in the {place}"
        )
    yield from _unseen(capacity, who)


def _unseen(capacity: Capacity, who: str) -> Iterator[str]:
    count, seen = capacity.declared.gpu, capacity.seen
    if count is not None and 0 < len(seen) < count:
        yield (
            f"{who} declares {spoken('gpu', count)}, and this process sees {len(seen)} "
            f"(CUDA_VISIBLE_DEVICES={','.join(seen)})"
        )


def spoken(kind: str, amount: int) -> str:
    """An amount in words: `2 gpus`, `0.5 cpus`, `4Gi of memory`."""
    if kind == "memory":
        return f"{written(kind, amount)} of memory"
    return f"{written(kind, amount)} {kind}{'' if written(kind, amount) == '1' else 's'}"


def written(kind: str, amount: int) -> str:
    """An amount as `Resources` takes it: `0.5`, `4Gi`."""
    if kind == "cpu":
        return f"{amount / _CORE:.6g}"
    if kind == "gpu":
        return str(amount)
    for unit, power in (("Ti", 40), ("Gi", 30), ("Mi", 20), ("Ki", 10)):
        if amount >= 1 << power:
            return f"{amount / (1 << power):.4g}{unit}"
    return str(amount)


def _asked(kind: str, call: Call) -> object:
    """As the step has written it."""
    return getattr(call.step.options.resources, kind)


def _cores(count: float) -> int:
    return max(int(count * _CORE), 1)
