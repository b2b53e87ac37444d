"""Every error penstock raises on purpose.

* PenstockError
  x DeclarationError            while a step or a pipeline is declared or drawn   (exit code 2)
    + BadStep                   a function that cannot be a step or a pipeline
    + UnknownOption             an option that does not exist, often another tool's
    + ReferenceUsed             a step's output used as a value inside a pipeline
    + TypeMismatch              a value or an output that surely does not fit a parameter
    + BadArguments              a call whose arguments do not fit the signature
    + BadGraph                  a cycle, a name taken twice
  x StackError                  while a stack is being found or built             (exit code 3)
    + BadConfiguration          a file or an option that does not hold what it must
    + UnknownStack, UnknownComponent, UnknownFlavor
    + NameTaken                 something different is registered under this name
    + ImmutableComponent        a component or a stack is assigned to
    + MissingExtra              a library that a flavor needs is not installed
    + MissingReference          a `${env:…}` or `${file:…}` that leads nowhere
    + CannotRun                 a plan that this stack cannot carry out
  x NotFound                    a run, a step, an artifact that is not there      (exit code 4)
  x StoreError                  while a store is read or written                  (exit code 5)
    + NoSuchKey, KeyTaken
    + StoreUnavailable          disk full, read-only, no permission
    + StoreTooNew               written by a later version of penstock
    + CorruptArtifact           bytes that are not what their digest says
    + UntrustedArtifact         a pickle without a signature that counts here
  x EngineError                 an engine elsewhere does not answer, or refuses   (exit code 5)
    + EngineUnsure              it may have taken a job, and may not
  x RunError                    while a run is carried out                        (exit code 1)
    + RunFailed                 a step failed; carries the run
    + RunCancelled              `penstock run cancel` in another terminal          (exit code 130)
    + NotHere                   `.run()` where no run may start
    + UnsupportedValue          a value that no format takes
    + FileChanged               what a `File` leads to is not what it was
    + WrongOutputs              a step returned another number of outputs than it declares
    + StepTimeout               a step took longer than its `timeout`
    + StillRunning              `run.wait(timeout=…)`: the run goes on
    + InputFailed               a step needs an item of a map, and that has failed
    + StepError                 what a step raised in another process
    + LostStep                  the process of a step ended and left nothing
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final


class PenstockError(Exception):
    """The root. `str()` is the message and, on a line of its own, the hint."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message


class DeclarationError(PenstockError):
    """A step or a pipeline is wrong as it is written."""

    exit_code = 2


class BadStep(DeclarationError, TypeError):
    """The function cannot be a step or a pipeline."""


class UnknownOption(DeclarationError, TypeError):
    """An option that does not exist."""


class ReferenceUsed(DeclarationError, TypeError, AttributeError):
    """A step's output was used as a value inside a pipeline.

    Both a `TypeError` and an `AttributeError`, so that `hasattr` probes by debuggers work.
    """


class TypeMismatch(DeclarationError, TypeError):
    """What is given surely does not fit the parameter's annotation."""


class BadArguments(DeclarationError, TypeError):
    """The arguments do not fit the signature."""


class BadGraph(DeclarationError):
    """The calls of a pipeline do not make a graph that can run."""


class StackError(PenstockError):
    """A stack could not be found or built."""

    exit_code = 3
    problems: tuple[StackError, ...] = ()
    """Each by itself, if it is several at once."""


class BadConfiguration(StackError):
    """A file or an option does not hold what it must; every problem is listed at once."""


class UnknownStack(StackError):
    """No stack has this name."""


class UnknownComponent(StackError):
    """No component of this category has this name."""


class UnknownFlavor(StackError):
    """No flavor of this category has this name."""


class NameTaken(StackError):
    """Something different is registered under this name."""


class ImmutableComponent(StackError, AttributeError):
    """A component or a stack cannot be changed in place; the hint is the line that changes it."""


class MissingExtra(StackError, ImportError):
    """A library is missing; the hint is the line that installs it."""


class MissingReference(StackError):
    """A `${env:…}` or `${file:…}` names nothing."""


