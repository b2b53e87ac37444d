"""`--pdb`: the debugger, opened where a step has failed."""

from __future__ import annotations

import sys

import click

from penstock.api.ending import remark


def check() -> None:
    """Raise `click.UsageError` if there is nobody to type."""
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError("--pdb needs a terminal to type at, and stdin is none.")


def look(error: BaseException | None) -> None:
    """Let the user look at the frame that raised the error, until they leave the debugger."""
    import pdb  # 30 ms, and seldom wanted

    if error is None or error.__traceback__ is None:
        remark("--pdb: the step failed in another process; there is no frame to look at here.")
        return
    remark(f"{type(error).__qualname__}: {error}")
    pdb.post_mortem(error.__traceback__)
