"""Servers that speak S3, each a process of its own: moto, and `rclone serve s3`.

    python servers.py moto
    python servers.py rclone
    python servers.py proxy http://127.0.0.1:4242 0.02

prints the address of one that has a bucket "bucket", and serves until its input ends; the proxy
makes each request take so many seconds longer. Each line that it is given has it tell, as JSON,
how many requests there were since the last one.
"""

from __future__ import annotations

import io
import json
import logging
import re
import subprocess
import sys
import sysconfig
import tempfile
import threading
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterable
from functools import lru_cache
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeAlias

from penstock.testing.proxy import FaultProxy

KEY: Final = "key"
SECRET: Final = "secret"
REGION: Final = "us-east-1"

Application: TypeAlias = Callable[[dict[str, Any], Any], Iterable[bytes]]


class Server:
    """One of them, in a `with`. It ends with the process that has started it, however that ends."""

    def __init__(self, kind: str, *words: str) -> None:
        self.kind = kind
        self._made = 0
        self._process = subprocess.Popen(
            [sys.executable, __file__, kind, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().strip()
        assert self.url, f"{kind} has not started"

    def bucket(self) -> str:
        """A new bucket with nothing in it."""
        self._made += 1
        return make_bucket(self.url, f"bucket-{self._made}")

    def requests(self) -> Counter[str]:
        """Those that a proxy has had since this was asked last, by kind."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Counter(json.loads(self._process.stdout.readline()))

    def send(self, signal: int) -> None:
        """Have it stand still, or end at once."""
        self._process.send_signal(signal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(120)


def make_bucket(url: str, name: str) -> str:
    """Neither of the servers asks who wants it."""
    with urllib.request.urlopen(urllib.request.Request(f"{url}/{name}", method="PUT")):
        return name


def moto(address: str = "127.0.0.1") -> None:
    """All in memory, with conditional writes. It asks of no request which of AWS's services is
    meant, and reads no time twice: both take longer than the rest."""
    from moto.core import serialize
    from moto.moto_server.werkzeug_app import MotoRequestHandler, create_backend_app
    from moto.server import ThreadedMotoServer

    serialize.parse_to_aware_datetime = lru_cache(serialize.parse_to_aware_datetime)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    MotoRequestHandler.disable_nagle_algorithm = True  # it answers in two pieces
    server = ThreadedMotoServer(address, 0, verbose=False)
    server.start()
    assert server._server is not None
    server._server.app = one_at_a_time(create_backend_app("s3"))
    url = "http://{}:{}".format(*server.get_host_and_port())
    make_bucket(url, "bucket")
    _serve(url)
    server.stop()


def one_at_a_time(app: Application) -> Application:
    """Conditional writes as S3 does them: moto looks and writes in two steps, and lets another
    request in between them."""
    lock = threading.Lock()

    def serve(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        asked = {"HTTP_IF_NONE_MATCH", "HTTP_IF_MATCH", "HTTP_X_AMZ_COPY_SOURCE"}
        if environ["REQUEST_METHOD"] in ("GET", "HEAD") or not asked & environ.keys():
            return app(environ, start)
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        with lock:
            return app(environ, start)

    return serve


def rclone() -> None:
    """In a folder on the disk, without conditional writes."""
    with tempfile.TemporaryDirectory() as folder:
        command = [Path(sysconfig.get_path("scripts"), "rclone"), "serve", "s3", folder]
        options = ["--config", "", "--addr", "127.0.0.1:0", "--max-header-bytes", "65536"]
        process = subprocess.Popen(
            [*command, *options], stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
        )
        assert process.stderr is not None
        said = process.stderr
        url = next(found[1] for line in said if (found := re.search(r"\[(http://[^/]*)", line)))
        threading.Thread(
            target=said.read, daemon=True
        ).start()  # what it complains of fills no pipe
        make_bucket(url, "bucket")
        _serve(url)
        process.terminate()
        process.wait(120)


def proxy(target: str, latency: str) -> None:
    """In a process of its own, so that it takes no time from those who measure."""
    with FaultProxy(target, latency=float(latency)) as proxy:
        print(proxy.url, flush=True)
        for _ in sys.stdin:
            told = proxy.requests
            proxy.forget()
            print(json.dumps(told), flush=True)


def _serve(url: str) -> None:
    print(url, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    {"moto": moto, "rclone": rclone, "proxy": proxy}[sys.argv[1]](*sys.argv[2:])
