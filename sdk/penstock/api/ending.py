"""How a command line ends: its result on stdout, one message on stderr, an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from penstock.errors import PenstockError, RunFailed
from penstock.lazy import lazy
from penstock.runtime import terminal

if TYPE_CHECKING:
    from penstock.stack import blame
else:
    blame = lazy("penstock.stack.blame")  # for errors that are nobody's own

INTERRUPTED: Final = 130


class ReaderGone(Exception):
    """Whoever read our result has seen enough. A type of its own: click ends the process with 1
    for a broken pipe."""


def say(text: str, *, colours: bool = False) -> None:
    """Lines of the result. Where there is no stdout, nothing happens."""
    if sys.stdout is None:
        return
    try:
        terminal.write(f"{text}\n", sys.stdout, colours=colours)
    except BrokenPipeError as error:
        raise ReaderGone from error
    except OSError as error:
        _leave_stdout()
        raise PenstockError(f"The result cannot be printed: {error.strerror}.") from error


def remark(text: str) -> None:
    """Lines about the result, or about why there is none. This never fails."""
    if sys.stderr is not None:
        with suppress(OSError, ValueError):
            terminal.write(f"{text}\n", sys.stderr)


def ended(work: Callable[[], object]) -> int:
    """Do the work; the exit code. What is the user's to put right is told, the rest raised."""
    try:
        code = work()
    except PenstockError as error:
        if isinstance(error, RunFailed) and error.telling is not None:
            # Of a failure that was passed on as data nobody needs to be told here.
            failed = (view for view in error.run if not view.record.usable)
            step = next(view for view in failed if view.record.failure)
            remark(step.record.failure.traceback.rstrip("\n"))
        remark(f"Error: {error}")
        return error.exit_code
    except click.UsageError as error:
        way_out = f"\nType: {error.ctx.command_path} --help" if error.ctx else ""
        message = error.format_message().replace("\n\t", " ")  # click's own lists
        remark(f"Error: {message}{way_out}")
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except (ReaderGone, BrokenPipeError):
        _leave_stdout()
        return 0
    except Exception as error:
        if (said := blame.blamed(error)) is None:
            raise
        remark(f"Error: {said}")
        return said.exit_code
    return code if type(code) is int else 0  # of a command that has chosen one


def _leave_stdout() -> None:
    """Python would try once more at its exit, and complain once more."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
