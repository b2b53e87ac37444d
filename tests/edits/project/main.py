"""Runs the steps of some modules, and prints what ran, what came out and what was meant to.

What was meant to come out is what comes out of a run that takes nothing from the cache.
"""

import json
import sys
from importlib import import_module
from typing import Any

from penstock import pipeline
from penstock.model.step import Step


def steps_of(name: str) -> dict[str, Any]:
    """The results of all steps of a module, or what the module itself draws of them."""
    module = import_module(name)
    if hasattr(module, "drawn"):
        return dict(module.drawn())
    return {item.name: item() for item in vars(module).values() if isinstance(item, Step)}


@pipeline(progress=False)
def everything(names: list[str]) -> dict[str, Any]:
    return {step: result for name in names for step, result in steps_of(name).items()}


def patched() -> None:
    """What a program may do before it runs its pipeline."""


if __name__ == "__main__":
    patched()
    run = everything.run(sys.argv[1:])
    meant = everything.with_options(cache=False).run(sys.argv[1:])
    computed = [view.id for view in run if view.status == "completed"]
    print(json.dumps({"ran": computed, "got": run.result(), "meant": meant.result()}))
