"""Apart: a step in a process of its own on this machine."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence

from penstock.errors import LostStep
from penstock.model.graph import Call
from penstock.runtime import secrets
from penstock.runtime.deadline import too_long
from penstock.runtime.elsewhere import interpreters, search_path
from penstock.runtime.elsewhere.child import Child
from penstock.runtime.elsewhere.handed import Handed
from penstock.runtime.masking import Mask
from penstock.stack.orchestrator import Job
from penstock.stack.project import Project


def run(
    job: Job,
    call_id: str,
    *,
    python: str | None = None,
    directory: str | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a call and wait. What happened is in the store afterwards, or is raised: `LostStep`,
    `StepTimeout`, or `CannotRun` if that interpreter cannot run any."""
    python = python or sys.executable
    environment = _environment(job, python, env or {})

    def argv(tell: int, left: Sequence[int]) -> Sequence[str]:
        _, *words = job.command(call_id)
        # Without -P the working directory would be looked through before everything else.
        return [
            *(python, "-P", *words, "--parent", str(os.getpid()), "--tell", str(tell)),
            *(("--directory", directory) if directory else ()),
            *(("--testaments", *map(str, left)) if left else ()),
        ]

    try:
        child = Child(argv, environment, _mask(job))
    except OSError as error:
        raise LostStep(f"{python} cannot be started: {error.strerror}.") from error
    code = child.wait()
    if child.is_done:
        return
    if child.overdue:
        raise too_long(call_id, child.overdue, killed=True)
    if not interpreters.is_ours(python):
        interpreters.check(python, environment)
    raise lost(code, child.last_lines)


def _mask(job: Job) -> Mask:
    """Hides the secrets of the run; of a job that is not ours, what its steps alone are given."""
    return job.mask if isinstance(job, Handed) else Mask(job.environment.values())


def problems(calls: Sequence[Call], who: str) -> Iterator[str]:
    """The steps that no other process can find, a sentence each."""
    for call in calls:
        module, _, name = call.step.reference.partition(":")
        if module == "__main__":
            yield (
                f"step {call.id} ({call.where}) is defined where no other process can find it, in "
                f"a notebook or at a prompt, and {who} runs it in another one. Put it in a file, "
                "and import it from there"
            )
        elif "<locals>" in name:
            yield (
                f"step {call.id} ({call.where}) is defined inside a function, where no other "
                f"process can find it, and {who} runs it in another one. Put it at the top level "
                "of its module"
            )


def _environment(job: Job, python: str, env: Mapping[str, str]) -> dict[str, str]:
    """Ours, without what is in it for other steps, and with what this one needs."""
    found = secrets.outside()
    if interpreters.is_ours(python):
        folders = search_path.for_same()
    else:
        folders = search_path.for_other(Project.find().root)
        found.pop("PYTHONHOME", None)  # it says where the standard library of our own is
    found |= {**env, **job.environment}
    path = [*folders, *filter(None, found.get("PYTHONPATH", "").split(os.pathsep))]
    return found | {"PYTHONPATH": os.pathsep.join(dict.fromkeys(path))}


def lost(code: int, said: Sequence[str]) -> LostStep:
    """The error for a step whose process has ended like this and left nothing."""
    return LostStep(_ended(code, said), last_lines="".join(said))


def _ended(code: int, said: Sequence[str]) -> str:
    errors = [line.strip() for line in said if line.startswith("Error: ")]
    if code > 1 and errors:  # one of ours, told by the entrypoint
        return f"Its process could not run it. {errors[-1].removeprefix('Error: ')}"
    if code >= 0:
        return f"Its process ended with exit code {code} and left no result."
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = " (of memory there may have been too little)" if -code == signal.SIGKILL else ""
    return f"Its process was killed by {name}{why}."
