"""A notebook as a module: of all that cells have executed, what steps need and no more."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from penstock.errors import CannotRun
from penstock.runtime.bundle import cells
from penstock.runtime.bundle.cells import Statement
from penstock.runtime.bundle.declared import Declared
from penstock.runtime.bundle.wanted import Wanted, lines_of


def module(declared: Sequence[Declared]) -> str:
    """The source of a module that has these. Raises `CannotRun`."""
    wanted = Wanted(vars(sys.modules["__main__"]), _executed(declared))
    for item in declared:
        wanted.add(item)
    return wanted.source()


def _executed(declared: Iterable[Declared]) -> list[Statement]:
    """What the cells of this notebook have executed. Raises `CannotRun`."""
    shell = _shell()
    if shell is None:
        names = ", ".join(repr(item.reference.partition(":")[2]) for item in declared)
        raise CannotRun(
            f"{names} cannot run on another machine: what is typed at a prompt, or given with "
            "`python -c`, is written nowhere.",
            hint="Write it in a file, or in a notebook.",
        )
    texts = [str(text) for text in shell.history_manager.input_hist_parsed]
    known = {text.rstrip("\n") for text in texts}
    # Some front ends run cells that the history does not have.
    more = ["".join(lines_of(item) or ()) for item in declared]
    texts += [text for text in more if text and text.rstrip("\n") not in known]
    return cells.statements(texts, shell.transform_cell)


def _shell() -> Any:
    """IPython, if this process's `__main__` is what its cells define."""
    found: Any = sys.modules.get("IPython")
    shell = found.get_ipython() if found is not None else None
    return shell if shell is not None and shell.user_ns is vars(sys.modules["__main__"]) else None
