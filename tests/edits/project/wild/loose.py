"""Modules and attributes that are looked up while the step runs."""

import sys
from operator import attrgetter
from typing import Any

from penstock import step
from wild import lazily, targets

NAME = "plan"


def on_plan() -> int:
    return 1


def applied(module: Any, value: int) -> int:
    return int(module.handed(value))


@step
def aliases() -> int:
    module = targets
    return module.aliased(1)


@step
def hands_over() -> int:
    return applied(targets, 1)


@step
def looks_up() -> int:
    return int(getattr(targets, f"computed_{NAME}")(1))


@step
def of_vars() -> int:
    return int(vars(targets)[f"in_vars_{NAME}"](1))


@step
def of_globals() -> int:
    return int(globals()[f"on_{NAME}"]())


@step
def of_modules() -> int:
    return int(sys.modules["wild.targets"].listed(1))


@step
def of_operator() -> int:
    return int(attrgetter(f"operated_{NAME}")(targets)(1))


@step
def evaluates() -> int:
    return int(eval("targets.evaluated(1)"))


@step
def executes() -> int:
    names: dict[str, Any] = {}
    exec("from wild.targets import executed\nfound = executed(1)", names)
    return int(names["found"])


@step
def answers() -> int:
    return int(lazily.anything)