class CannotRun(StackError):
    """The plan asks for what the active stack does not have."""


class NotFound(PenstockError, LookupError):
    """No run, step, output or artifact of this name."""

    exit_code = 4


class StoreError(PenstockError):
    """The store could not do what it was asked."""

    exit_code = 5


class NoSuchKey(StoreError, LookupError):
    """There is no object under this key."""


class KeyTaken(StoreError):
    """There is an object under this key already."""


class StoreUnavailable(StoreError, OSError):
    """The place refuses: full, read-only, no permission."""


class StoreTooNew(StoreError):
    """The store was written by a later version of penstock."""


class CorruptArtifact(StoreError):
    """The bytes are not what their digest says."""


class UntrustedArtifact(StoreError):
    """A pickle without a signature that counts here."""


class EngineError(PenstockError):
    """An engine that carries out runs elsewhere does not answer, or does not do what it was asked.

    A host, a token or a namespace that is wrong is a `StackError` instead.
    """

    exit_code = 5


class EngineUnsure(EngineError):
    """It is not known whether the engine has taken the job: its answer has not come, and it cannot
    be asked."""


class RunError(PenstockError):
    """A run could not be carried out."""


class RunFailed(RunError):
    """At least one step failed. `run` has what happened; `__cause__` is the step's own error. Where
    it was the store that failed, the exit code is 5."""

    run: Any
    """The `penstock.Run`. Any, because errors lie below everything that could name it."""

    def __init__(self, message: str, *, run: object, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.run = run

    @property
    def telling(self) -> BaseException | None:
        """The error whose traceback says more than the message: not that of a store."""
        return self.__cause__ if self.exit_code == type(self).exit_code else None


class RunCancelled(RunError):
    """Somebody has cancelled the run, from another process."""

    exit_code = 130


class NotHere(RunError):
    """A run was asked for where none may start."""


class UnsupportedValue(RunError, TypeError):
    """No format takes this value."""


class FileChanged(RunError):
    """What a `File` leads to is gone, or is not what was recorded."""


class WrongOutputs(RunError, TypeError):
    """A step returned another number of outputs than it declares."""


class StepTimeout(RunError, TimeoutError):
    """A step took longer than its `timeout`."""


class StillRunning(RunError, TimeoutError):
    """The run has not ended in the time that somebody waits for it. It goes on."""


class InputFailed(RunError):
    """A step needs what has failed. Only with `failure="collect"` is it asked to run at all."""


class StepError(RunError):
    """What a step raised in another process. `str()` is its class, by name, and its message."""

    def __init__(self, kind: str, message: str, traceback: str) -> None:
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind = kind
        self.traceback = traceback
        """As that process printed it: the user's frames only."""


class LostStep(RunError):
    """The process of a step ended, and there is no record of what happened."""

    def __init__(self, message: str, *, last_lines: str = "") -> None:
        super().__init__(message)
        self.last_lines = last_lines
        """What it had said last."""


OURS: Final = __file__.removesuffix("errors.py")
"""The folder of our own code: what a traceback says of it is no news to users."""

MANY: Final = 30
"""Names that a sentence may hold."""


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """The hint for a name that is close to one of `known`, or nothing."""
    from difflib import get_close_matches  # only when something is wrong

    near = get_close_matches(name, list(known), n=1)
    return f"Did you mean {near[0]!r}?" if near else None


def raised_at(error: BaseException, by: object = None) -> str:
    """File and line where an error comes from; the last that is in a method of `by` if one is."""
    import traceback  # only when something is wrong

    frames = list(traceback.walk_tb(error.__traceback__))
    own = [each for each in frames if by is not None and each[0].f_locals.get("self") is by]
    frame, line = (own or frames)[-1]
    return f"{frame.f_code.co_filename}:{line}"


def listed(names: Iterable[str]) -> str:
    """Names for a sentence: `'a', 'b'`, or `none`; of very many, the first."""
    known = list(names)
    if len(known) > MANY:
        return f"{', '.join(map(repr, known[:MANY]))} and {len(known) - MANY:,} more"
    return ", ".join(map(repr, known)) or "none"
