"""The port for orchestrators: they decide when and where a step runs, never how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, runtime_checkable

from penstock.artifacts.source import Writing, unnoticed
from penstock.lazy import lazy
from penstock.model.component import StackComponent

if TYPE_CHECKING:
    from penstock.model.graph import Call
    from penstock.model.plan import Plan
    from penstock.model.records import StepRun
    from penstock.stack import settings as given_settings
    from penstock.stack.settings import ByFlavor
else:
    given_settings = lazy("penstock.stack.settings")  # only where something may be wrong


class Job(Protocol):
    """What an orchestrator is given: a plan to walk and two ways to run a call of it."""

    @property
    def plan(self) -> Plan: ...

    @property
    def pending(self) -> Sequence[str]:
        """Calls still to run, in an order in which they can; the hits are taken out."""

    def execute(
        self,
        call_id: str,
        *,
        environment: Mapping[str, str] | None = None,
        writing: Writing = unnoticed,
        by: Callable[[Job, str], None] | None = None,
    ) -> StepRun:
        """Run this call here and now. A step that fails is a record, no error.

        In this process; with `environment` in one of its own, which has these variables, too.
        `writing` is told the bytes of each large output before it is written: the function has
        returned, and something else may be computed meanwhile. It is told 0 if that failed and the
        function is called once more. `by` carries the call out elsewhere, as the `run` of a step
        operator does, unless the step has an operator.
        """

    def expand(self, call_id: str) -> Sequence[Call]:
        """Of a call that maps over a list known at run time (`Call.over`): the calls of its items
        that still have to run. They wait for nothing but their turn, and are executed like any
        other; then the call itself, which gathers what they gave.

        What it needs must be done. Nothing for any other call. Whoever never asks, and executes
        the call alone, has the items run one after the other.
        """

    def command(self, call_id: str, *, run: str = "", job: str = "") -> Sequence[str]:
        """The command line that runs this call in any other process.

        It begins with the interpreter of this one, which another machine has at another place.
        There, all that it needs besides is in the store, and a call may also be a share of the
        items of a map: `train:1/4` is the second quarter of those of `train`. `job` is the
        engine's own id of what it carries out, and `run` the run that it was submitted for, or
        `NEW`. An engine may start what it was given once more: each job is a run of its own.
        """

    def ending(self, *, run: str, job: str) -> Sequence[str]:
        """The command line that ends a run on another machine, whatever became of its steps: the
        run is sealed, and the hooks of its pipeline are told. If it has any (`Plan.ends`), nobody
        else tells them."""

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that a process on this machine needs besides: what the command line must not
        show."""

    def record(self, call_id: str) -> StepRun | None:
        """What the store says happened: the truth, whatever the engine claims."""


NEW: Final = "new"
"""In place of a run's id: the first process of an unknown job makes a run of it."""


ENVIRONMENT: Final = "PENSTOCK_ENVIRONMENT"
"""The variable in which a process elsewhere is given its `Orchestrator.environment_of`. It cannot
ask: the orchestrator may refer to what only the machine has that submits."""

AGAIN: Final = "PENSTOCK_STARTED_AGAIN"
"""The variable that says for which code a process elsewhere was started once more."""


class Observer(Protocol):
    """Is told what happens, by whoever carries out a run. Calls may come from several threads."""

    def step_started(self, call: Call) -> None: ...
    def step_finished(self, run: StepRun) -> None: ...
    def note(self, message: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Submitted:
    """What an engine elsewhere says of a job that it has taken."""

    remote_id: str
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Orchestrator(StackComponent, ABC):
    """Walks a job's pending calls."""

    category: ClassVar[str] = "orchestrator"
    elsewhere: ClassVar[bool] = False
    """Whether steps run on other machines: then the code is uploaded first, and a store that the
    other side cannot reach is refused."""
    reserves_resources: ClassVar[bool] = False
    """Whether a step starts only when what its `Resources` ask for is free."""
    settings: ClassVar[Collection[str]] = ()
    """The settings that steps and pipelines may give under this flavor's name."""

    @property
    def ships_code(self) -> bool:
        """Whether the project's code goes through the store to where its steps run. False for an
        orchestrator `elsewhere` that finds it there."""
        return self.elsewhere

    def environment_of(self, call: Call, settings: ByFlavor) -> str | None:
        """What decides which packages are installed where this call runs, as text: an image, and
        what is installed into it at its start. None for those of this process. `settings` are the
        pipeline's own (`Plan.settings`)."""
        return None

    def settings_problems(
        self, pipeline: str, settings: ByFlavor, calls: Sequence[Call]
    ) -> Iterator[str]:
        """What is wrong with the settings that a pipeline and its steps give for this flavor, a
        sentence each. By default these are the names that it does not know."""
        for who, values in given_settings.given(self.flavor, pipeline, settings, calls):
            yield from given_settings.unknown(who, values, self.flavor, self.settings)

    def notes(
        self,
        settings: ByFlavor,
        calls: Sequence[Call],
        needed: Callable[[Call], Mapping[str, str]],
    ) -> Iterator[str]:
        """What one should know before anything runs, a sentence each, though nothing is wrong.

        `needed` says of a step which environment variables have to be there, and who needs each.
        Only an orchestrator `elsewhere` is asked.
        """
        yield from ()

    def secret_variables(self, settings: ByFlavor, calls: Sequence[Call]) -> Collection[str]:
        """Environment variables that these calls are given from secrets of the engine. Where one
        is set on this machine, too, its value is a secret here as well. `settings` are the
        pipeline's own."""
        return ()

    @property
    def collects(self) -> bool:
        """Whether the failure of one item of a `map` is passed on as data in its place."""
        return False

    def problems(self, calls: Sequence[Call]) -> Iterator[str]:
        """What can never be carried out, a sentence each; asked before anything runs."""
        yield from ()

    def ready(self) -> None:
        """Raise `StackError` if nothing can be submitted the way this is set up. Nobody is asked
        over a network: it is about what is known here. Called before a run `elsewhere` is recorded
        of which something is to be carried out; what is compiled only never comes to this."""

    @abstractmethod
    def submit(self, job: Job, observer: Observer) -> Submitted | None:
        """Carry the job out, or hand it to an engine and say where it is."""


MARK: Final = "# Compiled by penstock"
"""What a compiled file begins with, if its engine takes such a line: then it is no part of the
project's code, and may be written over."""


@runtime_checkable
class Compiles(Protocol):
    """The ability of an orchestrator to write down what its engine would be handed."""

    def compile(self, job: Job) -> str:
        """The text of a file, which begins with `MARK`. Nothing is sent. Raises `CannotRun` for
        what cannot be written."""
