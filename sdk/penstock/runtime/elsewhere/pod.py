"""A pod: a process on another machine, started by an engine, that carries out a step of a run.

All that it needs is in its command line and in the store. It finds out which run it belongs to,
makes one attempt, and leaves records as any other process does.
"""

from __future__ import annotations

import signal
import sys
import time
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from types import FrameType
from typing import TYPE_CHECKING, Final

from penstock.artifacts import identity, trust
from penstock.artifacts.objects import StoredObjects, object_key
from penstock.artifacts.store import ArtifactStore
from penstock.digest import of_buffers
from penstock.errors import CannotRun, CorruptArtifact, NoSuchKey, PenstockError, StoreError
from penstock.lazy import lazy
from penstock.runtime import masking
from penstock.runtime.elsewhere import shipped, there
from penstock.runtime.elsewhere.told import Told
from penstock.runtime.signals import in_place
from penstock.runtime.stopping import Stopped, Terminated
from penstock.stack.orchestrator import NEW
from penstock.stack.project import Project

if TYPE_CHECKING:
    from penstock.model.records import RunRecord
    from penstock.runtime import bundle, loading, notation, secrets
    from penstock.runtime import ledger as ledgers
    from penstock.runtime.cleaning import compilations
    from penstock.runtime.elsewhere import carrying, ending, jobs, unstarted
    from penstock.runtime.elsewhere.carrying import Carrying
    from penstock.runtime.ledger import Ledger
    from penstock.runtime.masking import Mask
    from penstock.runtime.secrets import Secrets
else:
    # Only once it is certain that this penstock is the one to go on with.
    bundle = lazy("penstock.runtime.bundle")
    compilations = lazy("penstock.runtime.cleaning.compilations")
    carrying = lazy("penstock.runtime.elsewhere.carrying")
    ending = lazy("penstock.runtime.elsewhere.ending")
    jobs = lazy("penstock.runtime.elsewhere.jobs")
    ledgers = lazy("penstock.runtime.ledger")
    loading = lazy("penstock.runtime.loading")
    notation = lazy("penstock.runtime.notation")
    secrets = lazy("penstock.runtime.secrets")
    unstarted = lazy("penstock.runtime.elsewhere.unstarted")

_COMPILE_AGAIN: Final = (
    "Compile the pipeline again, and hand the new file to the engine: penstock pipeline compile "
    "FILE:NAME -o FILE. penstock gc deletes what a file needs that nobody has used for long, see "
    "its --keep-compiled."
)


def main(told: Told) -> int:
    """Carry out what it was told, and give the exit code."""
    _listen()
    pod = Pod(told)
    try:
        return pod.carried_out()
    except (Terminated, Stopped, KeyboardInterrupt) as error:
        return pod.stopped(error)
    except PenstockError as error:
        pod.complain(error)
        return error.exit_code
    except Exception as error:  # a module of the user's, which a step needs
        pod.complain(error)
        return 1


