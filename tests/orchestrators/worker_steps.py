"""Steps for the tests of worker processes: what steps do, and what they had better not do."""

import atexit
import ctypes
import io
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from penstock import Failure, context, step

CANARY = "PENSTOCK_TESTING_CANARY"


class Explosive:
    """Says where it was unpickled."""

    def __reduce__(self) -> Any:
        return unpickled, ()


def unpickled() -> Explosive:
    with Path(os.environ[CANARY]).open("a") as canary:
        canary.write(f"{os.getpid()}\n")
    return Explosive()


@step(cache=False)
def process(number: int) -> int:
    return os.getpid()


@step(cache=False)
def slow_process(number: int) -> int:
    time.sleep(0.3)
    return os.getpid()


@step
def double(number: int) -> int:
    return 2 * number


@step
def explosive() -> Explosive:
    return Explosive()


@step
def defuse(value: Explosive) -> str:
    return type(value).__name__


@step(cache=False)
def killed(number: int) -> int:
    os.write(2, b"the last words\n")
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@step(cache=False)
def crashes(number: int) -> int:
    return ctypes.string_at(0)[number]


@step(cache=False)
def leaves(number: int) -> int:
    os._exit(9)


@step(cache=False, retries=1)
def killed_at_first(file: str) -> int:
    if not Path(file).exists():
        Path(file).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return context().attempt


@step(cache=False, timeout=0.2)
def stubborn(number: int) -> int:
    while True:
        try:
            time.sleep(0.01)
        except BaseException:
            continue


@step(cache=False, timeout=1)
def too_long(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    while True:
        time.sleep(0.01)


@step(cache=False)
def erases(name: str) -> None:
    for record in Path("store").glob(f"runs/*/steps/{name}.json"):
        record.unlink()


@step(cache=False)
def says_goodbye(file: str) -> None:
    atexit.register(Path(file).touch)


@step(cache=False)
def litters(number: int) -> int:
    os.environ["LITTER"] = "x"
    del os.environ["KEPT"]
    os.chdir("/")
    sys.stdout = sys.stderr = io.StringIO()
    return os.getpid()


@step(cache=False)
def leaves_a_thread(number: int) -> int:
    def talk() -> None:
        while True:
            time.sleep(0.01)
            print("I am still here")

    threading.Thread(target=talk, daemon=True).start()
    return os.getpid()


@step(cache=False)
def leaves_a_timer(number: int) -> int:
    timer = threading.Timer(30, print)
    timer.daemon = True
    timer.start()
    return os.getpid()


@step(cache=False)
def closes(number: int) -> int:
    os.close(1)
    return os.getpid()


@step(cache=False)
def takes_signals(number: int) -> int:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return os.getpid()


@step(cache=False)
def looks(number: int) -> tuple[str | None, str | None, str, int]:
    print("looks around")
    return os.environ.get("LITTER"), os.environ.get("KEPT"), os.getcwd(), os.getpid()


@step(cache=False)
def says(number: int) -> int:
    print(f"out {number}")
    print(f"err {number}", file=sys.stderr)
    library = ctypes.CDLL(None)
    library.puts(f"C {number}".encode())
    library.fflush(None)
    os.system(f"echo another program {number}")
    return number


@step
def raises(number: int) -> int:
    try:
        return {}[number]  # type: ignore[no-any-return]
    except KeyError as error:
        raise ValueError(f"no {number}") from error


@step
def all_facts(number: int) -> int:
    folder = Path("checkpoint")
    folder.mkdir(exist_ok=True)
    (folder / "state").write_text(str(number))
    context().checkpoint(folder)
    context().log_metadata(number=number, attempt=context().attempt)
    return number


@step
def counts(items: list[Any]) -> int:
    return sum(isinstance(item, Failure) for item in items)


@step(secrets=["TOKEN"], cache=False)
def tells(number: int) -> str:
    print("the token is", os.environ["TOKEN"])
    return os.environ["TOKEN"][::-1]


@step(cache_env=["REGION"])
def region() -> str | None:
    return os.environ.get("REGION")


@step(cache=False)
def visible(number: int) -> tuple[str | None, tuple[str, ...]]:
    return os.environ.get("CUDA_VISIBLE_DEVICES"), context().gpus


@step(cache=False)
def sleeps(file: str) -> None:
    Path(file).write_text(str(os.getpid()))
    time.sleep(60)


@step(cache=False)
def meets(folder: str, number: int, others: int) -> int:
    """Comes back when all of them are here at the same time."""
    Path(folder, str(number)).touch()
    while len(os.listdir(folder)) < others:
        time.sleep(0.01)
    return number
