"""Threads, loops, forks and the end of the interpreter."""

import asyncio
import signal
import subprocess
import sys
import threading
import time

import pytest
from places import Made
from servers import KEY, REGION, SECRET, Server

from penstock.testing.faults import Hang
from penstock.testing.proxy import FaultProxy

PROGRAM = f"""
import os, sys, threading
from penstock_s3 import S3ArtifactStore
store = S3ArtifactStore(
    path=sys.argv[1], endpoint_url=sys.argv[2], key={KEY!r}, secret={SECRET!r}, region={REGION!r}
)
store.put("a", [b"1"])
store.put("b", [b"2"], exclusive=True)
"""

ENDINGS = {
    "at once": "",
    "after a fork": """
if not os.fork():
    store.put("c", [store.get("a")])
    sys.exit()
os.wait()
assert store.get("c") == store.get("a")
""",
    "after a fork that does nothing": """
if not os.fork():
    sys.exit()
os.wait()
assert store.get("b") == b"2"
""",
    "in the middle of a request": """
threading.Thread(target=lambda: [store.get("a") for _ in range(10**6)], daemon=True).start()
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_ends_without_a_word(moto: Server, ending: str) -> None:
    command = [sys.executable, "-W", "error", "-c", PROGRAM + ENDINGS[ending]]
    place = f"s3://{moto.bucket()}/x"
    done = subprocess.run(
        [*command, place, moto.url], check=False, capture_output=True, text=True, timeout=60
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_ctrl_c_ends_a_request(moto: Server) -> None:
    with FaultProxy(moto.url) as proxy:
        program = f"{PROGRAM}\nprint('now', flush=True)\nstore.get('a')"
        place = f"s3://{moto.bucket()}/x"
        command = [sys.executable, "-c", program, place, proxy.url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            proxy.plan = lambda asked: Hang(seconds=60) if asked.kind == "get" else None
            process.stdout.readline()
            while not proxy.injected:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            said = process.stderr.read().decode()

    assert said.rstrip().endswith("KeyboardInterrupt")
    assert process.returncode == -signal.SIGINT


def test_it_works_inside_a_running_loop(made: Made) -> None:
    store = made("here")

    async def use() -> bytes:
        store.put("a", [b"data"])
        return bytes(store.get("a"))

    assert asyncio.run(use()) == b"data"


def test_importing_it_loads_neither_s3fs_nor_botocore() -> None:
    code = (
        "import sys; from penstock_s3 import S3ArtifactStore; S3ArtifactStore(path='s3://bucket/x');"
        "print({'s3fs', 'botocore', 'aiobotocore', 'aiohttp', 'fsspec'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "set()"


def test_many_threads_have_one_line(made: Made) -> None:
    store = made("here", deadline=57.0)
    before = _lines()
    threads = [threading.Thread(target=lambda: store.stat_all(["a"])) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert _lines() <= before + 1


def _lines() -> int:
    return [thread.name for thread in threading.enumerate()].count("penstock-s3")