class Pod:
    """What is known so far. A store that cannot be had is asked for once, and missed once."""

    def __init__(self, told: Told) -> None:
        self._told = told
        self._begun = time.time()
        self._carrying: Carrying | None = None
        self._secrets: Secrets | None = None
        self._is_recorded = False
        """Whether the step has begun, and a signal is written down by whoever carries it out."""

    def carried_out(self) -> int:
        """The exit code."""
        told = self._told
        self._check_python()
        store = self._store
        code = None
        if told.code:
            code = shipped.unpacked(told.code, lambda: self._fetched(told.code, "code"))
            shipped.settle_penstock(told.code, code)
            shipped.entered(code)
        (data, _), (record, is_new) = self._objects, self._record
        stack = there.stack(told.stack, store)
        plan = carrying.planned(data, record.run)
        root = Project.find().root
        self._secrets = secrets.Secrets(stack, plan.graph.calls.values(), root, plan.settings)
        if code is not None and code.main is not None:
            with loading.importing("the cells of its notebook"):
                bundle.as_main(code.main)
        if not told.call:
            with self._secrets.provided():
                ending.ended(self._ledger, record, plan, self._mask)
            return 0
        self._carrying = carrying.Carrying(told, stack, self._ledger, record, plan, self._secrets)
        if not self._carrying.calls:
            return 0
        self._carrying.load()
        if is_new and plan.starts:
            with self._secrets.provided():
                ending.tell_start(self._ledger, record, self._mask)
        self._is_recorded = True
        return 0 if self._carrying.carry_out() else 1

    def stopped(self, error: BaseException) -> int:
        """The exit code after a signal, or if somebody has cancelled the run."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if self._is_recorded and self._carrying is not None:
            error = self._carrying.executor.stop.instead(self._run, error)
            sys.stderr.write(f"Error: {error}\n")
        else:
            self.complain(error)
        if isinstance(error, PenstockError):
            return error.exit_code
        return 128 + (error.number if isinstance(error, Terminated) else signal.SIGINT)

    def complain(self, error: BaseException) -> None:
        """Say what is wrong, here and, where its run can be found, in the store."""
        text = unstarted.said(error)
        if isinstance(error, PenstockError):
            text = f"Error: {error}\n"
        sys.stderr.write(self._mask.text(text))
        sys.stderr.flush()
        if not self._told.call:
            return
        # What is wrong may be that the store cannot be reached: one message is enough.
        with suppress(PenstockError):
            record, _ = self._record  # there is no attempt without a run
            call = self._carrying.current if self._carrying is not None else ""
            unstarted.record(
                self._ledger, record.run, self._told, error, self._begun, self._mask, call
            )

    @cached_property
    def _store(self) -> ArtifactStore:
        """The store, if it is the one that the command line means. Raises `CannotRun`."""
        store = there.store(self._told.stack)
        found = identity.identify(store, make=False)
        if found is not None and found.id == self._told.store:
            return store
        what = f"the store {found.id}" if found else "no artifact store"
        raise CannotRun(
            f"The artifact store {store.name!r} ({store.flavor}: {store.path}) is another one here "
            f"than the one that the run was made for: there is {what}, and {self._told.store} is "
            "needed.",
            hint="See which path and which endpoint the pod is given, and in which environment "
            "variables.",
        )

    @cached_property
    def _ledger(self) -> Ledger:
        ledger = ledgers.Ledger(self._store)
        ledger.keys = trust.passing(self._store)
        return ledger

    @cached_property
    def _run(self) -> str:
        return jobs.run_of(self._store, self._told.job, self._told.run)

    @property
    def _mask(self) -> Mask:
        """Hides what is known to be secret."""
        return self._secrets.mask if self._secrets is not None else masking.NOTHING

    @cached_property
    def _record(self) -> tuple[RunRecord, bool]:
        """The record of the run, and whether the run begins with this process."""
        _, pattern = self._objects
        run, told = self._run, self._told
        if told.job and run != told.run:
            made = jobs.begun(self._ledger, run, told.job, pattern)
            if made is not None:
                self._keep_compiled(pattern)
                return made, True
        if told.job:
            self._check_run(run)
        return replace(pattern, run=run, job=told.job, elsewhere=True), False

    def _check_run(self, run: str) -> None:
        """Raise `CannotRun` unless this job belongs to that run. Which run it is was read where
        anybody may write who can write to the store; what the run's own record says is signed."""
        told, found = self._told, self._ledger.run(run)
        if found.plan == told.plan and (run == told.run or found.job == told.job):
            return
        raise CannotRun(
            f"{jobs.job_key(told.job)} in {self._store.path} says that this job is run {run}, and "
            "the record of that run says that it is not.",
            hint="Somebody has changed one of them. Delete that file, and start the job once more.",
        )

    def _keep_compiled(self, pattern: RunRecord) -> None:
        """Say that what was compiled is in use. Once for each job is enough."""
        told = self._told
        with suppress(StoreError):  # who may not write there relies on what others do
            compilations.note(self._store, pattern, told.record, told.code)
            if told.code:
                self._store.freshen(self._store.stat(object_key(told.code)))

    @cached_property
    def _objects(self) -> tuple[bytes, RunRecord]:
        """The plan, and the pattern of the record. Cleaning leaves them alone for some time."""
        told = self._told
        named = {told.plan: "plan", told.record: "record"}
        found = self._store.use_all(map(object_key, named))
        data = []
        for digest, what in named.items():
            whole = found.get(object_key(digest))
            if whole is None or of_buffers([whole]) != digest:
                whole = self._fetched(digest, what)
            data.append(bytes(whole))
        return data[0], notation.read_pattern(data[1])

    def _fetched(self, digest: str, what: str) -> bytes:
        """What was put there before any pod began. No step makes it anew if it is gone."""
        is_compiled = self._told.run == NEW
        whose = "the compiled pipeline" if is_compiled else "the run"
        try:
            return bytes(StoredObjects(self._store).fetch(digest, f"The {what} of {whose}"))
        except (NoSuchKey, CorruptArtifact) as error:
            hint = _COMPILE_AGAIN if is_compiled else "Start the run again, as a new one."
            raise type(error)(error.message, hint=hint) from error

    def _check_python(self) -> None:
        """Raises `CannotRun` unless Python is the one that the run was made with."""
        own = f"{sys.version_info[0]}.{sys.version_info[1]}"
        if self._told.python not in ("", own):
            raise CannotRun(
                f"The image has Python {own}, and the run was made with Python "
                f"{self._told.python}: values and code may mean something else there.",
                hint=f"Take an image with Python {self._told.python}, or start the run with "
                f"Python {own}.",
            )


def _listen() -> None:
    """From now on SIGTERM ends this process, with a word: as the first one of a container it
    would not even be told."""
    signal.signal(signal.SIGTERM, _terminate)
    in_place.regard(_terminate)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated(number)
