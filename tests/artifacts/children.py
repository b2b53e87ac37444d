"""Children of the test's process: forked, so that nothing has to be imported again."""

from __future__ import annotations

import os
import pickle
import sys
import tempfile
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from typing import Any, TypeVar

T = TypeVar("T")


def forked(work: Callable[[], object]) -> int:
    """The process id of a child that does `work` and ends."""
    with warnings.catch_warnings():
        # Some versions of Python warn of a fork while there are threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def child(
    work: Callable[[], T],
    uid: int | None = None,
    umask: int = 0o022,
    started: Callable[[], object] = bool,
) -> T:
    """What `work` gives in a child, as another user if root asks for it."""
    reader, writer = os.pipe()

    def report() -> None:
        os.umask(umask)
        if uid is not None:
            os.setgroups([])
            os.setgid(GROUP)
            os.setuid(uid)
        try:
            result: Any = (True, work())
        except Exception as error:
            error.add_note("".join(traceback.format_exception(error)))
            result = (False, error)
        with os.fdopen(writer, "wb") as pipe:
            pickle.dump(result, pipe)

    pid = forked(report)
    os.close(writer)
    started()
    with os.fdopen(reader, "rb") as pipe:
        data = pipe.read()
    os.waitpid(pid, 0)
    done, result = pickle.loads(data)
    if not done:
        sys.stderr.write("".join(result.__notes__))
        raise result
    return result  # type: ignore[no-any-return]


def at_once(work: Callable[[], T], number: int) -> list[T]:
    """What many children give that begin in the same moment."""
    wait, go = os.pipe()

    def waiting() -> T:
        os.close(go)
        os.read(wait, 1)
        return work()

    started = threading.Barrier(number + 1)

    def one(_: int) -> T:
        return child(waiting, started=started.wait)

    with ThreadPoolExecutor(number) as threads:
        results = threads.map(one, range(number))
        started.wait()
        os.close(go)
        os.close(wait)
        return list(results)


GROUP = 64_100
"""A group that no test is in by chance."""


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may enter: those of pytest are for one user only."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-test-"))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        rmtree(folder)
