"""How a run ended, and what is raised of one that failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from penstock.errors import PenstockError, RunFailed, StoreUnavailable, listed
from penstock.lazy import lazy
from penstock.model.records import Status, StepRun
from penstock.runtime.tracebacks import is_users, trim

if TYPE_CHECKING:
    from penstock.runtime.run import Run
    from penstock.stack import blame
else:
    blame = lazy("penstock.stack.blame")  # only when something has gone wrong


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a launch ended."""

    run: Run[Any]
    status: Status
    failed: tuple[StepRun, ...]
    errors: Mapping[str, BaseException]
    """What the failed steps raised, by step."""
    read: RunFailed | None = None
    """What the records say went wrong, if the steps ran elsewhere."""

    @property
    def error(self) -> RunFailed | None:
        """What `.run()` raises of it, if anything."""
        if self.status.usable or self.read is not None:
            return self.read
        if not self.failed:
            return run_failed(self.run, ())
        cause = self.errors.get(self.failed[0].call)
        is_stores = isinstance(cause, StoreUnavailable) and not is_users(cause)
        error = (_store_failed if is_stores else run_failed)(self.run, self.failed)
        error.__cause__ = cause
        return error


def raised(error: BaseException, function: Callable[..., Any] | None = None) -> BaseException:
    """What `.run()` raises in the place of an error: what a component should not have raised is
    said as that component's, and of the frames only the user's are left, if there are any. A
    defect of ours keeps all."""
    said = blame.blamed(error) or error
    if isinstance(said, PenstockError) or is_users(said):
        trim(said, function)
    return said


def run_failed(run: Run[Any], failed: Sequence[StepRun]) -> RunFailed:
    """The error for a run with these failed steps, of which the first is told."""
    hint = f"penstock run show {run.id}"
    if not failed:
        missing = [view.id for view in run if not view.status.usable]
        return RunFailed(
            f"The orchestrator came back, but nobody has run these steps of {run.pipeline!r}: "
            f"{listed(missing)}.",
            run=run,
            hint=hint,
        )
    first = failed[0]
    why = f"{first.failure.kind}: {first.failure.message}" if first.failure else first.status
    return RunFailed(
        f"Step {first.call} of {run.pipeline!r} failed: {why}{_others(failed)}", run=run, hint=hint
    )


def _store_failed(run: Run[Any], failed: Sequence[StepRun]) -> RunFailed:
    """The same where the step has done its work, and the store did not take or give: one message,
    and the exit code of that."""
    first = failed[0]
    said, *cures = first.failure.message.splitlines() if first.failure else [str(first.status)]
    error = RunFailed(
        f"Step {first.call} of {run.pipeline!r} failed: {said}{_others(failed)}",
        run=run,
        hint="\n".join([*cures, f"penstock run show {run.id}"]),
    )
    error.exit_code = StoreUnavailable.exit_code
    return error


def _others(failed: Sequence[StepRun]) -> str:
    others = len(failed) - 1
    return f" (and {others} more failed)" if others else ""
