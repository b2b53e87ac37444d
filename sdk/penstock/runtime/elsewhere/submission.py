"""Submission: a run is handed to an engine, which carries it out whoever watches."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from penstock.errors import EngineUnsure, StoreError
from penstock.model.records import Status
from penstock.runtime import hooks, terminal, waiting, watching
from penstock.runtime.capturing import capture
from penstock.runtime.elsewhere import jobs
from penstock.runtime.notation import End
from penstock.runtime.outcome import Outcome
from penstock.runtime.pulse import Work
from penstock.runtime.run import Run
from penstock.runtime.signals import in_place
from penstock.runtime.stopping import CTRL_C, Stopped, Terminated
from penstock.stack.orchestrator import Submitted

if TYPE_CHECKING:
    from penstock.runtime.launch import Launch

SEALED: Final = Status.STOPPED
"""How a run ends that no engine has taken."""


class Submission:
    """Of one run that has begun: it is recorded, and what its processes need is in the store."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._run = launch.run
        self._orchestrator = launch.stack.orchestrator
        self._told = launch.told
        self._is_sent = self._is_noted = False
        """Whether the engine may have it, and whether it is certain that it has."""

    def submitted(self) -> Run[Any]:
        """Hand it over. Raises what the orchestrator does; then nothing was taken, unless it is
        `EngineUnsure`."""
        launch, executor = self._launch, self._launch.executor
        self._run.asks(lambda _: self._orchestrator)
        with executor.secrets.provided(), Work(executor.stop, None, _nothing):
            try:
                self._told.found_in_cache(launch.found.hits)
                hooks.call(launch.options.on_start, self._run, self._told)
                taken = self._taken()
                with in_place.deferred():
                    self._note(taken)
            except (KeyboardInterrupt, Terminated, Stopped) as error:
                ended = executor.stop.instead(self._run.id, error)
                self._take_leave(CTRL_C if isinstance(ended, KeyboardInterrupt) else str(ended))
                raise ended from None
        self._told.note(f"submitted to {self._orchestrator.name}: {taken.url or taken.remote_id}")
        return self._run

    def watched(self) -> Outcome:
        """Hand it over, and watch it to its end."""
        run = self.submitted()
        watch = run.watching(self._told, heard=_print)
        status = watch.until_over() or run.status
        self._told.run_finished(run.id, status, time.time() - run.started)
        return Outcome(run, status, (), {}, watch.failed(waiting.said(run)))

    def _taken(self) -> Submitted:
        """What the engine says. If it is certain that it has nothing, the run is sealed."""
        executor = self._launch.executor
        try:
            self._launch.ledger.store.flush()
            self._is_sent = True
            taken = self._orchestrator.submit(executor, self._told)
        except EngineUnsure as error:
            error.hint = error.hint or f"penstock run watch {self._run.id}"
            raise
        except Exception as error:
            self._refused(str(error).splitlines()[0] if str(error) else type(error).__qualname__)
            raise
        if taken is None:
            raise EngineUnsure(
                f"The orchestrator {self._orchestrator.name!r} has not said which job is run "
                f"{self._run.id}."
            )
        return taken

    def _take_leave(self, why: str) -> None:
        """Somebody wants it to end. What the engine has goes on."""
        run, name = self._run.id, self._orchestrator.name
        if not self._is_sent:
            self._refused(why)
        elif self._is_noted:
            watching.take_leave(run, name)
        else:
            line = f"it is not known whether {name} has taken run {run}: penstock run watch {run}"
            with suppress(OSError, ValueError, AttributeError):
                terminal.write(f"{line}\n", capture.beside(sys.stderr))

    def _refused(self, why: str) -> None:
        """It has ended before it began."""
        executor = self._launch.executor
        said = executor.secrets.mask.text(why)
        with suppress(Exception):  # the store may be what failed; that is what gets raised
            digests = dict(executor.digests)
            self._launch.ledger.end(End(self._run.id, SEALED, time.time(), digests, said))
        self._told.run_finished(self._run.id, SEALED, time.time() - self._run.started)

    def _note(self, taken: Submitted) -> None:
        """Write down where it is, at once: whoever comes later finds it by that."""
        run, store = self._run.id, self._launch.ledger.store
        self._is_noted = True
        try:
            counts = jobs.submitted_as(store, run, taken.remote_id, taken.url)
        except StoreError as error:
            self._told.note(f"{error.message} Its first process writes down which job it is.")
            return
        if counts != taken.remote_id:
            self._told.note(
                f"the job {counts} says that it is run {run}, and so does {taken.remote_id}, "
                "which was submitted now: the first one counts"
            )


def _print(call: str, text: str) -> None:
    """As what a step prints that runs here."""
    with suppress(OSError, ValueError, AttributeError):
        terminal.write(text, sys.stdout, colours=True)


def _nothing() -> None:
    """There is nothing to write down: it is not known what the engine has."""
