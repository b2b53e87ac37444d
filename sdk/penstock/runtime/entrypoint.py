"""One call of a plan in a process of its own: `python -m penstock.runtime.entrypoint`.

Everything it needs is in its command line: which run, which call, the digest of the plan, and the
stack as it was written, whose references are resolved here. Exit codes: 0 done, 1 the step failed,
else the code of the error (see `penstock.errors`).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from penstock.artifacts.values import Values
from penstock.errors import CannotRun, PenstockError
from penstock.model.plan import Plan
from penstock.model.records import StepRun
from penstock.runtime import capture, fingerprint, loading, logs, observer
from penstock.runtime.cache import Cache
from penstock.runtime.executor import Executor
from penstock.runtime.ledger import Ledger
from penstock.runtime.planner import Found
from penstock.stack.project import Project
from penstock.stack.registry import Registry


def execute(run: str, call: str, plan: str, stack_data: str, *, here: bool = False) -> StepRun:
    """Run one call and return its record; `here` even if a step operator is meant to run it."""
    with loading.importing("the flavors of its stack"):
        stack = Registry(Project.find()).from_data(json.loads(stack_data))
    ledger = Ledger(stack.artifact_store)
    values = Values(stack.artifact_store, fingerprint.of_names)
    data = values.fetch(plan, f"The plan of run {run}")
    loaded = Plan.from_bytes(bytes(data), run, loading.find_step)
    upstream = {}
    for name in loaded.graph.calls[call].upstream:
        record = ledger.step(run, name) or ledger.hit(run, name)
        if record is None:
            raise CannotRun(f"Step {call} of run {run} needs step {name}, which is not done yet.")
        upstream[name] = record
    executor = Executor(
        loaded, stack, ledger, values, Cache(ledger, values), observer.Silent(), Found(upstream, {})
    )
    with capture.captured(logs.StepLog(ledger.store, run, logs.RUN)):
        return executor.execute_here(call) if here else executor.execute(call)


def main(args: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="penstock.runtime.entrypoint", description=__doc__)
    for name in ("run", "call", "plan", "stack"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--here", action="store_true")
    given = parser.parse_args(args)
    try:
        done = execute(given.run, given.call, given.plan, given.stack, here=given.here)
    except PenstockError as error:
        sys.stderr.write(f"Error: {error}\n")
        return error.exit_code
    if done.failure is not None:
        sys.stderr.write(done.failure.traceback)
    return 0 if done.usable else 1


if __name__ == "__main__":
    sys.exit(main())
