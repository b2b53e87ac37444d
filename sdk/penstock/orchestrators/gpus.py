"""GPUs: each is held by one step at a time, and a step sees those that it holds.

`CUDA_VISIBLE_DEVICES` is read once in a process. Where there is one GPU, this process sees that one
and steps run in it as ever. Where there are several, a step that holds some gets a process of its
own; so does a step with a step operator, whatever there is.
"""

from __future__ import annotations

import os
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from penstock.artifacts.source import Writing
from penstock.lazy import lazy
from penstock.model.graph import Call
from penstock.model.records import StepRun
from penstock.orchestrators.capacity import Capacity, amounts
from penstock.orchestrators.machine import VISIBLE
from penstock.runtime import context
from penstock.stack.orchestrator import Job, Observer

if TYPE_CHECKING:
    from penstock.runtime.elsewhere import apart
else:
    apart = lazy("penstock.runtime.elsewhere.apart")  # only where there are several GPUs


class Gpus:
    """The GPUs of one run. As a context: what this process sees of them."""

    def __init__(self, job: Job, capacity: Capacity, observer: Observer, *, apart: bool) -> None:
        """`apart`: no step runs in this process."""
        self._calls = {call: job.plan.graph.calls[call] for call in job.pending}
        asked = {call.id: amounts(call)[2] for call in self._calls.values()}
        self._held = {call: count for call, count in asked.items() if count}
        devices = capacity.gpus if self._held else ()
        self._apart = apart
        self._several = len(devices) > 1
        self._shown = devices[0] if len(devices) == 1 and capacity.declared.gpu else None
        self._job = job
        self._observer = observer
        self._free = list(devices)
        self._order = {device: place for place, device in enumerate(devices)}
        self._lock = threading.Lock()
        self._noted = False

    def __enter__(self) -> None:
        if self._shown is not None:
            _visible.show(self._shown)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._shown is not None:
            _visible.restore()

    def execute(self, call_id: str, /, *, writing: Writing) -> StepRun:
        """Run the call with as many GPUs as it asks for, which it holds until it is written."""
        call = self._calls.get(call_id) or self._calls[call_id.rpartition(".")[0]]  # an item's map
        gathers = bool(call.over) and call.id == call_id
        if gathers or call.id not in self._held:
            return self._job.execute(call_id, writing=writing)
        devices = self._taken(self._held[call.id])
        try:
            if self._goes_apart(call):
                return self._job.execute(call_id, environment={VISIBLE: ",".join(devices)})
            with context.holding(devices):
                return self._job.execute(call_id, writing=writing)
        finally:
            with self._lock:
                self._free = sorted([*self._free, *devices], key=self._order.__getitem__)

    def _taken(self, count: int) -> tuple[str, ...]:
        """So many that nobody else holds; admission has seen to it that there are."""
        with self._lock:
            if count > len(self._free):
                raise RuntimeError(f"{count} GPUs were admitted, and {len(self._free)} are free")
            devices, self._free = tuple(self._free[:count]), self._free[count:]
        return devices

    def _goes_apart(self, call: Call) -> bool:
        if call.step.options.step_operator is not None or self._apart:
            return True
        if not self._several:
            return False
        if not any(apart.problems([call], "the orchestrator")):
            return True
        if not self._noted:
            self._noted = True
            self._observer.note(
                f"step {call.id} is defined where no other process can find it: it runs here and "
                "sees all GPUs; penstock.context().gpus names those that it holds"
            )
        return False


class _Visible:
    """What this process sees, also while several runs of it go on at once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0
        self._before: str | None = None

    def show(self, devices: str) -> None:
        with self._lock:
            if not self._runs:
                self._before = os.environ.get(VISIBLE)
                os.environ[VISIBLE] = devices
            self._runs += 1

    def restore(self) -> None:
        with self._lock:
            self._runs -= 1
            if self._runs:
                return
            if self._before is None:
                os.environ.pop(VISIBLE, None)
            else:
                os.environ[VISIBLE] = self._before


_visible = _Visible()
