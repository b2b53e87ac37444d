"""Steps for the tests of step operators: what steps do, and what they had better not do."""

import asyncio
import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple

from penstock import context, step


class Parts(NamedTuple):
    low: int
    high: str


@step
def fine(number: int) -> int:
    return number + 1


@step
def raises(number: int) -> int:
    try:
        return {}[number]  # type: ignore[no-any-return]
    except KeyError as error:
        raise ValueError(f"no {number}") from error


@step
def prints(number: int) -> int:
    print("out", number)
    print("err", number, file=sys.stderr)
    print("no end of a line", end="")
    return number


@step
def logs(number: int) -> int:
    logging.getLogger("work").warning("logged %s", number)
    return number


@step
async def waits(number: int) -> int:
    await asyncio.sleep(0)
    return number


@step
def several(number: int) -> Parts:
    return Parts(number, "x")


@step
def file(number: int) -> Path:
    path = Path("made.txt").absolute()
    path.write_text(str(number))
    return path


@step
def exits(number: int) -> int:
    sys.exit("no")


@step(timeout=0.3)
def slow(number: int) -> int:
    while True:
        time.sleep(0.01)


@step(retries=1)
def again(number: int) -> int:
    context().log_metadata(attempt=context().attempt)
    if context().attempt == 1:
        raise OSError("later")
    return number


ORDINARY = [fine, raises, prints, logs, waits, several, file, exits, slow, again]


@step
def crash() -> None:
    ctypes.string_at(0)


@step
def leave(code: int) -> None:
    print("last words", flush=True)
    os._exit(code)


@step
def killed_at_first(folder: str) -> int:
    if context().attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return context().attempt


@step(timeout=0.2)
def deaf() -> None:
    """Nobody in this process can end it: the interpreter's lock is held."""
    ctypes.PyDLL(None).sleep(60)


@step
def move() -> str:
    os.chdir("/")
    return os.getcwd()


@step
def leave_thread(seconds: float) -> None:
    threading.Thread(target=time.sleep, args=(seconds,), name="left").start()


@step
def fork() -> int:
    child = os.fork()
    if child:
        os.waitpid(child, 0)
    return os.getpid() if child else -1


@step
def place() -> dict[str, Any]:
    return {
        "python": sys.executable,
        "directory": os.getcwd(),
        "variable": os.environ.get("VARIABLE"),
        "input": sys.stdin.read(),
    }


@step
def last_long(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    time.sleep(60)


@step
def closes(number: int) -> int:
    os.closerange(3, 256)
    return number


@step(timeout=1)
def starts_another(note: str) -> None:
    Path(note).write_text(str(subprocess.Popen(["sleep", "600"]).pid))
    while True:
        time.sleep(0.1)


@step
def abort_in_c() -> None:
    os.write(2, b"terminate called after throwing 'std::bad_alloc'\n")
    os.abort()


@step
def killed_after_another_program() -> None:
    os.system("echo said by echo")
    os.kill(os.getpid(), signal.SIGKILL)


@step
def leave_after_c() -> None:
    library = ctypes.CDLL(None)
    library.printf(b"said by C\n")
    library.fflush(None)
    os._exit(3)


@step
def much_before_abort(lines: int) -> None:
    data = b"".join(b"line %d\n" % number for number in range(lines))
    sys.setswitchinterval(100)  # nobody reads between the two
    ctypes.PyDLL(None).write(2, data, len(data))
    os.abort()


@step(secrets=["TOKEN"])
def secret_before_abort() -> None:
    os.write(2, os.environ["TOKEN"].encode() + b" is it\n")
    os.abort()


@step
def c_twice() -> None:
    library = ctypes.CDLL(None)
    for text in (b"first by C\n", b"then by C\n"):
        library.printf(text)
        library.fflush(None)
        os.system("echo and by echo >&2")
        time.sleep(0.1)
