"""A proxy in front of an HTTP server, above all one that speaks S3: it counts, and makes faults."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, TypeAlias

from penstock.testing.asked import Request
from penstock.testing.faults import Client, Fault
from penstock.testing.messages import BUFFERED, CutOff, Head, Message, at_hand, body, closed
from penstock.testing.upstream import asked

if TYPE_CHECKING:
    import ssl

Plan: TypeAlias = Callable[[Request], Fault | None]
"""Says what goes wrong with a request; it is asked in the thread of the proxy."""

Heard: TypeAlias = tuple[Request, Message]

SMALL: Final = 64 << 10
"""Bytes up to which a body is read before it is passed on."""

MOMENT: Final = 0.01
"""Seconds after which it is looked who is still there."""

_NONE: Final = Fault()


class FaultProxy:
    """Passes requests on to `target`, in a `with`. Buckets are named in paths, not in hosts.

    with FaultProxy("http://127.0.0.1:9000", latency=0.02) as proxy:
        proxy.plan = lambda asked: SLOW_DOWN if asked.kind == "put" and not asked.before else None
        ...  # what uses proxy.url
        assert proxy.requests["put"] == 2
    """

    def __init__(
        self,
        target: str,
        *,
        plan: Plan | None = None,
        latency: float = 0.0,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.target = target
        self.plan = plan
        self.latency = latency
        """Seconds that every request takes longer."""
        self.url = ""
        self._tls = tls
        self._counting = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._talks: set[asyncio.Task[None]] = set()
        self.forget()

    @property
    def requests(self) -> Counter[str]:
        """How many there were of a kind; see `Request.kind`."""
        with self._counting:
            return Counter(self._requests)

    @property
    def injected(self) -> Counter[str]:
        """How many faults there were of a name."""
        with self._counting:
            return Counter(self._injected)

    @property
    def open_connections(self) -> int:
        """How many clients there are now."""
        return len(self._talks)

    def forget(self) -> None:
        """Count from nothing."""
        with self._counting:
            self._requests: Counter[str] = Counter()
            self._injected: Counter[str] = Counter()
            self._same: Counter[tuple[str, str]] = Counter()

    def __enter__(self) -> Self:
        self._thread.start()
        self._run(self._open())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _open(self) -> None:
        self._server = await asyncio.start_server(
            self._talk, "127.0.0.1", 0, ssl=self._tls, limit=BUFFERED, backlog=1024
        )
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"{'https' if self._tls else 'http'}://127.0.0.1:{port}"

    async def _close(self) -> None:
        # Nobody else is let in. What was accepted just now becomes a talk first, which asyncio of
        # Python 3.11 forgets to close once the server is closed.
        for listening in self._server.sockets:
            self._loop.remove_reader(listening)
        told: set[asyncio.Task[None]] = set()
        while left := asyncio.all_tasks() - {asyncio.current_task()}:
            for talk in self._talks - told:
                talk.cancel()
            told |= self._talks
            await asyncio.wait(left, timeout=MOMENT)
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes over one connection."""
        if (task := asyncio.current_task()) is not None:
            self._talks.add(task)
            task.add_done_callback(self._talks.discard)
        client = Client(reader, writer)
        try:
            while client.here and (head := await Head.read(reader)) is not None:
                await self._exchange(await self._heard(head, reader, writer), client)
        except (CutOff, ConnectionError, asyncio.CancelledError):
            client.reset()
        finally:
            # The last thing that is done: asyncio of Python 3.11 prints a traceback of a
            # connection whose task ends as cancelled.
            with suppress(asyncio.CancelledError):
                await closed(writer)

    async def _heard(
        self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> Heard:
        if head["expect"]:
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            head = head.changed(expect="")
        message, data = Message(head, body(reader, head)), b""
        if head.size is not None and head.size <= SMALL:
            data = b"".join([piece async for piece in message.pieces])
            message = Message(head, at_hand(data))
        return self._noted(head, data), message

    async def _exchange(self, heard: Heard, client: Client) -> None:
        request, message = heard
        fault = self._decided(request)
        await asyncio.sleep(self.latency)
        if fault.passes(request):
            async with asked(self.target, fault.asked(message)) as real:
                await fault.answer(request, real, client)
        else:
            if fault.patient:
                await message.read()
            await fault.answer(request, None, client)

    def _noted(self, head: Head, data: bytes) -> Request:
        address = head.first, head["range"]
        with self._counting:
            request = Request(head, self._requests.total(), self._same[address], data)
            self._requests[request.kind] += 1
            self._same[address] += 1
        return request

    def _decided(self, request: Request) -> Fault:
        fault = (self.plan and self.plan(request)) or _NONE
        if fault is not _NONE:
            with self._counting:
                self._injected[fault.name] += 1
        return fault
